/** HYPERVISOR_set_timer_op: the single-shot timer of the calling vCPU at an absolute system time; fires VIRQ_TIMER. */
import { OK } from "../../abi/errno";
import { nsToTicks, systemTime } from "../time/time";
import { timerArm } from "../time/timers";
import { NO_DEADLINE, Vcpu } from "../vcpu";

/** Xen's workaround for guests that set a time in the past or absurdly far away: it fires after 100 ms. */
const FALLBACK_NS: u64 = 100_000_000;

export function setSingleshot(v: Vcpu, ns: u64): void {
  v.singleshotDeadline = nsToTicks(ns);
  timerArm(v.singleshotDeadline);
}

/** `ns` = 0 cancels. */
export function setTimerOp(v: Vcpu, ns: i64): i64 {
  if (ns == 0) {
    v.singleshotDeadline = NO_DEADLINE;
    return OK;
  }
  const now = <i64>systemTime();
  const offset = ns - now;
  const isAbsurd = ns < 0 || (offset > 0 && <u64>offset >> 50 != 0);
  setSingleshot(v, isAbsurd ? <u64>now + FALLBACK_NS : <u64>ns);
  return OK;
}
