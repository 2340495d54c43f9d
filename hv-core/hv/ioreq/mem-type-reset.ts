/**
 * What becomes of the pages of type ioreq_server when their server lets go (knob unmap.reset):
 *
 *   sweep    made invalid at once, then recomputed 256 gfns at a time, so that none is left when the call is over (Xen 4.17)
 *   recalc   made invalid at once, recomputed when they are touched: some may be left for a long time
 *   direct   each one set to RAM, all under one lock
 *   none     they stay as they are
 *
 * After sweep and recalc a touch of such a page is an EPT misconfiguration, never a violation.
 */

import { ENOMEM, ERESTART, OK } from "../../abi/errno";
import {
  AS_FIXED,
  KNOB_SET_TYPE_CHECK,
  KNOB_UNMAP_LOG_DIRTY,
  KNOB_UNMAP_RESET,
  RESET_COMPARE,
  RESET_DIRECT,
  RESET_NONE,
  RESET_SWEEP,
} from "../../abi/knobs";
import { MUTATION_NO_RESET } from "../../abi/mutations";
import { P2M_IOREQ_SERVER, P2M_RAM_RW } from "../../abi/p2m-types";
import { Knobs } from "../../base/machine";
import { Mutation } from "../../base/mutation";
import { Variant } from "../../base/variant";
import { Domain } from "../domain";
import { P2m } from "../p2m/p2m";

/** gfns swept before a hypercall lets others have a turn. */
export const SWEEP_BATCH: u64 = 256;

/** The part of the reset that follows at once. @returns OK or -ENOMEM. */
export function typeReset(d: Domain): i32 {
  const how = Knobs.get(KNOB_UNMAP_RESET);
  // Xen asks whether there are such pages at all: an unmap without any leaves log-dirty mode alone.
  if (how == <u32>RESET_NONE || !hasPages(d) || Mutation.is(MUTATION_NO_RESET)) return OK;
  if (how == <u32>RESET_DIRECT) return typeResetAll(d);
  // As in Xen this also says that RAM is not tracked any more, although log-dirty mode may be on (S-2), unless the knob is fixed.
  const from = Knobs.get(KNOB_UNMAP_LOG_DIRTY) == <u32>AS_FIXED ? P2M_RAM_RW : P2M_IOREQ_SERVER;
  P2m.changeEntryTypeGlobal(d, from, P2M_RAM_RW);
  return OK;
}

/**
 * Whether there are pages of the type. Xen reads the count without the p2m lock, and may miss the one that set_mem_type is about to make
 * (S-3, second half); with it, whoever still found the server has counted its page.
 */
function hasPages(d: Domain): bool {
  if (Knobs.get(KNOB_SET_TYPE_CHECK) != <u32>AS_FIXED) return d.p2mIoreqEntries != 0;
  P2m.lock(d);
  const has = d.p2mIoreqEntries != 0;
  P2m.unlock(d);
  return has;
}

/** Sets every page of the type to RAM. A guest may have its last page wherever it likes: holes are passed over as a whole. */
export function typeResetAll(d: Domain): i32 {
  let rc = OK;
  P2m.lock(d);
  let gfn: u64 = 0;
  while (gfn <= d.p2mMaxMapped && d.p2mIoreqEntries != 0 && rc != -ENOMEM) {
    const type = P2m.lookup(d, gfn, 0);
    const next = P2m.next(d, gfn);
    if (type == <u32>P2M_IOREQ_SERVER) rc = P2m.changeTypeOne(d, gfn, P2M_IOREQ_SERVER, P2M_RAM_RW);
    gfn = next;
  }
  P2m.unlock(d);
  return rc;
}

/**
 * Recomputes the next gfns from `from` on, so that no page of the type is left for the next server.
 * @returns OK when it is over, -ERESTART, -ENOMEM.
 */
export function typeSweep(d: Domain, from: u64): i32 {
  if (Mutation.is(MUTATION_NO_RESET)) return OK;
  const isComparing = Variant.is(KNOB_UNMAP_RESET, RESET_COMPARE);
  if (!isComparing && Knobs.get(KNOB_UNMAP_RESET) != <u32>RESET_SWEEP) return OK;
  if (d.p2mIoreqEntries == 0 || from > d.p2mMaxMapped) return OK;
  const rc = isComparing ? historicFinish(d, from) : P2m.finishTypeChange(d, from, SWEEP_BATCH);
  if (rc != OK) return rc;
  return d.p2mIoreqEntries != 0 && from + SWEEP_BATCH <= d.p2mMaxMapped ? -ERESTART : OK;
}

/** Before eb13199100: a lookup already shows the type that the page is going to have, so no page ever has the old one. */
function historicFinish(d: Domain, from: u64): i32 {
  P2m.lock(d);
  for (let gfn = from; gfn < from + SWEEP_BATCH && gfn <= d.p2mMaxMapped; gfn++) {
    if (P2m.lookup(d, gfn, 0) == <u32>P2M_IOREQ_SERVER) P2m.changeTypeOne(d, gfn, P2M_IOREQ_SERVER, P2M_RAM_RW);
  }
  P2m.unlock(d);
  return OK;
}
