/**
 * XENMEM_sharing_op fork and fork_reset (spec 04 section 4.2): a domain starts as a copy of another one that stands still. Its memory
 * comes page by page, when it is touched (fork-page.ts); everything else is copied here.
 */
import { CTR_LOOP_STEPS } from "../../abi/counters";
import { EBUSY, EINVAL, ENOSYS, EPERM, ESRCH, OK } from "../../abi/errno";
import {
  FORK_BLOCK_INTERRUPTS,
  FORK_RESET_MEMORY,
  FORK_RESET_STATE,
  FORK_WITH_IOMMU_ALLOWED,
  HVM_NR_PARAMS,
  HVM_PARAM_MONITOR_RING_PFN,
  HVM_PARAM_PAGING_RING_PFN,
  HVM_PARAM_SHARING_RING_PFN,
} from "../../abi/hypercalls";
import { PAGE_SIZE } from "../../abi/layout";
import { P2M_ACCESS_N, P2M_INVALID } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { Machine } from "../../base/machine";
import { freeFrame } from "../../mem/allocator";
import { FRAME_ALLOCATED, Frame, INVALID_M2P } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { domainPause, domainUnpause } from "../domain/pause";
import { createVcpus } from "../domain/vcpu-create";
import { copyVcpuRecords } from "../domctl/hvm-context";
import { INVALID_MFN } from "../p2m/entry";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { isSpecialFrame } from "../p2m/physmap";
import { p2mSet } from "../p2m/set";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { sharingControl } from "./control";

const FLAGS: usize = 2;
const PAD: usize = 4;

/** Parameters of the rings belong to whoever listens to that one domain. */
function isCopied(param: u32): bool {
  return (
    param != <u32>HVM_PARAM_PAGING_RING_PFN &&
    param != <u32>HVM_PARAM_MONITOR_RING_PFN &&
    param != <u32>HVM_PARAM_SHARING_RING_PFN
  );
}

/** Registers, interrupt controllers, parameters and the shared-info page of the parent. */
function copySettings(child: Domain, parent: Domain): i32 {
  for (let id: u32 = 0; id < child.vcpuCount; id++) {
    const to = Vcpu.at(child.firstVcpu + id);
    const from = Vcpu.at(parent.firstVcpu + id);
    const error = copyVcpuRecords(from, to);
    if (error != OK) return error;
    to.pauseFlags = from.pauseFlags;
  }
  for (let i: u32 = 0; i < <u32>HVM_NR_PARAMS; i++) if (isCopied(i)) child.setParam(i, parent.param(i));
  memory.copy(Frame.host(child.sharedInfoMfn), Frame.host(parent.sharedInfoMfn), PAGE_SIZE);
  child.tscMode = parent.tscMode;
  child.tscKhz = parent.tscKhz;
  child.tscIncarnation = parent.tscIncarnation;
  child.createdAt = parent.createdAt;
  child.is64 = parent.is64;
  return OK;
}

/** The fork knows its parent, which stands still from now on and cannot go. */
function adopt(child: Domain, parent: Domain): void {
  domainPause(parent);
  parent.forks++;
  child.forkParent = parent.slot + 1;
  child.maxPages = parent.maxPages;
  if (parent.pagingPool > child.pagingPool) child.pagingPool = parent.pagingPool;
}

/** The fork is none any more: it died, or it never came to be one. */
export function forkForget(child: Domain): void {
  if (child.forkParent == 0) return;
  const parent = Domain.at(child.forkParent - 1);
  child.forkParent = 0;
  parent.forks--;
  domainUnpause(parent);
}

/**
 * {parent u16, flags u16, pad u32}: `child` becomes a fork.
 * @returns OK; -EINVAL (pad, flags, another number of vCPUs, a fork already), -ESRCH, -EPERM (the caller itself), -EBUSY (not paused by
 * the toolstack), or why sharing cannot be enabled for the parent.
 */
export function forkOp(v: Vcpu, child: Domain, u: usize): i32 {
  const flags: u32 = load<u16>(u, FLAGS);
  if (load<u32>(u, PAD) != 0 || (flags & ~(FORK_WITH_IOMMU_ALLOWED | FORK_BLOCK_INTERRUPTS)) != 0) return -EINVAL;
  const found = findOtherDomain(load<u16>(u));
  if (found == 0) return -ESRCH;
  const parent = changetype<Domain>(found);
  if (parent.slot == v.domainSlot) return -EPERM;
  if (parent.state != DOMAIN_ALIVE) return -EINVAL;
  if (parent.maxVcpus != child.maxVcpus || parent.slot == child.slot || child.forkParent != 0) return -EINVAL;
  if (parent.sharingEnabled == 0) {
    const refused = sharingControl(parent, true, (flags & FORK_WITH_IOMMU_ALLOWED) != 0);
    if (refused != OK) return refused;
  }
  if (child.controllerPause == 0) return -EBUSY;
  if (isAncestor(child, parent)) return -EINVAL;
  adopt(child, parent);
  let error = child.vcpuCount == 0 ? createVcpus(child) : OK;
  if (error == OK) error = copySettings(child, parent);
  if (error != OK) forkForget(child);
  return error;
}

/** Whether `d` is among the ancestors of `other`: a circle would have no beginning. */
function isAncestor(d: Domain, other: Domain): bool {
  let at = other;
  while (at.forkParent != 0) {
    at = Domain.at(at.forkParent - 1);
    if (at.slot == d.slot) return true;
  }
  return false;
}

/** Pages of its own that a fork can have again from its parent: RAM that nobody else refers to. */
function dropCopies(d: Domain): void {
  const mark = Machine.get().frameMark;
  P2m.lock(d);
  for (let mfn: u32 = 1; mfn < mark; mfn++) {
    const frame = Frame.at(mfn);
    if (frame.owner != <u16>d.slot || (frame.flags & FRAME_ALLOCATED) == 0 || isSpecialFrame(mfn)) continue;
    if (frame.m2p == INVALID_M2P || frame.refs != 1 || frame.typeCount != 0) continue;
    const gfn = frame.m2p;
    const type = p2mLookup(d, gfn);
    if (d.lookupMfn != mfn || !P2mType.isSharable(type)) continue;
    if (p2mSet(d, gfn, INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_N) != OK) continue;
    P2m.flushNow(d);
    frame.m2p = INVALID_M2P;
    freeFrame(mfn);
  }
  P2m.unlock(d);
  Count.add(CTR_LOOP_STEPS, mark);
}

/** {-, flags u16, pad u32}. @returns OK; -EINVAL (pad, flags), -ENOSYS (not a fork). */
export function forkReset(d: Domain, u: usize): i32 {
  const flags: u32 = load<u16>(u, FLAGS);
  if (load<u32>(u, PAD) != 0 || (flags & ~(FORK_RESET_STATE | FORK_RESET_MEMORY)) != 0) return -EINVAL;
  if (d.forkParent == 0) return -ENOSYS;
  domainPause(d);
  if ((flags & FORK_RESET_MEMORY) != 0) dropCopies(d);
  const error = (flags & FORK_RESET_STATE) != 0 ? copySettings(d, Domain.at(d.forkParent - 1)) : OK;
  domainUnpause(d);
  return error;
}
