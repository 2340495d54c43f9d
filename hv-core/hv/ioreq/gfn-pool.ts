/**
 * Which guest frames the pages of ioreq servers take in gfn mode (spec 03 section 3.1): first the pool that starts at
 * HVM_PARAM_IOREQ_SERVER_PFN and has HVM_PARAM_NR_IOREQ_SERVER_PAGES frames, then the two legacy parameters.
 */
import {
  HVM_PARAM_BUFIOREQ_PFN,
  HVM_PARAM_IOREQ_PFN,
  HVM_PARAM_IOREQ_SERVER_PFN,
  HVM_PARAM_NR_IOREQ_SERVER_PAGES,
} from "../../abi/hypercalls";
import { Domain } from "../domain";
import { GFN_FROM_PARAM, GFN_FROM_POOL, IoreqPage, NO_GFN } from "./server";

/** Chooses a gfn for `page`. False when every one is in use. */
export function ioreqGfnTake(d: Domain, page: IoreqPage): bool {
  let pages = d.param(HVM_PARAM_NR_IOREQ_SERVER_PAGES);
  if (pages > 64) pages = 64;
  for (let i: u64 = 0; i < pages; i++) {
    if ((d.ioreqGfnUsed >> i) & 1) continue;
    d.ioreqGfnUsed |= (<u64>1) << i;
    page.gfn = d.param(HVM_PARAM_IOREQ_SERVER_PFN) + i;
    page.source = GFN_FROM_POOL;
    return true;
  }
  for (let i: u32 = HVM_PARAM_IOREQ_PFN; i <= <u32>HVM_PARAM_BUFIOREQ_PFN; i++) {
    // A parameter that was never set yields gfn 0, again and again: recorded on Xen 4.17.
    const isSet = d.param(i) != 0;
    if (isSet && (d.ioreqLegacyMask >> i) & 1) continue;
    if (isSet) d.ioreqLegacyMask |= 1 << i;
    page.gfn = d.param(i);
    page.source = GFN_FROM_PARAM;
    return true;
  }
  return false;
}

/** Gives the gfn of `page` back. */
export function ioreqGfnPut(d: Domain, page: IoreqPage): void {
  const gfn = page.gfn;
  if (page.source == GFN_FROM_POOL) {
    const bit = gfn - d.param(HVM_PARAM_IOREQ_SERVER_PFN);
    if (bit < 64) d.ioreqGfnUsed &= ~((<u64>1) << bit);
  } else if (page.source == GFN_FROM_PARAM) {
    for (let i: u32 = HVM_PARAM_IOREQ_PFN; i <= <u32>HVM_PARAM_BUFIOREQ_PFN; i++) {
      if (gfn == d.param(i)) d.ioreqLegacyMask &= ~(1 << i);
    }
  }
  page.gfn = NO_GFN;
  page.source = 0;
}
