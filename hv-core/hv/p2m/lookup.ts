/**
 * gfn -> (mfn, type, access), without changing anything (spec 01 section 1.5, "ept get_entry").
 * The answer stands in the domain's lookup fields until the next lookup. Next: p2m/set.ts.
 */
import { KNOB_LEAF_READ, LEAF_READ_TWICE } from "../../abi/knobs";
import { P2M_ACCESS_N, P2M_MMIO_DM, P2M_POPULATE_ON_DEMAND } from "../../abi/p2m-types";
import { W_ENTRY_NOT_PRESENT } from "../../abi/windows";
import { EPTE_RECALC, Epte } from "../../base/epte";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { EMPTY_ENTRY, INVALID_MFN, P2mEntry } from "./entry";
import { recalcType } from "./recalc-type";

/** gfns that four levels can translate. */
export const P2M_GFN_LIMIT: u64 = (<u64>1) << 36;

function answer(d: Domain, mfn: u32, type: u32, access: u32, order: u32): u32 {
  d.lookupMfn = mfn;
  d.lookupType = type;
  d.lookupAccess = access;
  d.lookupOrder = order;
  return type;
}

/** A hole: emulated memory, no rights, known to be so for 2^order pages. */
function hole(d: Domain, order: u32): u32 {
  return answer(d, INVALID_MFN, P2M_MMIO_DM, P2M_ACCESS_N, order);
}

/** Above everything ever mapped: the largest block that lies wholly there. */
function holeAbove(d: Domain, gfn: u64): u32 {
  let order: u32 = 27;
  while (order != 0 && (gfn >> order) << order <= d.p2mMaxMapped) order -= 9;
  return hole(d, order);
}

/**
 * One read: whoever looks without the lock must draw all conclusions from the same value. Variant C-25: before e28218a339 an entry that
 * was not present was read again, to see whether its memory is still to come; by then it may have come.
 */
function readLeaf(table: u32, index: u32): u64 {
  const leaf = P2mEntry.read(table, index);
  if (!Variant.is(KNOB_LEAF_READ, LEAF_READ_TWICE) || Epte.isPresent(leaf)) return leaf;
  Window.at(W_ENTRY_NOT_PRESENT, Frame.host(table) + ((<usize>index) << 3), ACCESS_READ);
  const again = P2mEntry.read(table, index);
  return Epte.type(again) == <u32>P2M_POPULATE_ON_DEMAND ? again : EMPTY_ENTRY;
}

/** First gfn behind the block that the last lookup, of `gfn`, has spoken for: a way over a map that does not count its holes. */
export function lookupNext(d: Domain, gfn: u64): u64 {
  return ((gfn >> d.lookupOrder) + 1) << d.lookupOrder;
}

/** @returns the type; d.lookupMfn (INVALID_MFN = none), lookupAccess and lookupOrder go with it. */
export function p2mLookup(d: Domain, gfn: u64): u32 {
  if (gfn > d.p2mMaxMapped) return holeAbove(d, gfn);
  if (gfn >= P2M_GFN_LIMIT || d.p2mRoot == 0) return hole(d, 0);
  let table = d.p2mRoot;
  let stale: u64 = 0;
  let level: u32 = 4;
  while (level > 1) {
    const entry = P2mEntry.read(table, P2mEntry.index(gfn, level));
    stale |= entry;
    const order = 9 * (level - 1);
    if (Epte.isLeafBit(entry)) {
      if (!P2mEntry.isValid(entry)) return hole(d, order);
      const type = recalcType(d, (stale & EPTE_RECALC) != 0, Epte.type(entry), gfn);
      const inside = <u32>gfn & ((1 << order) - 1);
      const first = Epte.mfn(entry);
      return answer(d, first == INVALID_MFN ? first : first + inside, type, Epte.access(entry), order);
    }
    if (!Epte.isPresent(entry)) return hole(d, order);
    table = Epte.mfn(entry);
    level--;
  }
  const leaf = readLeaf(table, P2mEntry.index(gfn, 1));
  if (!P2mEntry.isValid(leaf)) return hole(d, 0);
  stale |= leaf;
  const mfn = Epte.mfn(leaf);
  const type = recalcType(d, (stale & EPTE_RECALC) != 0, Epte.type(leaf), gfn);
  return answer(d, mfn, type, Epte.access(leaf), 0);
}
