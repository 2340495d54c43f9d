/**
 * EPT tables as frames: taken from the domain's paging pool, given back with everything below them. The bitmap of dirty pages
 * (hv/logdirty/bitmap.ts) takes its frames here too.
 */
import { P2M_IOREQ_SERVER, P2M_MAP_FOREIGN } from "../../abi/p2m-types";
import { Epte } from "../../base/epte";
import { allocFrame, freeFrame, putPage } from "../../mem/allocator";
import { FRAME_TABLE, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { EMPTY_ENTRY, P2mEntry } from "./entry";

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

/** A level-1 entry goes with its table: the counts stay exact, and a foreign frame loses its reference. */
function forgetEntry(d: Domain, entry: u64): void {
  if (!P2mEntry.isValid(entry)) return;
  const type = Epte.type(entry);
  if (type == <u32>P2M_IOREQ_SERVER) {
    d.p2mIoreqEntries--;
  } else if (type == <u32>P2M_MAP_FOREIGN) {
    d.p2mForeignEntries--;
    putPage(Epte.mfn(entry));
  }
}

/**
 * Gives back the table `mfn` of `level` and every table below it. References held by foreign mappings go with them; RAM frames
 * stay, their owner still has them. The caller has flushed the TLBs.
 */
export function tableFreeTree(d: Domain, mfn: u32, level: u32): void {
  for (let i: u32 = 0; i < 512; i++) {
    const entry = P2mEntry.read(mfn, i);
    if (level == 1) {
      forgetEntry(d, entry);
    } else if (Epte.isPresent(entry) && !Epte.isLeafBit(entry)) {
      tableFreeTree(d, Epte.mfn(entry), level - 1);
    }
  }
  poolFree(d, mfn);
}
