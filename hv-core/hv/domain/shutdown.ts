/**
 * Domains that stop: by their own wish, by the toolstack's, or because the hypervisor crashes them. The state stays for the dump
 * (registers, reason); dom0 hears VIRQ_DOM_EXC when the last vCPU has stopped.
 *
 * A vCPU with a request under way at a device model stops only when it is answered (spec 03 section 3.5): it defers the shutdown.
 */

import { CRASH_NONE } from "../../abi/crash";
import { SHUTDOWN_CRASH, SHUTDOWN_SUSPEND, VIRQ_DOM_EXC } from "../../abi/hypercalls";
import { TRC_CRASH, TRC_SHUTDOWN } from "../../abi/trace-events";
import { Machine } from "../../base/machine";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { Domain } from "../domain";
import { evtchnSend } from "../evtchn/send";
import { sendGlobalVirq } from "../evtchn/virq";
import { Vcpu } from "../vcpu";

/** Shutdown code of a domain that runs: what getdomaininfo shows for a live one. */
export const SHUTDOWN_NONE: u32 = 0xffff_ffff;

/** Marks the domain shut down once no vCPU defers it any more. */
function finalise(d: Domain): void {
  if (d.isShutDown != 0) return;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    if (Vcpu.at(d.firstVcpu + id).pausedForShutdown == 0) return;
  }
  d.isShutDown = 1;
  if (d.shutdownCode == <u32>SHUTDOWN_SUSPEND && d.suspendPort != 0) evtchnSend(d, d.suspendPort);
  else sendGlobalVirq(VIRQ_DOM_EXC);
}

/** Stops the domain with SHUTDOWN_* `reason`. The first reason counts. */
export function domainShutdown(d: Domain, reason: u32): void {
  if (d.shutdownCode == SHUTDOWN_NONE) d.shutdownCode = reason;
  const code = d.shutdownCode;
  if (d.isShuttingDown == 0) Trace.event(TRC_SHUTDOWN, TRACE_NO_VCPU, d.domid, code, 0);
  d.isShuttingDown = 1;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if (code != <u32>SHUTDOWN_CRASH && v.deferShutdown != 0) continue;
    v.pausedForShutdown = 1;
  }
  finalise(d);
}

/** Ends the domain for a reason of abi/crash.ts. Registers stay as they are. */
export function domainCrash(d: Domain, crashReason: u32): void {
  if (d.crashReason == <u32>CRASH_NONE) d.crashReason = crashReason;
  const current = Machine.get().currentVcpu;
  Trace.event(TRC_CRASH, current == 0 ? TRACE_NO_VCPU : current - 1, d.domid, crashReason, 0);
  domainShutdown(d, SHUTDOWN_CRASH);
}

/** Undoes a shutdown (a suspended domain that goes on). The domain is paused. */
export function domainResume(d: Domain): void {
  d.isShuttingDown = 0;
  d.isShutDown = 0;
  d.shutdownCode = SHUTDOWN_NONE;
  d.crashReason = CRASH_NONE;
  for (let id: u32 = 0; id < d.vcpuCount; id++) Vcpu.at(d.firstVcpu + id).pausedForShutdown = 0;
}

/** Before a request is sent: false when the domain is shutting down, and the request counts as not sent. */
export function vcpuStartShutdownDeferral(v: Vcpu): bool {
  if (v.deferShutdown != 0) return true;
  v.deferShutdown = 1;
  if (v.domain.isShuttingDown != 0) checkShutdown(v);
  return v.deferShutdown != 0;
}

/** The request is answered: a shutdown that waited for it goes on. */
export function vcpuEndShutdownDeferral(v: Vcpu): void {
  v.deferShutdown = 0;
  if (v.domain.isShuttingDown != 0) checkShutdown(v);
}

function checkShutdown(v: Vcpu): void {
  v.deferShutdown = 0;
  v.pausedForShutdown = 1;
  finalise(v.domain);
}
