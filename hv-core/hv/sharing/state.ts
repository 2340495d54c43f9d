/**
 * What sharing keeps for the whole machine: the two published counters, the handle counter, the list that the audit walks
 * (spec 04 section 4.1). It stands in the machine header.
 *
 * Published invariant: the sum of Domain.sharedPages = nrSaved + nrShared. The three numbers change one after the other, so it holds only
 * where no sharing operation is between its first and its last change.
 */

import { SHARING_STATE_BASE } from "../../abi/layout";
import { Hv } from "../../base/assert";
import { Machine } from "../../base/machine";
import { DOMAIN_FREE, Domain } from "../domain";

const SITE_COUNTERS: u32 = 61;

@unmanaged
export class Sharing {
  /** Frames that are shared, or only nominated: "used frames" (XENMEM_get_sharing_shared_pages). */
  nrShared: u32;
  /** Frames that sharing saves: "freed pages" (XENMEM_get_sharing_freed_pages). */
  nrSaved: u32;
  /** The last handle given out. Handles are never used twice; 0 is none. */
  lastHandle: u64;
  /** First info of the audit list (hv/sharing/info.ts), 0 = none. */
  auditHead: u32;
  /** Sharing operations under way: only where there are none the counters must agree. */
  operations: u32;
  /** Pages counted as saved that were not (S-8), so that nothing else hides behind them. */
  leaked: u32;

  @inline static get(): Sharing {
    return changetype<Sharing>(SHARING_STATE_BASE);
  }

  /** The next handle. The first one is 2: the counter starts at 1. */
  static newHandle(): u64 {
    const s = Sharing.get();
    if (s.lastHandle == 0) s.lastHandle = 1;
    s.lastHandle++;
    return s.lastHandle;
  }

  /** Whether freed + used is what the domains have. */
  static isBalanced(): bool {
    const s = Sharing.get();
    let shared: u32 = 0;
    const mark = Machine.get().domainMark;
    for (let slot: u32 = 0; slot < mark; slot++) {
      const d = Domain.at(slot);
      if (d.state != DOMAIN_FREE) shared += d.sharedPages;
    }
    return shared + s.leaked == s.nrSaved + s.nrShared;
  }

  /** Around every operation that changes the counters. In debug the counters must agree when the last one ends. */
  static begin(): void {
    if (isDefined(DEBUG)) Sharing.get().operations++;
  }

  static end(): void {
    if (isDefined(DEBUG)) {
      const s = Sharing.get();
      s.operations--;
      if (s.operations == 0) Hv.assert(Sharing.isBalanced(), SITE_COUNTERS);
    }
  }
}

if (offsetof<Sharing>() > 64) ERROR("Sharing outgrew its place");
