/** Splits a superpage into 512 leaves of the next size that say the same (spec 01 section 1.6). Caller holds the p2m lock. */
import { CTR_P2M_SPLITS } from "../../abi/counters";
import { ENOMEM, OK } from "../../abi/errno";
import { Count } from "../../base/counters";
import { EPTE_EMT_MASK, EPTE_RECALC, EPTE_SVE, Epte } from "../../base/epte";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { INVALID_MFN, P2mEntry } from "./entry";
import { tableAlloc } from "./tables";

/**
 * Replaces the leaf `index` of `table` (of `level`, 2 or 3) by a table. A pending recalculation passes to every child; the memory
 * type too, because what held for all holds for each. Rights are made anew: they may depend on the size.
 *
 * @param gfn any gfn that the leaf maps.
 * @returns OK, or -ENOMEM: nothing has changed then.
 */
export function splitLeaf(d: Domain, table: u32, index: u32, level: u32, gfn: u64): i32 {
  const parent = P2mEntry.read(table, index);
  const child = tableAlloc(d);
  if (child == 0) return -ENOMEM;
  const order: u64 = 9 * (level - 2);
  const first = (gfn >> (order + 9)) << (order + 9);
  const inherited = parent & (EPTE_RECALC | EPTE_EMT_MASK);
  const mfn = Epte.mfn(parent);
  const base = Frame.host(child);
  for (let i: u64 = 0; i < 512; i++) {
    const childMfn = mfn == INVALID_MFN ? INVALID_MFN : mfn + <u32>(i << order);
    let entry = P2mEntry.leaf(
      d,
      first + (i << order),
      childMfn,
      level - 1,
      Epte.type(parent),
      Epte.access(parent),
      parent & EPTE_SVE,
    );
    if (Epte.isPresent(entry)) entry = (entry & ~EPTE_EMT_MASK) | inherited;
    store<u64>(base + ((<usize>i) << 3), entry);
  }
  Count.one(CTR_P2M_SPLITS);
  P2mEntry.write(d, table, index, P2mEntry.table(child), first, <u32>order + 9);
  return OK;
}
