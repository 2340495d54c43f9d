/**
 * No memory for a private copy (spec 04 section 4.2, ENOMEM protocol): an event on the domain's sharing ring, so that a helper may free
 * memory; the toucher's own vCPU is paused until it answers, and then runs its instruction again.
 *
 * Before: p2m/p2m.ts, exits/on-ept-violation.ts. After: vm-event/request.ts.
 */
import { VM_EVENT_MODE_SHARING } from "../../abi/vm-event";
import { Domain } from "../domain";
import { vmEventSharingEnomem } from "../vm-event/request";
import { vmEventHasRing } from "../vm-event/ring";

/** Whether somebody listens. Without a listener a guest that writes to a page that cannot be unshared is crashed. */
export function hasSharingRing(d: Domain): bool {
  return vmEventHasRing(d, VM_EVENT_MODE_SHARING);
}

/** Says that `gfn` could not be unshared. Never sleeps: with a full ring the event is lost, and the guest faults again. */
export function notifyNoMemory(d: Domain, gfn: u64): void {
  if (hasSharingRing(d)) vmEventSharingEnomem(d, gfn);
}
