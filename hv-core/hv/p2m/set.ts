/**
 * Changes p2m entries (spec 01 section 1.6): pieces of the largest possible size, superpages split on the way down, one 64-bit
 * store at the end. Caller holds the p2m lock (p2m/p2m.ts takes it); TLBs are flushed when it is let go, or earlier when something goes
 * back that a stale translation could still reach.
 */
import { EBUSY, EINVAL, ENOMEM, OK } from "../../abi/errno";
import { IO_RACE_EARLY_COUNT, IO_RACE_LOST_COUNT, KNOB_IO_RACE, KNOB_P2M_SUPERPAGES } from "../../abi/knobs";
import {
  P2M_INVALID,
  P2M_IOREQ_SERVER,
  P2M_MAP_FOREIGN,
  P2M_MMIO_DIRECT,
  P2M_POPULATE_ON_DEMAND,
} from "../../abi/p2m-types";
import { W_IO_ZAPPED } from "../../abi/windows";
import { EPTE_SVE, Epte } from "../../base/epte";
import { Lock } from "../../base/lock";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { getPage, putPage } from "../../mem/allocator";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { ioMapping, ioUnmapped } from "../iocap/hooks";
import { MM_P2M, MmLock } from "../mm-lock";
import { EMPTY_ENTRY, INVALID_MFN, P2mEntry } from "./entry";
import { p2mFlushNow } from "./flush";
import { P2M_GFN_LIMIT } from "./lookup";
import { resolveMisconfig } from "./resolve";
import { splitLeaf } from "./split";
import { assertFlushed, tableAlloc, tableFreeTree } from "./tables";
import { P2mType } from "./types";

/** Largest request: 2^20 pages. */
const MAX_ORDER: u32 = 20;

/**
 * Keeps the counts of special entries, and the reference of a foreign one. `old` is a leaf or empty; `type` is P2M_INVALID for a slot
 * that becomes empty. @returns OK; -EBUSY when the foreign frame is gone; -EPERM, -ENOMEM or -EOVERFLOW from the I/O accountant.
 */
function account(d: Domain, old: u64, mfn: u32, type: u32, order: u32): i32 {
  const hadType = P2mEntry.isValid(old) ? Epte.type(old) : <u32>P2M_INVALID;
  if (hadType == type && Epte.mfn(old) == mfn) return OK;
  if (type == <u32>P2M_MMIO_DIRECT && mfn != INVALID_MFN) {
    const refused = ioMapping(d, mfn, order);
    if (refused != OK) return refused;
  }
  if (type == <u32>P2M_MAP_FOREIGN) {
    if (!getPage(mfn)) return -EBUSY;
    d.p2mForeignEntries++;
  }
  if (type == <u32>P2M_IOREQ_SERVER) d.p2mIoreqEntries++;
  if (hadType == <u32>P2M_IOREQ_SERVER) d.p2mIoreqEntries--;
  if (type == <u32>P2M_POPULATE_ON_DEMAND) d.podEntries += (<u64>1) << order;
  if (hadType == <u32>P2M_POPULATE_ON_DEMAND) d.podEntries -= (<u64>1) << order;
  return OK;
}

/** One leaf of 2^order pages, order 0, 9 or 18. */
function setLeaf(d: Domain, gfn: u64, mfn: u32, order: u32, type: u32, access: u32): i32 {
  const target: u32 = order / 9 + 1;
  const isEmpty = mfn == INVALID_MFN && !P2mType.allowsInvalidMfn(type);
  const resolved = resolveMisconfig(d, gfn);
  if (resolved < 0) return resolved;
  let table = d.p2mRoot;
  let level: u32 = 4;
  while (level > target) {
    const index = P2mEntry.index(gfn, level);
    let entry = P2mEntry.read(table, index);
    if (Epte.isLeafBit(entry)) {
      const error = splitLeaf(d, table, index, level, gfn);
      if (error != OK) return error;
      entry = P2mEntry.read(table, index);
    } else if (!Epte.isPresent(entry)) {
      if (isEmpty) return OK; // nothing was there
      const child = tableAlloc(d);
      if (child == 0) return -ENOMEM;
      entry = P2mEntry.table(child);
      store<u64>(Frame.host(table) + ((<usize>index) << 3), entry);
    }
    table = Epte.mfn(entry);
    level--;
  }

  const index = P2mEntry.index(gfn, level);
  const old = P2mEntry.read(table, index);
  const isTable = level > 1 && Epte.isPresent(old) && !Epte.isLeafBit(old);
  const suppressVe = P2mEntry.isValid(old) ? old & EPTE_SVE : EMPTY_ENTRY;
  const entry = P2mEntry.leaf(d, gfn, mfn, level, type, access, suppressVe);
  const error = account(d, isTable ? EMPTY_ENTRY : old, mfn, isEmpty ? <u32>P2M_INVALID : type, order);
  if (error != OK) return error;
  if (entry == old) return OK;
  P2mEntry.write(d, table, index, entry, gfn, order);
  const last = gfn + ((<u64>1) << order) - 1;
  if (!isEmpty && type != <u32>P2M_INVALID && last > d.p2mMaxMapped) d.p2mMaxMapped = last;
  if (Epte.isPresent(old)) d.p2mNeedFlush = 1;
  if (isTable) {
    p2mFlushNow(d);
    tableFreeTree(d, Epte.mfn(old), level - 1);
  } else {
    if (level == 1) releaseOld(d, old, entry);
    releaseDevice(d, old, entry, order);
  }
  return OK;
}

