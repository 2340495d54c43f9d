/**
 * What a monitor wants to hear of beside page accesses, and what the processor therefore has to exit for (hw/intercepts.ts): writes to control
 * registers, to MSRs from a list, INT3, the descriptor-table instructions. The list is a frame of the hypervisor's own.
 *
 * Writes that are reported are made when the vCPU goes on, unless the listener denies them (pending-write.ts).
 */
import { EEXIST, EINVAL, ENOMEM, OK } from "../../abi/errno";
import { MONITOR_DESC_ACCESS, MONITOR_SOFTWARE_BREAKPOINT } from "../../abi/vm-event";
import { INTERCEPT_BREAKPOINT, INTERCEPT_TABLES } from "../../hw/intercepts";
import { allocFrame, freeFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../mem/frame-table";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { DomainEvents } from "./domain-events";

/** Index of a register in requests and in DOMCTL_monitor_op: CR0, CR3, CR4, XCR0. */
export const CONTROL_REGISTERS: u32 = 4;
const MSRS_MAX: u32 = 500;
/** MSRs that exist for a guest: the low range, the hypervisor's, the high range. */
const MSR_RANGE: u32 = 0x1fff;
const MSR_ON_CHANGE: u32 = 1;

/** Every vCPU leaves its guest for what is asked for now, and for nothing else. */
export function monitoredApply(d: Domain): void {
  const events = DomainEvents.of(d);
  let bits: u32 = 0;
  if ((events.crEnabled & 1) != 0) bits |= 1;
  if ((events.crEnabled & 2) != 0) bits |= 1 << 3;
  if ((events.crEnabled & 4) != 0) bits |= 1 << 4;
  if (DomainEvents.reports(d, MONITOR_SOFTWARE_BREAKPOINT)) bits |= INTERCEPT_BREAKPOINT;
  if (DomainEvents.reports(d, MONITOR_DESC_ACCESS)) bits |= INTERCEPT_TABLES;
  for (let id: u32 = 0; id < d.vcpuCount; id++) Vcpu.at(d.firstVcpu + id).cpu.intercepts = bits;
}

/** The monitor goes: nothing is reported any more. */
export function monitoredForget(d: Domain): void {
  const events = DomainEvents.of(d);
  events.monitorEvents = 0;
  events.crEnabled = 0;
  if (events.msrFrame != 0) freeFrame(events.msrFrame);
  events.msrFrame = 0;
  events.msrCount = 0;
  monitoredApply(d);
}

/** Address of the list's entry {msr u32, flags u32} for an MSR, 0 = it is not reported. */
function entryOf(events: DomainEvents, msr: u32): usize {
  if (events.msrFrame == 0) return 0;
  const list = Frame.host(events.msrFrame);
  for (let i: u32 = 0; i < events.msrCount; i++) {
    const at = list + ((<usize>i) << 3);
    if (load<u32>(at) == msr) return at;
  }
  return 0;
}

export function isMsrReported(d: Domain, msr: u32, isChanging: bool): bool {
  const at = entryOf(DomainEvents.of(d), msr);
  return at != 0 && (isChanging || (load<u32>(at, 4) & MSR_ON_CHANGE) == 0);
}

function isMsr(msr: u32): bool {
  return msr <= MSR_RANGE || msr - 0x4000_0000 <= MSR_RANGE || msr - 0xc000_0000 <= MSR_RANGE;
}

/** @returns OK; -EINVAL (no such MSR), -EEXIST (it is so already), -ENOMEM. */
export function monitoredSetMsr(d: Domain, msr: u32, onChange: bool, isWanted: bool): i32 {
  const events = DomainEvents.of(d);
  if (!isMsr(msr)) return -EINVAL;
  const at = entryOf(events, msr);
  if ((at != 0) == isWanted) return -EEXIST;
  if (!isWanted) {
    events.msrCount--;
    const last = Frame.host(events.msrFrame) + ((<usize>events.msrCount) << 3);
    store<u64>(at, load<u64>(last));
    store<u64>(last, 0);
    return OK;
  }
  if (events.msrCount == MSRS_MAX) return -ENOMEM;
  if (events.msrFrame == 0) events.msrFrame = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
  if (events.msrFrame == 0) return -ENOMEM;
  const place = Frame.host(events.msrFrame) + ((<usize>events.msrCount) << 3);
  store<u32>(place, msr);
  store<u32>(place, onChange ? MSR_ON_CHANGE : 0, 4);
  events.msrCount++;
  return OK;
}

/** Whether a write of `value` over `old` to register `index` is reported. */
export function isControlRegisterReported(d: Domain, index: u32, value: u64, old: u64): bool {
  const events = DomainEvents.of(d);
  const bit: u32 = 1 << index;
  if ((events.crEnabled & bit) == 0) return false;
  if ((events.crOnChange & bit) != 0 && value == old) return false;
  return ((value ^ old) & ~events.crMask(index)) != 0;
}

/** @returns OK, or -EEXIST (it is so already). The domain is paused. */
export function monitoredSetControlRegister(
  d: Domain,
  index: u32,
  sync: bool,
  onChange: bool,
  mask: u64,
  isWanted: bool,
): i32 {
  const events = DomainEvents.of(d);
  const bit: u32 = 1 << index;
  if (((events.crEnabled & bit) != 0) == isWanted) return -EEXIST;
  events.crSync = sync ? events.crSync | bit : events.crSync & ~bit;
  events.crOnChange = onChange ? events.crOnChange | bit : events.crOnChange & ~bit;
  events.crEnabled = isWanted ? events.crEnabled | bit : events.crEnabled & ~bit;
  if (index < CONTROL_REGISTERS) events.setCrMask(index, isWanted ? mask : 0);
  return OK;
}
