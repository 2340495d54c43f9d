/**
 * Pausing a domain: its vCPUs take no further step. Two counts, because the toolstack and the hypervisor pause independently
 * (spec 05 section 5.1). vCPUs take turns on one processor here, so a paused one is never in the middle of an instruction.
 */
import { CTR_DOMAIN_PAUSES } from "../../abi/counters";
import { EINVAL, EOVERFLOW, OK } from "../../abi/errno";
import { Hv } from "../../base/assert";
import { Count } from "../../base/counters";
import { Domain } from "../domain";

const SITE_UNPAUSE: u32 = 20;
const MAX_CONTROLLER_PAUSE: u32 = 255;

/** Pause by the hypervisor itself, around a change that vCPUs must not see half done. */
export function domainPause(d: Domain): void {
  Count.one(CTR_DOMAIN_PAUSES);
  d.hypervisorPause++;
}

export function domainUnpause(d: Domain): void {
  Hv.assert(d.hypervisorPause > 0, SITE_UNPAUSE);
  d.hypervisorPause--;
}

/** DOMCTL_pausedomain. -EOVERFLOW above 255. */
export function controllerPause(d: Domain): i32 {
  if (d.controllerPause >= MAX_CONTROLLER_PAUSE) return -EOVERFLOW;
  Count.one(CTR_DOMAIN_PAUSES);
  d.controllerPause++;
  return OK;
}

/** DOMCTL_unpausedomain. -EINVAL when it was not paused. */
export function controllerUnpause(d: Domain): i32 {
  if (d.controllerPause == 0) return -EINVAL;
  d.controllerPause--;
  return OK;
}
