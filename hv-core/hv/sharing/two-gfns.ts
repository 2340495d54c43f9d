/**
 * The p2m locks of two gfns: ascending domain id, then gfn, whatever the order in which they were named. Two callers that name them the
 * other way round would otherwise wait for each other (C-56). One p2m has one lock, so two gfns of a domain take it twice.
 */
import { KNOB_SHARING_DEFECTS, SHARING_DEFECT_NAMED_ORDER } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { P2m } from "../p2m/p2m";

/** Whether a defect of sharing's history is put back. */
export function hasSharingDefect(defect: u32): bool {
  return isDefined(VARIANTS) ? (Knobs.get(KNOB_SHARING_DEFECTS) & defect) != 0 : false;
}

export class TwoGfns {
  static isFirst(a: Domain, aGfn: u64, b: Domain, bGfn: u64): bool {
    if (hasSharingDefect(SHARING_DEFECT_NAMED_ORDER)) return true;
    return a.domid < b.domid || (a.domid == b.domid && aGfn <= bGfn);
  }

  static lock(a: Domain, aGfn: u64, b: Domain, bGfn: u64): void {
    const aFirst = TwoGfns.isFirst(a, aGfn, b, bGfn);
    P2m.lock(aFirst ? a : b);
    P2m.lock(aFirst ? b : a);
  }

  static unlock(a: Domain, aGfn: u64, b: Domain, bGfn: u64): void {
    const aFirst = TwoGfns.isFirst(a, aGfn, b, bGfn);
    P2m.unlock(aFirst ? b : a);
    P2m.unlock(aFirst ? a : b);
  }
}
