/**
 * Forced revocation: the mappings of a domain that name certain frames go. Each entry is cleared, the domain's processors are told to flush and
 * have acknowledged, and only then does the count fall (p2m/set.ts): a new holder never meets a stale translation of the old one.
 */
import { OK } from "../../abi/errno";
import { P2M_MMIO_DIRECT } from "../../abi/p2m-types";
import { Epte } from "../../base/epte";
import { Domain } from "../domain";
import { P2mEntry } from "../p2m/entry";
import { INVALID_MFN, P2m } from "../p2m/p2m";

/** The pages of one leaf that name frames start..end. A superpage that cannot be split, for want of a table, goes as a whole. */
function takeLeaf(d: Domain, entry: u64, gfn: u64, order: u32, start: u64, end: u64): void {
  const mfn = <u64>Epte.mfn(entry);
  const size = (<u64>1) << order;
  if (Epte.type(entry) != <u32>P2M_MMIO_DIRECT || mfn == <u64>INVALID_MFN || mfn > end || mfn + size - 1 < start)
    return;
  const from = max<u64>(mfn, start) - mfn;
  const to = min<u64>(mfn + size - 1, end) - mfn;
  const isWhole = from == 0 && to == size - 1;
  for (let i = from; i <= to && !isWhole; i++) {
    if (P2m.clear(d, gfn + i, 0) == OK) continue;
    P2m.clear(d, gfn, order);
    return;
  }
  if (isWhole) P2m.clear(d, gfn, order);
}

function takeBelow(d: Domain, table: u32, level: u32, base: u64, start: u64, end: u64): void {
  for (let i: u32 = 0; i < 512; i++) {
    const entry = P2mEntry.read(table, i);
    if (!P2mEntry.isValid(entry)) continue;
    const order = 9 * (level - 1);
    const gfn = base + ((<u64>i) << order);
    if (level == 1 || Epte.isLeafBit(entry)) takeLeaf(d, entry, gfn, order, start, end);
    else if (Epte.isPresent(entry)) takeBelow(d, Epte.mfn(entry), level - 1, gfn, start, end);
  }
}

/** Takes every mapping of frames start..end away from the domain. */
export function takeMappings(d: Domain, start: u64, end: u64): void {
  if (d.p2mRoot == 0) return;
  P2m.lock(d);
  takeBelow(d, d.p2mRoot, 4, 0, start, end);
  P2m.unlock(d);
}
