/**
 * The p2m locks of two gfns: ascending domain id (isLockedBefore), then gfn, whatever the order in which they were named. Two callers that name them the
 * other way round would otherwise wait for each other (C-56). One p2m has one lock, so two gfns of a domain take it twice.
 */
import { AS_FIXED, KNOB_SHARING_DEFECTS, KNOB_SHARING_FORK_ORDER, SHARING_DEFECT_NAMED_ORDER } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { P2m } from "../p2m/p2m";

/** Whether a defect of sharing's history is put back. */
export function hasSharingDefect(defect: u32): bool {
  return isDefined(VARIANTS) ? (Knobs.get(KNOB_SHARING_DEFECTS) & defect) != 0 : false;
}

/** How many domains `d` is a fork of, one after the other. */
function depth(d: Domain): u32 {
  let count: u32 = 0;
  while (d.forkParent != 0) {
    d = Domain.at(d.forkParent - 1);
    count++;
  }
  return count;
}

/**
 * Whether the p2m lock of `a` is taken before that of `b`, another domain: in the order of their ids. A fork that touches a page it does not
 * have takes its ancestor's lock on top of its own, so with sharing.forkOrder=fixed forks come before what they are forks of.
 */
export function isLockedBefore(a: Domain, b: Domain): bool {
  if (Knobs.get(KNOB_SHARING_FORK_ORDER) == <u32>AS_FIXED) {
    const depthA = depth(a);
    const depthB = depth(b);
    if (depthA != depthB) return depthA > depthB;
  }
  return a.domid < b.domid;
}

export class TwoGfns {
  static isFirst(a: Domain, aGfn: u64, b: Domain, bGfn: u64): bool {
    if (hasSharingDefect(SHARING_DEFECT_NAMED_ORDER)) return true;
    return isLockedBefore(a, b) || (a.slot == b.slot && aGfn <= bGfn);
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
