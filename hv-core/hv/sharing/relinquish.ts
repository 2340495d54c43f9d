/** A domain dies: its shared pages lose their references before its p2m goes (spec 04 section 4.2, destroy). */
import { CTR_LOOP_STEPS } from "../../abi/counters";
import { P2M_ACCESS_N, P2M_INVALID } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { Domain } from "../domain";
import { INVALID_MFN } from "../p2m/entry";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { p2mSet } from "../p2m/set";
import { P2mType } from "../p2m/types";
import { unshare } from "./unshare";

/** Work of a shared page and of any other, and how much of it one call does. */
const SHARED_WEIGHT: u32 = 16;
const WORK_PER_CALL: u32 = 0x2000;

/** False when the call is to be made again: there are more pages to look at. */
export function relinquishShared(d: Domain): bool {
  let work: u32 = 0;
  P2m.lock(d);
  while (d.sharedPages != 0 && d.unshareNext <= d.p2mMaxMapped && work < WORK_PER_CALL) {
    const gfn = d.unshareNext;
    const type = p2mLookup(d, gfn);
    Count.one(CTR_LOOP_STEPS);
    if (P2mType.isShared(type)) {
      unshare(d, gfn, true);
      // So that nobody unshares it again.
      p2mSet(d, gfn, INVALID_MFN, 0, P2M_INVALID, P2M_ACCESS_N);
      work += SHARED_WEIGHT;
      d.unshareNext = gfn + 1;
    } else {
      const block = (<u64>1) << d.lookupOrder; // no part of a superpage or a large hole is shared
      d.unshareNext = (gfn & ~(block - 1)) + block;
      work++;
    }
  }
  const isDone = d.sharedPages == 0 || d.unshareNext > d.p2mMaxMapped;
  P2m.unlock(d);
  return isDone;
}
