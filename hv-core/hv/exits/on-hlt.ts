/**
 * HLT (exit 12): sleep until an interrupt. With interrupts disabled nothing can wake the vCPU: it goes off-line, and a domain
 * whose last vCPU does so is shut down as if it had powered off (Xen's hvm_hlt), with the reason noted.
 */
import { CRASH_DEAD_HALT, CRASH_NONE } from "../../abi/crash";
import { FLAG_IF } from "../../abi/regs";
import { Run } from "../../hw/run";
import { hasOnlineVcpu } from "../domain/vcpu-state";
import { schedBlock } from "../sched/sched-op";
import { vcpuDown } from "../sched/vcpu-op";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";

export function onHlt(v: Vcpu): Verdict {
  const c = v.cpu;
  Run.skip(c);
  if ((c.rflags & FLAG_IF) == 0) {
    if (v.nmiPending != 0) return Verdict.Done;
    vcpuDown(v);
    const d = v.domain;
    if (!hasOnlineVcpu(d) && d.crashReason == <u32>CRASH_NONE) d.crashReason = CRASH_DEAD_HALT;
    return Verdict.Block;
  }
  schedBlock(v);
  return v.pauseFlags != 0 ? Verdict.Block : Verdict.Done;
}
