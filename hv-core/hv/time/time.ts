/**
 * Virtual time. Machine.now counts TSC ticks: one for each retired instruction, one for each exit, and whatever idle time was
 * skipped. Nanoseconds follow with Xen's scale (multiplier and shift), so a guest computes the same from its pvclock.
 */
import { KNOB_TSC_KHZ } from "../../abi/knobs";
import { Knobs, Machine } from "../../base/machine";
import { NO_DEADLINE } from "../vcpu";

const NS_PER_SECOND: u64 = 1_000_000_000;
/** Deadlines beyond this many ns (36 years) never come. */
const NS_LIMIT: u64 = (<u64>1) << 60;

/** Computes multiplier and shift from the TSC frequency, as Xen's set_time_scale does. */
export function timeInit(): void {
  const m = Machine.get();
  let ticksPerSecond = <u64>Knobs.get(KNOB_TSC_KHZ) * 1000;
  let shift: i32 = 0;
  while (ticksPerSecond > NS_PER_SECOND * 2) {
    ticksPerSecond >>= 1;
    shift--;
  }
  while (ticksPerSecond <= NS_PER_SECOND && ticksPerSecond != 0) {
    ticksPerSecond <<= 1;
    shift++;
  }
  m.timeShift = shift;
  m.timeMul = ticksPerSecond == 0 ? 0 : <u32>((NS_PER_SECOND << 32) / ticksPerSecond);
}

export function ticksToNs(ticks: u64): u64 {
  const m = Machine.get();
  const t = m.timeShift < 0 ? ticks >> -m.timeShift : ticks << m.timeShift;
  const mul: u64 = m.timeMul;
  return (t >> 32) * mul + (((t & 0xffff_ffff) * mul) >> 32);
}

/** The first tick at which `ticksToNs` is at least `ns`; NO_DEADLINE for times that never come. */
export function nsToTicks(ns: u64): u64 {
  if (ns >= NS_LIMIT) return NO_DEADLINE;
  const khz: u64 = Knobs.get(KNOB_TSC_KHZ);
  let ticks = (ns / 1_000_000) * khz + ((ns % 1_000_000) * khz) / 1_000_000;
  for (let i = 0; i < 64 && ticksToNs(ticks) < ns; i++) ticks += 1 + ((ns - ticksToNs(ticks)) * khz) / 1_000_000;
  return ticks;
}

/** System time: ns since the machine was created. */
export function systemTime(): u64 {
  return ticksToNs(Machine.get().now);
}
