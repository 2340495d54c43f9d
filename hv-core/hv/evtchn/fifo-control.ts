/**
 * How a domain comes to FIFO event channels and loses them again: EVTCHNOP_init_control (a vCPU's control block; the first one
 * switches the domain over), expand_array (a page of event words), set_priority, and reset, after which it has two levels again.
 * errno as Xen 4.17 answers.
 */

import { EACCES, EINVAL, ENOENT, ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP, OK } from "../../abi/errno";
import {
  FIFO_CONTROL_BLOCK_SIZE,
  FIFO_LINK_BITS,
  FIFO_MAX_PAGES,
  FIFO_PRIORITY_DEFAULT,
  FIFO_PRIORITY_MIN,
  FIFO_WORDS_PER_PAGE,
  INIT_CONTROL_LINK_BITS,
  INIT_CONTROL_OFFSET,
  INIT_CONTROL_VCPU,
} from "../../abi/evtchn-fifo";
import {
  EVTCHNOP_EXPAND_ARRAY,
  EVTCHNOP_INIT_CONTROL,
  EVTCHNOP_SET_PRIORITY,
  EVTCHNSTAT_CLOSED,
} from "../../abi/hypercalls";
import { FIFO_UNLOCKED, KNOB_FIFO_EXPAND } from "../../abi/knobs";
import { PAGE_SIZE } from "../../abi/layout";
import { P2M_ALLOC, P2M_UNSHARE } from "../../abi/p2m-types";
import { W_FIFO_SEEN } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Lock } from "../../base/lock";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { getPage, putPage } from "../../mem/allocator";
import { FrameSlab, SLAB_FIFO_ARRAY, SLAB_FIFO_QUEUES } from "../../mem/frame-slab";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { findVcpu } from "../domain/find";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { FIFO_ARRAY_BYTES, FIFO_QUEUES_BYTES, FifoArray, FifoQueues } from "./fifo";
import { fifoSetPending } from "./fifo-send";
import { isEvtchnPending } from "./pending";
import { isPortValid, portAt } from "./port";

const SITE_FIFO_GONE: u32 = 71;

function lock(d: Domain): void {
  Lock.acquire(changetype<usize>(d) + offsetof<Domain>("evtchnLock"));
}

function unlock(d: Domain): void {
  Lock.release(changetype<usize>(d) + offsetof<Domain>("evtchnLock"));
}

/**
 * Takes hold of a page of the domain's that it may write to; its frame, 0 when there is none. Before the event lock is taken: the p2m
 * lock comes before it.
 */
function takeGuestPage(d: Domain, gfn: u64): u32 {
  P2m.lock(d);
  const isWritable = P2mType.isWritable(P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE));
  const mfn = d.lookupMfn;
  const isTaken = isWritable && getPage(mfn);
  P2m.unlock(d);
  if (!isTaken) return 0;
  Frame.at(mfn).typeCount++;
  return mfn;
}

function dropGuestPage(mfn: u32): void {
  if (mfn == 0) return;
  Frame.at(mfn).typeCount--;
  putPage(mfn);
}

/** A control block is given once. */
function useControlBlock(v: Vcpu, mfn: u32, offset: u32): i32 {
  const queues = FifoQueues.of(v);
  if (mfn == 0 || queues.blockMfn != 0) return -EINVAL;
  queues.blockMfn = mfn;
  queues.blockOffset = offset;
  return OK;
}

function allocate(d: Domain): bool {
  d.evtchnFifo = FrameSlab.alloc(SLAB_FIFO_ARRAY, FIFO_ARRAY_BYTES);
  if (d.evtchnFifo == 0) return false;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    v.fifoQueues = FrameSlab.alloc(SLAB_FIFO_QUEUES, FIFO_QUEUES_BYTES);
    if (v.fifoQueues == 0) return false;
  }
  return true;
}

/** What was pending in the bitmap of two levels is remembered until the port has a word. */
function keepPending(d: Domain): void {
  for (let port: u32 = 1; isPortValid(d, port); port++) {
    const p = portAt(d, port);
    p.isSaved = isEvtchnPending(d, port) ? 1 : 0;
    p.priority = <u8>FIFO_PRIORITY_DEFAULT;
    p.lastVcpu = 0;
    p.lastPriority = 0;
  }
}

/** The first control block of the domain, or one more. Both leave everything as it was when they fail. */
function useFirst(d: Domain, v: Vcpu, mfn: u32, offset: u32): i32 {
  if (d.evtchnFifo != 0) return useControlBlock(v, mfn, offset);
  if (mfn == 0) return -EINVAL;
  keepPending(d);
  const error = allocate(d) ? useControlBlock(v, mfn, offset) : -ENOMEM;
  if (error != OK) fifoDestroy(d);
  return error;
}

