/** VCPUOP_register_vcpu_info: a vCPU's vcpu_info moves from shared_info to a page of the guest's choice, once. */
import { EACCES, EAGAIN, EBUSY, EINVAL, ENXIO, OK } from "../../abi/errno";
import { P2M_ALLOC, P2M_RAM_SHARED, P2M_UNSHARE } from "../../abi/p2m-types";
import { getPage, putPage } from "../../mem/allocator";
import { Frame } from "../../mem/frame-table";
import { markEventsPending } from "../evtchn/upcall";
import { VCPU_INFO_SEL_32, VCPU_INFO_SEL_64, VCPU_INFO_SIZE, vcpuInfoHost } from "../hypercall/shared-info";
import { logDirtyMark } from "../logdirty/bitmap";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";
import { pvclockUpdate } from "../time/pvclock";
import { Vcpu } from "../vcpu";

/**
 * @returns -EBUSY (registered already), -ENXIO (misaligned or over the page's end), -EINVAL (no RAM), -EAGAIN (shared, or paged),
 * -EACCES (not writable).
 */
export function vcpuInfoRegister(v: Vcpu, gfn: u64, offset: u32): i32 {
  if (offset > 4096 - VCPU_INFO_SIZE) return -ENXIO;
  if ((offset & 7) != 0) return -ENXIO;
  if (v.vcpuInfoRegistered != 0) return -EBUSY;
  const d = v.domain;
  const type = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
  if (P2mType.isPaging(type)) {
    pagingPopulate(d, gfn);
    return -EAGAIN;
  }
  if (!P2mType.isRam(type) || !Frame.isValid(d.lookupMfn)) return -EINVAL;
  if (type == <u32>P2M_RAM_SHARED) return -EAGAIN;
  if (!P2mType.isWritable(type)) return -EACCES;
  const mfn = d.lookupMfn;
  if (!getPage(mfn)) return -EINVAL;
  const to = Frame.host(mfn) + offset;
  const old = vcpuInfoHost(v);
  if (old != 0) memory.copy(to, old, VCPU_INFO_SIZE);
  else memory.fill(to, 0, VCPU_INFO_SIZE);
  v.vcpuInfoMfn = mfn;
  v.vcpuInfoOffset = offset;
  v.vcpuInfoRegistered = 1;
  logDirtyMark(d, gfn);
  pvclockUpdate(v);
  // Everything is made pending: an event may have gone to the old place meanwhile.
  if (d.is64 != 0) store<u64>(to, 0xffff_ffff_ffff_ffff, VCPU_INFO_SEL_64);
  else store<u32>(to, 0xffff_ffff, VCPU_INFO_SEL_32);
  markEventsPending(v);
  return OK;
}

/** The vCPU goes: its hold on a registered page too. */
export function vcpuInfoForget(v: Vcpu): void {
  if (v.vcpuInfoRegistered != 0) putPage(v.vcpuInfoMfn);
  v.vcpuInfoRegistered = 0;
  v.vcpuInfoMfn = 0;
}
