/**
 * Pausing a domain: its vCPUs take no further step. Two counts, because the toolstack and the hypervisor pause independently
 * (spec 05 section 5.1). Without windows vCPUs take turns on one processor, so a paused one is never in the middle of an instruction;
 * in the race build the caller waits until each has left the hypervisor or sleeps in it.
 */
import { CTR_DOMAIN_PAUSES, CTR_LOOP_STEPS, CTR_PAUSE_WAITS, CTR_SELF_PAUSES } from "../../abi/counters";
import { EINVAL, EOVERFLOW, OK } from "../../abi/errno";
import { DEFECT_PAUSE_FLAG, DEFECT_SELF_PAUSE } from "../../abi/knobs";
import { MUTATION_PAUSE_DOES_NOT_WAIT } from "../../abi/mutations";
import { W_PAUSE } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Count } from "../../base/counters";
import { Defects } from "../../base/defects";
import { suspend } from "../../base/env";
import { Machine } from "../../base/machine";
import { Mutation } from "../../base/mutation";
import { Domain } from "../domain";
import { RUNSTATE_RUNNING } from "../sched/runstate";
import { Vcpu } from "../vcpu";

const SITE_UNPAUSE: u32 = 20;
const MAX_CONTROLLER_PAUSE: u32 = 255;

/**
 * Whether some vCPU of the domain has a processor now, apart from the one that runs this (Xen: domain_pause_except_self). As in 2014
 * (XSA-127) the one that runs this is waited for, too: for ever.
 */
export function isDomainRunning(d: Domain): bool {
  const self: u32 = Defects.has(DEFECT_SELF_PAUSE) ? 0 : Machine.get().currentVcpu;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const slot = d.firstVcpu + id;
    if (Vcpu.at(slot).runstate == RUNSTATE_RUNNING && slot + 1 != self) return true;
  }
  return false;
}

function waitUntilStopped(d: Domain): void {
  if (isDefined(RACE) && !Mutation.is(MUTATION_PAUSE_DOES_NOT_WAIT)) {
    while (isDomainRunning(d)) suspend(W_PAUSE, <u32>changetype<usize>(d), 0);
  }
}

/** As in 2014 (finding F-5): the pause of two controllers ends with the first unpause. */
function isPauseFlag(): bool {
  return Defects.has(DEFECT_PAUSE_FLAG);
}

/** Pause by the hypervisor itself, around a change that vCPUs must not see half done. */
export function domainPause(d: Domain): void {
  Count.one(CTR_DOMAIN_PAUSES);
  d.hypervisorPause++;
  waitUntilStopped(d);
}

export function domainUnpause(d: Domain): void {
  Hv.assert(d.hypervisorPause > 0, SITE_UNPAUSE);
  d.hypervisorPause--;
}

/**
 * A pause that waits until every vCPU of the domain stands still. One that waits for the vCPU it runs on never ends, and the domctl
 * lock is held meanwhile (finding F-1, XSA-127): here it is counted instead, and only the others are waited for. Two vCPUs of one
 * domain cannot wait for each other: the domctl lock of their domain is between them.
 */
export function domainPauseSync(v: Vcpu, d: Domain): void {
  if (d.slot == v.domainSlot) Count.one(CTR_SELF_PAUSES);
  Count.add(CTR_LOOP_STEPS, d.vcpuCount);
  Count.add(CTR_PAUSE_WAITS, d.vcpuCount);
  domainPause(d);
}

/** DOMCTL_pausedomain. -EOVERFLOW above 255. */
export function controllerPause(d: Domain): i32 {
  Count.one(CTR_DOMAIN_PAUSES);
  Count.add(CTR_LOOP_STEPS, d.vcpuCount);
  Count.add(CTR_PAUSE_WAITS, d.vcpuCount);
  if (isPauseFlag()) {
    d.controllerPause = 1;
    waitUntilStopped(d);
    return OK;
  }
  if (d.controllerPause >= MAX_CONTROLLER_PAUSE) return -EOVERFLOW;
  d.controllerPause++;
  waitUntilStopped(d);
  return OK;
}

/** DOMCTL_unpausedomain. -EINVAL when it was not paused. */
export function controllerUnpause(d: Domain): i32 {
  Count.add(CTR_LOOP_STEPS, d.vcpuCount);
  if (isPauseFlag()) {
    d.controllerPause = 0;
    d.hasRun = 1;
    return OK;
  }
  if (d.controllerPause == 0) return -EINVAL;
  d.controllerPause--;
  if (d.controllerPause == 0) d.hasRun = 1;
  return OK;
}
