/**
 * The paravirtual clock: a vcpu_time_info in every vcpu_info and the wall clock in shared_info (spec 08 section 8.4).
 * Virtual time is exact, so one scale written once stays right; it is written again when the page or the TSC offset changes.
 */
import { KNOB_SEED } from "../../abi/knobs";
import { Knobs, Machine } from "../../base/machine";
import { Domain } from "../domain";
import { SharedInfo, VCPU_INFO_TIME, vcpuInfoHost } from "../hypercall/shared-info";
import { Vcpu } from "../vcpu";
import { ticksToNs } from "./time";

// vcpu_time_info
const TIME_VERSION: usize = VCPU_INFO_TIME;
const TIME_TSC: usize = VCPU_INFO_TIME + 8;
const TIME_SYSTEM: usize = VCPU_INFO_TIME + 16;
const TIME_MUL: usize = VCPU_INFO_TIME + 24;
const TIME_SHIFT: usize = VCPU_INFO_TIME + 28;
const TIME_FLAGS: usize = VCPU_INFO_TIME + 29;

/** Wall clock at system time 0: 2026-01-01 00:00:00 UTC plus as many seconds as the seed says. */
const WALL_CLOCK_EPOCH: u64 = 1_767_225_600;

/** The guest's TSC at virtual time `now`. */
export function guestTsc(v: Vcpu, now: u64): u64 {
  return now + v.cpu.tscOffset;
}

export function pvclockUpdate(v: Vcpu): void {
  const info = vcpuInfoHost(v);
  if (info == 0) return;
  const m = Machine.get();
  const version = load<u32>(info, TIME_VERSION);
  store<u32>(info, (version | 1) + (version & 1 ? 2 : 0), TIME_VERSION); // odd: being changed
  store<u64>(info, guestTsc(v, m.now), TIME_TSC);
  store<u64>(info, ticksToNs(m.now), TIME_SYSTEM);
  store<u32>(info, m.timeMul, TIME_MUL);
  store<i8>(info, <i8>m.timeShift, TIME_SHIFT);
  store<u8>(info, 0, TIME_FLAGS);
  store<u32>(info, load<u32>(info, TIME_VERSION) + 1, TIME_VERSION);
}

/** Seconds of the wall clock at virtual time 0. */
export function wallClockStart(): u64 {
  return WALL_CLOCK_EPOCH + Knobs.get(KNOB_SEED);
}

/** Written when the guest latches its word size: before that nobody knows where it belongs. */
export function wallClockUpdate(d: Domain): void {
  const at = SharedInfo.wallClock(d);
  const seconds = wallClockStart() + d.timeOffset;
  const version = load<u32>(at) & ~1;
  store<u32>(at, version + 1);
  store<u32>(at, <u32>seconds, 4);
  store<u32>(at, 0, 8);
  store<u32>(SharedInfo.wallClockSecondsHigh(d), <u32>(seconds >> 32));
  store<u32>(at, version + 2);
}
