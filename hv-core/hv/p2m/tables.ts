/**
 * EPT tables as frames: taken from the domain's paging pool, given back with everything below them. The bitmap of dirty pages
 * (hv/logdirty/bitmap.ts) takes its frames here too.
 */
import { P2M_IOREQ_SERVER, P2M_MAP_FOREIGN, P2M_MMIO_DIRECT, P2M_POPULATE_ON_DEMAND } from "../../abi/p2m-types";
import { Hv } from "../../base/assert";
import { Epte } from "../../base/epte";
import { allocFrame, freeFrame, putPage } from "../../mem/allocator";
import { FRAME_TABLE, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { ioUnmapped } from "../iocap/hooks";
import { EMPTY_ENTRY, INVALID_MFN, P2mEntry } from "./entry";

const SITE_FLUSH_DUE: u32 = 17;

/** A frame of zeroes from the paging pool, 0 when the pool or the machine has none left. */
export function poolAlloc(d: Domain): u32 {
  if (d.p2mTables >= d.pagingPool) return 0;
  const mfn = allocFrame(d.slot, FRAME_TABLE);
  if (mfn != 0) d.p2mTables++;
  return mfn;
}

/** A new empty table, 0 when there is no frame for it. */
export function tableAlloc(d: Domain): u32 {
  const mfn = poolAlloc(d);
  if (mfn == 0) return 0;
  const base = Frame.host(mfn);
  for (let at: usize = 0; at < 4096; at += 8) store<u64>(base + at, EMPTY_ENTRY);
  return mfn;
}

export function poolFree(d: Domain, mfn: u32): void {
  d.p2mTables--;
  freeFrame(mfn);
}

/** Nothing may go back that a translation still leads to: the flush must not wait for the lock to be let go (XSA-480). */
export function assertFlushed(d: Domain): void {
  Hv.assert(d.p2mNeedFlush == 0, SITE_FLUSH_DUE);
}

/** A leaf goes with its table: the counts stay exact, and a foreign frame loses its reference. */
function forgetLeaf(d: Domain, entry: u64, level: u32): void {
  switch (Epte.type(entry)) {
    case P2M_IOREQ_SERVER:
      d.p2mIoreqEntries--;
      break;
    case P2M_MAP_FOREIGN:
      d.p2mForeignEntries--;
      putPage(Epte.mfn(entry));
      break;
    case P2M_MMIO_DIRECT:
      if (Epte.mfn(entry) != INVALID_MFN) ioUnmapped(d, Epte.mfn(entry), 9 * (level - 1));
      break;
    case P2M_POPULATE_ON_DEMAND:
      d.podEntries -= (<u64>1) << (9 * (level - 1));
      break;
    default:
      break;
  }
}

/**
 * Gives back the table `mfn` of `level` and every table below it. References held by foreign mappings go with them; RAM frames
 * stay, their owner still has them. The caller has flushed the TLBs.
 */
export function tableFreeTree(d: Domain, mfn: u32, level: u32): void {
  assertFlushed(d);
  for (let i: u32 = 0; i < 512; i++) {
    const entry = P2mEntry.read(mfn, i);
    if (!P2mEntry.isValid(entry)) continue;
    if (level == 1 || Epte.isLeafBit(entry)) forgetLeaf(d, entry, level);
    else if (Epte.isPresent(entry)) tableFreeTree(d, Epte.mfn(entry), level - 1);
  }
  poolFree(d, mfn);
}
