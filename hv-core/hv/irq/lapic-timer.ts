/**
 * The LAPIC timer in virtual time: one-shot and periodic, divide register, current count (SDM 3A, section 11.5.4).
 * The bus clock is 100 MHz, as Xen gives it to its guests: one count is 10 ns times the divisor.
 */
import { Machine } from "../../base/machine";
import { nsToTicks, ticksToNs } from "../time/time";
import { timerArm } from "../time/timers";
import { NO_DEADLINE, Vcpu } from "../vcpu";
import { lapicAccept } from "./lapic";
import {
  APIC_LVT_TIMER,
  APIC_TIMER_DIVIDE,
  APIC_TIMER_INITIAL,
  LVT_DEADLINE,
  LVT_MASKED,
  LVT_MODE,
  LVT_PERIODIC,
} from "./lapic-regs";

const BUS_CYCLE_NS: u64 = 10;

/** 1, 2, 4 ... 128 from bits 3, 1, 0 of the divide register (111 = 1). */
function divisor(v: Vcpu): u64 {
  const bits = v.lapicReg(APIC_TIMER_DIVIDE);
  const code = (bits & 3) | ((bits >> 1) & 4);
  return (<u64>1) << ((code + 1) & 7);
}

function countNs(v: Vcpu): u64 {
  return BUS_CYCLE_NS * divisor(v);
}

function isPeriodic(v: Vcpu): bool {
  return (v.lapicReg(APIC_LVT_TIMER) & LVT_MODE) == LVT_PERIODIC;
}

/** Writing the initial count starts the timer; 0 stops it. */
export function lapicTimerStart(v: Vcpu, count: u32): void {
  if ((v.lapicReg(APIC_LVT_TIMER) & LVT_DEADLINE) != 0) return;
  v.setLapicReg(APIC_TIMER_INITIAL, count);
  if (count == 0) {
    v.lapicDeadline = NO_DEADLINE;
    return;
  }
  const ticks = nsToTicks(<u64>count * countNs(v));
  v.lapicTimerPeriod = ticks == 0 ? 1 : ticks;
  v.lapicTimerStart = Machine.get().now;
  v.lapicDeadline = v.lapicTimerStart + v.lapicTimerPeriod;
  timerArm(v.lapicDeadline);
}

/** The current count register: what is left of the running period. */
export function lapicTimerCount(v: Vcpu): u32 {
  const now = Machine.get().now;
  if (v.lapicDeadline == NO_DEADLINE || v.lapicDeadline <= now) return 0;
  const left = ticksToNs(v.lapicDeadline - now) / countNs(v);
  const initial = <u64>v.lapicReg(APIC_TIMER_INITIAL);
  return <u32>min<u64>(left, initial);
}

/** The mode changed: in deadline mode (not offered) nothing counts. */
export function lapicTimerModeWritten(v: Vcpu, old: u32, lvt: u32): void {
  if (((old ^ lvt) & LVT_DEADLINE) == 0) return;
  v.setLapicReg(APIC_TIMER_INITIAL, 0);
  v.lapicDeadline = NO_DEADLINE;
}

/**
 * The deadline has passed (the caller has taken it out of v.lapicDeadline). A periodic timer that missed periods fires once and
 * keeps its phase.
 */
export function lapicTimerFired(v: Vcpu): void {
  const now = Machine.get().now;
  const due = v.lapicTimerStart + v.lapicTimerPeriod;
  v.lapicDeadline = NO_DEADLINE;
  if (isPeriodic(v) && v.lapicTimerPeriod != 0) {
    const missed = now > due ? (now - due) / v.lapicTimerPeriod : 0;
    v.lapicTimerStart = due + missed * v.lapicTimerPeriod;
    v.lapicDeadline = v.lapicTimerStart + v.lapicTimerPeriod;
    timerArm(v.lapicDeadline);
  }
  const lvt = v.lapicReg(APIC_LVT_TIMER);
  if ((lvt & LVT_MASKED) == 0) lapicAccept(v, lvt & 255, false);
}