/** {control_gfn, offset, vcpu, OUT link_bits}. @returns OK; -ENOENT (no such vCPU), -EINVAL (offset, no writable RAM, given already), -ENOMEM. */
function initControl(d: Domain, arg: usize): i32 {
  const found = findVcpu(d, load<u32>(arg, INIT_CONTROL_VCPU));
  if (found == 0) return -ENOENT;
  const offset = load<u32>(arg, INIT_CONTROL_OFFSET);
  if (offset > <u32>(PAGE_SIZE - FIFO_CONTROL_BLOCK_SIZE) || (offset & 7) != 0) return -EINVAL;
  const mfn = takeGuestPage(d, load<u64>(arg));
  lock(d);
  const rc = useFirst(d, changetype<Vcpu>(found), mfn, offset);
  unlock(d);
  if (rc != OK) dropGuestPage(mfn);
  else store<u8>(arg, <u8>FIFO_LINK_BITS, INIT_CONTROL_LINK_BITS);
  return rc;
}

/** Ports from `first` on that had an event while their words were missing. */
function raiseKept(d: Domain, first: u32): void {
  for (let port = first; port < first + FIFO_WORDS_PER_PAGE && isPortValid(d, port); port++) {
    const p = portAt(d, port);
    if (p.isSaved == 0) continue;
    p.isSaved = 0;
    fifoSetPending(d, Vcpu.at(d.firstVcpu + p.vcpuId), port);
  }
}

function addPage(d: Domain, mfn: u32): i32 {
  const array = FifoArray.of(d);
  if (array.pages == <u32>FIFO_MAX_PAGES) return -ENOSPC;
  if (mfn == 0) return -EINVAL;
  const page = array.pages;
  array.setMfn(page, mfn);
  array.pages = page + 1;
  raiseKept(d, page * FIFO_WORDS_PER_PAGE);
  return OK;
}

/**
 * {array_gfn}: one page more. Whether there is an array is looked at again under the lock. Xen goes by the first look until XSA-505: a
 * reset in between frees the array, and the pointer that is followed then is null (C-73).
 * @returns OK; -EOPNOTSUPP without a control block, -ENOSPC with 128 pages, -EINVAL without writable RAM.
 */
function expandArray(d: Domain, arg: usize): i32 {
  if (d.evtchnFifo == 0) return -EOPNOTSUPP;
  const mfn = takeGuestPage(d, load<u64>(arg));
  Window.at(W_FIFO_SEEN, changetype<usize>(d) + offsetof<Domain>("evtchnFifo"), ACCESS_READ); // the array may go now: a reset by another vCPU
  lock(d);
  if (Variant.is(KNOB_FIFO_EXPAND, FIFO_UNLOCKED)) Hv.assert(d.evtchnFifo != 0, SITE_FIFO_GONE);
  const rc = d.evtchnFifo != 0 ? addPage(d, mfn) : -EOPNOTSUPP;
  unlock(d);
  if (rc != OK) dropGuestPage(mfn);
  return rc;
}

/** {port, priority}. @returns OK; -EINVAL (no such port or priority), -ENOSYS with two levels, -EACCES for a port of the hypervisor's, or nobody's. */
function setPriority(d: Domain, arg: usize): i32 {
  const port = load<u32>(arg);
  if (!isPortValid(d, port)) return -EINVAL;
  if (d.evtchnFifo == 0) return -ENOSYS;
  const p = portAt(d, port);
  if (p.state == EVTCHNSTAT_CLOSED || p.isXen != 0) return -EACCES;
  const priority = load<u32>(arg, 4);
  if (priority > <u32>FIFO_PRIORITY_MIN) return -EINVAL;
  p.priority = <u8>priority;
  return OK;
}

/** Whether `cmd` is one of these operations: they take the event lock themselves. */
export function isFifoOp(cmd: u32): bool {
  return cmd == <u32>EVTCHNOP_INIT_CONTROL || cmd == <u32>EVTCHNOP_EXPAND_ARRAY || cmd == <u32>EVTCHNOP_SET_PRIORITY;
}

/** The structure of `cmd` is at `arg`. A domain does this to itself only. */
export function fifoOp(d: Domain, cmd: u32, arg: usize): i32 {
  if (cmd == <u32>EVTCHNOP_INIT_CONTROL) return initControl(d, arg);
  if (cmd == <u32>EVTCHNOP_EXPAND_ARRAY) return expandArray(d, arg);
  lock(d);
  const rc = setPriority(d, arg);
  unlock(d);
  return rc;
}

/** Back to two levels: the guest's pages are its own again. Nothing happens without FIFO channels. Caller holds the event lock. */
export function fifoDestroy(d: Domain): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if (v.fifoQueues == 0) continue;
    dropGuestPage(FifoQueues.of(v).blockMfn);
    FrameSlab.free(SLAB_FIFO_QUEUES, v.fifoQueues);
    v.fifoQueues = 0;
  }
  if (d.evtchnFifo == 0) return;
  const array = FifoArray.of(d);
  for (let page: u32 = 0; page < array.pages; page++) dropGuestPage(array.mfn(page));
  FrameSlab.free(SLAB_FIFO_ARRAY, d.evtchnFifo);
  d.evtchnFifo = 0;
}
