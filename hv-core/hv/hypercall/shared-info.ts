/**
 * The shared_info page and the vcpu_info records: where things are in it (spec 08 section 8.4). The layout is 64-bit until the
 * guest sets up its hypercall page or callback from 32-bit code. These pages are data that both sides write at any time.
 */
import { FRAMES_BASE } from "../../abi/layout";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";

const PENDING: usize = 2048;
const MASK_64: usize = 2560;
const MASK_32: usize = 2176;
const WALL_CLOCK_64: usize = 3072;
const WALL_CLOCK_32: usize = 2304;
const WALL_CLOCK_SEC_HI_64: usize = 3084;
const WALL_CLOCK_SEC_HI_32: usize = 2340;

/** Offsets inside a vcpu_info. */
export const VCPU_INFO_UPCALL_PENDING: usize = 0;
export const VCPU_INFO_SEL_64: usize = 8;
export const VCPU_INFO_SEL_32: usize = 4;
export const VCPU_INFO_TIME: usize = 32;
export const VCPU_INFO_SIZE: u32 = 64;
/** vCPUs with a place in the shared_info page itself. */
export const LEGACY_MAX_VCPUS: u32 = 32;

export class SharedInfo {
  @inline static host(d: Domain): usize {
    return Frame.host(d.sharedInfoMfn);
  }

  @inline static pending(d: Domain): usize {
    return SharedInfo.host(d) + PENDING;
  }

  @inline static mask(d: Domain): usize {
    return SharedInfo.host(d) + (d.is64 != 0 ? MASK_64 : MASK_32);
  }

  @inline static wallClock(d: Domain): usize {
    return SharedInfo.host(d) + (d.is64 != 0 ? WALL_CLOCK_64 : WALL_CLOCK_32);
  }

  @inline static wallClockSecondsHigh(d: Domain): usize {
    return SharedInfo.host(d) + (d.is64 != 0 ? WALL_CLOCK_SEC_HI_64 : WALL_CLOCK_SEC_HI_32);
  }
}

/** Host address of the vCPU's vcpu_info, 0 when it has none yet (vCPU 32 and up before registering). */
export function vcpuInfoHost(v: Vcpu): usize {
  if (v.vcpuInfoMfn == 0) return 0;
  return FRAMES_BASE + ((<usize>v.vcpuInfoMfn) << 12) + v.vcpuInfoOffset;
}

/** Whether an upcall is pending for the guest (evtchn_upcall_pending). */
export function isUpcallPending(v: Vcpu): bool {
  const info = vcpuInfoHost(v);
  return info != 0 && load<u8>(info, VCPU_INFO_UPCALL_PENDING) != 0;
}