/** A mapping of a device is counted until every processor has dropped it: only then may somebody else be given the frame. */
function releaseDevice(d: Domain, old: u64, entry: u64, order: u32): void {
  if (!P2mEntry.isValid(old) || Epte.type(old) != <u32>P2M_MMIO_DIRECT || Epte.mfn(old) == INVALID_MFN) return;
  if (P2mEntry.isValid(entry) && Epte.type(entry) == <u32>P2M_MMIO_DIRECT && Epte.mfn(entry) == Epte.mfn(old)) return;
  if (!Variant.is(KNOB_IO_RACE, IO_RACE_EARLY_COUNT)) p2mFlushNow(d);
  Window.at(W_IO_ZAPPED, changetype<usize>(d), ACCESS_WRITE);
  // Variant: the mapping is gone, so nothing is held any more while the count is lowered.
  const isLate = Variant.is(KNOB_IO_RACE, IO_RACE_LOST_COUNT);
  if (isLate) Lock.release(MmLock.word(d, MM_P2M));
  ioUnmapped(d, Epte.mfn(old), order);
  if (isLate) MmLock.acquire(d, MM_P2M);
}

/** A foreign frame's reference goes when its mapping is out of every TLB. */
function releaseOld(d: Domain, old: u64, entry: u64): void {
  if (!P2mEntry.isValid(old) || Epte.type(old) != <u32>P2M_MAP_FOREIGN) return;
  if (Epte.type(entry) == <u32>P2M_MAP_FOREIGN && Epte.mfn(entry) == Epte.mfn(old)) return;
  p2mFlushNow(d);
  assertFlushed(d);
  d.p2mForeignEntries--;
  putPage(Epte.mfn(old));
}

/** Order of the next piece: the largest leaf size that fits gfn, mfn and what is left. */
function pieceOrder(gfn: u64, mfn: u32, left: u64, type: u32): u32 {
  if (Knobs.get(KNOB_P2M_SUPERPAGES) == 0 || type == <u32>P2M_IOREQ_SERVER || type == <u32>P2M_MAP_FOREIGN) return 0;
  const bits = gfn | (mfn == INVALID_MFN ? 0 : <u64>mfn);
  if ((bits & 0x3_ffff) == 0 && left >= 0x4_0000) return 18;
  if ((bits & 511) == 0 && left >= 512) return 9;
  return 0;
}

/**
 * Maps 2^order pages from `gfn` to `mfn` on (INVALID_MFN with a hole type unmaps them).
 *
 * @returns OK; -EINVAL (beyond four levels, or the domain is dead), -ENOMEM (no table), -EBUSY (foreign frame is gone). A piece that fails
 * does not stop the others; the last error is returned, so success may be partial.
 */
export function p2mSet(d: Domain, gfn: u64, mfn: u32, order: u32, type: u32, access: u32): i32 {
  if (order > MAX_ORDER || d.p2mRoot == 0) return -EINVAL;
  const count = (<u64>1) << order;
  if (gfn >= P2M_GFN_LIMIT || count > P2M_GFN_LIMIT - gfn) return -EINVAL;
  let result: i32 = OK;
  let left = count;
  while (left != 0) {
    const piece = pieceOrder(gfn, mfn, left, type);
    const error = setLeaf(d, gfn, mfn, piece, type, access);
    if (error != OK) result = error;
    const done = (<u64>1) << piece;
    gfn += done;
    if (mfn != INVALID_MFN) mfn += <u32>done;
    left -= done;
  }
  return result;
}
