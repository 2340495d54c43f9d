/**
 * Timers: deadlines in virtual ticks, kept in the vCPU they belong to (hv/vcpu.ts; watchdogs in their domain). Machine.nextDeadline is never later than
 * the first of them, so the run loop compares one number.
 */
import { VIRQ_TIMER } from "../../abi/hypercalls";
import { Machine } from "../../base/machine";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { vcpuWake } from "../domain/vcpu-state";
import { sendVirq } from "../evtchn/virq";
import { lapicTimerFired } from "../irq/lapic";
import { watchdogsRun } from "../sched/watchdog";
import { NO_DEADLINE, Vcpu, VPF_POLL } from "../vcpu";
import { timerArm } from "./timer-arm";

export { timerArm } from "./timer-arm";

/** The first deadline of one vCPU. */
function firstOf(v: Vcpu): u64 {
  const a = min<u64>(v.singleshotDeadline, v.periodicDeadline);
  const b = min<u64>(v.pollDeadline, v.lapicDeadline);
  return min<u64>(a, b);
}

function fire(v: Vcpu, now: u64): void {
  if (v.singleshotDeadline <= now) {
    v.singleshotDeadline = NO_DEADLINE;
    sendVirq(v, VIRQ_TIMER);
  }
  if (v.periodicDeadline <= now) {
    const missed = (now - v.periodicDeadline) / v.periodicPeriod + 1;
    v.periodicDeadline += missed * v.periodicPeriod;
    sendVirq(v, VIRQ_TIMER);
  }
  if (v.pollDeadline <= now) {
    v.pollDeadline = NO_DEADLINE;
    if ((v.pauseFlags & VPF_POLL) != 0) vcpuWake(v);
  }
  if (v.lapicDeadline <= now) {
    v.lapicDeadline = NO_DEADLINE; // a periodic timer sets the next one
    lapicTimerFired(v);
  }
}

/** Fires what is due and finds the next deadline. Nothing to do while Machine.now is before nextDeadline. */
export function timersRun(): void {
  const m = Machine.get();
  const now = m.now;
  if (now < m.nextDeadline) return;
  m.nextDeadline = NO_DEADLINE;
  const mark = m.vcpuMark;
  for (let slot: u32 = 0; slot < mark; slot++) {
    const v = Vcpu.at(slot);
    if (v.inUse == 0) continue;
    if (firstOf(v) <= now) fire(v, now);
    timerArm(firstOf(v));
  }
  for (let slot: u32 = 0; slot < m.domainMark; slot++) {
    const d = Domain.at(slot);
    if (d.state == DOMAIN_ALIVE) watchdogsRun(d, now);
  }
}

/** No timer of this vCPU will fire any more. */
export function timersStop(v: Vcpu): void {
  v.singleshotDeadline = NO_DEADLINE;
  v.periodicDeadline = NO_DEADLINE;
  v.periodicPeriod = 0;
  v.pollDeadline = NO_DEADLINE;
  v.lapicDeadline = NO_DEADLINE;
}
