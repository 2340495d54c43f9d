/** The one number the run loop compares: see timers.ts. */
import { Machine } from "../../base/machine";

/** To be called after a deadline was written into a vCPU or a domain. */
export function timerArm(deadline: u64): void {
  const m = Machine.get();
  if (deadline < m.nextDeadline) m.nextDeadline = deadline;
}
