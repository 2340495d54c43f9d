/**
 * When a vCPU may run. A vCPU is runnable when no pause flag of its own is set (hv/vcpu.ts, VPF_*) and its domain is neither paused
 * nor shut down. Who picks among the runnable ones: run/scheduler.ts.
 */

import { MUTATION_PAUSED_RUNS } from "../../abi/mutations";
import { Mutation } from "../../base/mutation";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { NO_DEADLINE, Vcpu, VPF_BLOCKED, VPF_DOWN, VPF_POLL } from "../vcpu";

/** Clears pause flags that were waited for. */
export function vcpuClear(v: Vcpu, flags: u32): void {
  v.pauseFlags &= ~flags;
}

/** Ends a SCHEDOP_block, HLT or SCHEDOP_poll. */
export function vcpuWake(v: Vcpu): void {
  if ((v.pauseFlags & (VPF_BLOCKED | VPF_POLL)) == 0) return;
  v.pauseFlags &= ~(VPF_BLOCKED | VPF_POLL);
  v.pollPort = 0;
  v.pollDeadline = NO_DEADLINE;
}

export function vcpuBlock(v: Vcpu): void {
  v.pauseFlags |= VPF_BLOCKED;
}

/** The processor looks for events at the next instruction boundary; a sleeping vCPU wakes. */
export function vcpuKick(v: Vcpu): void {
  vcpuWake(v);
}

export function vcpuIsRunnable(v: Vcpu): bool {
  if (v.inUse == 0 || v.pauseFlags != 0 || v.pausedForShutdown != 0) return false;
  const d = v.domain;
  if (Mutation.is(MUTATION_PAUSED_RUNS)) return d.state == DOMAIN_ALIVE && d.controllerPause == 0;
  return d.state == DOMAIN_ALIVE && (d.controllerPause | d.hypervisorPause) == 0;
}

/** Whether any vCPU of the domain is up. */
export function hasOnlineVcpu(d: Domain): bool {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    if ((Vcpu.at(d.firstVcpu + id).pauseFlags & VPF_DOWN) == 0) return true;
  }
  return false;
}
