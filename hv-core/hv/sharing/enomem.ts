/**
 * No memory for a private copy (spec 04 section 4.2, ENOMEM protocol): an event on the domain's sharing ring, so that a helper may free
 * memory; the toucher's own vCPU is paused until it answers, and then runs its instruction again.
 *
 * Before: p2m/p2m.ts, exits/on-ept-violation.ts.
 */
import { ENODEV, OK } from "../../abi/errno";
import { Domain } from "../domain";

/**
 * Whether somebody listens. The rings are not part of this machine yet: nobody ever does, and a guest that writes to a page that cannot be
 * unshared is crashed with CRASH_UNSHARE_NO_MEMORY.
 */
export function hasSharingRing(d: Domain): bool {
  return false;
}

/** Says that `gfn` could not be unshared. Never sleeps. OK; -ENODEV without a ring, -EBUSY when it is full (the guest faults again). */
export function notifyNoMemory(d: Domain, gfn: u64): i32 {
  return hasSharingRing(d) ? OK : -ENODEV;
}
