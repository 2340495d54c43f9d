/**
 * Invariants of a p2m (spec 01 section 1.10), checked over the whole map. For tests and debug builds: nothing in a shipped build
 * calls it. The answer has bit n - 1 set for a broken P-n, so that a test can say which ones a known bug breaks.
 *
 * P-10, the order of locks, is an assert where they are taken (hv/mm-lock.ts); from
 * here one sees that nobody has forgotten one.
 */
import { EMT_INVALID } from "../../abi/ept";
import { P2M_IOREQ_SERVER, P2M_MAP_FOREIGN, P2M_MMIO_DM, P2M_POPULATE_ON_DEMAND } from "../../abi/p2m-types";
import { EPTE_RECALC, EPTE_RWX, Epte } from "../../base/epte";
import { DENY_SUPER_WRITE, DENY_USER_WRITE, TLB_EMPTY, Tlb } from "../../hw/tlb";
import {
  FRAME_FREE,
  FRAME_TABLE,
  Frame,
  INVALID_M2P,
  OWNER_COW,
  PAGE_TYPE_SHARED,
  SHARED_M2P,
} from "../../mem/frame-table";
import { Domain, NO_SERVER } from "../domain";
import { Scratch } from "../hypercall/guest-copy";
import { logDirtyIsMarked } from "../logdirty/bitmap";
import { pmlHasLogged } from "../logdirty/pml";
import { Vcpu } from "../vcpu";
import { INVALID_MFN, P2mEntry } from "./entry";
import { P2mType } from "./types";

const P1: u32 = 1 << 0;
const P2: u32 = 1 << 1;
const P3: u32 = 1 << 2;
const P4: u32 = 1 << 3;
const P5: u32 = 1 << 4;
const P6: u32 = 1 << 5;
const P7: u32 = 1 << 6;
const P8: u32 = 1 << 7;
const P9: u32 = 1 << 8;
const P10: u32 = 1 << 9;
const P11: u32 = 1 << 10;
/** Not in the spec: the pool's count is the tables and bitmap frames that exist; podEntries is the entries that promise memory. */
const POOL: u32 = 1 << 11;
const PROMISES: u32 = 1 << 12;

/** What one walk over the map counts. */
@unmanaged
class Census {
  tables: u64;
  ioreqServer: u64;
  foreign: u64;
  promised: u64;
  broken: u32;
  private _pad: u32;

  @inline static get(): Census {
    return changetype<Census>(Scratch.at);
  }
}

/** Tables in the tree under the table `mfn` of `level`, itself included. */
export function p2mTablesBelow(mfn: u32, level: u32): u32 {
  let count: u32 = 1;
  for (let i: u32 = 0; i < 512 && level > 1; i++) {
    const entry = P2mEntry.read(mfn, i);
    if (Epte.isPresent(entry) && !Epte.isLeafBit(entry)) count += p2mTablesBelow(Epte.mfn(entry), level - 1);
  }
  return count;
}

function isFree(mfn: u32): bool {
  return Frame.isValid(mfn) && (Frame.at(mfn).flags & (FRAME_FREE | FRAME_TABLE)) != 0;
}

/** A leaf with rights. `pending`: it or something above it is invalid and waits for recalculation. */
function checkPresent(d: Domain, census: Census, entry: u64, level: u32, isPending: bool): void {
  const type = Epte.type(entry);
  const emt = Epte.emt(entry);
  if (emt == 2 || emt == 3 || emt > <u32>EMT_INVALID) census.broken |= P1;
  if ((entry & EPTE_RECALC) != 0 && emt != <u32>EMT_INVALID) census.broken |= P1;
  if (!isPending) {
    const rights = P2mEntry.rights(d, level, type, Epte.access(entry), Epte.mfn(entry));
    const isServerless = type == <u32>P2M_IOREQ_SERVER && d.p2mIoreqServer == NO_SERVER;
    if (isServerless) census.broken |= P11;
    else if ((entry & EPTE_RWX) != rights) census.broken |= P2;
  }
  if (isFree(Epte.mfn(entry))) census.broken |= P6;
}

function checkOwner(d: Domain, census: Census, entry: u64, gfn: u64): void {
  const mfn = Epte.mfn(entry);
  if (!P2mType.isRam(Epte.type(entry)) || !Frame.isValid(mfn)) return;
  const frame = Frame.at(mfn);
  if (frame.owner == d.slot && frame.m2p != INVALID_M2P && frame.m2p != gfn) census.broken |= P5;
}

/** P-4: an entry says ram_shared, its frame belongs to nobody's memory, M2P says SHARED and the page type says shared: all or none. */
function checkShared(census: Census, entry: u64): void {
  const type = Epte.type(entry);
  const mfn = Epte.mfn(entry);
  if (!P2mType.isRam(type) || !Frame.isValid(mfn)) return;
  const isShared = P2mType.isShared(type);
  const frame = Frame.at(mfn);
  if ((frame.owner == <u16>OWNER_COW) != isShared) census.broken |= P4;
  if ((frame.m2p == SHARED_M2P) != isShared) census.broken |= P4;
  if ((frame.pageType == PAGE_TYPE_SHARED) != isShared) census.broken |= P4;
}

function checkLeaf(d: Domain, census: Census, entry: u64, level: u32, gfn: u64, isPending: bool): void {
  const type = Epte.type(entry);
  const size = (<u64>1) << (9 * (level - 1));
  if (type == <u32>P2M_IOREQ_SERVER) census.ioreqServer++;
  if (type == <u32>P2M_MAP_FOREIGN) census.foreign++;
  if (type == <u32>P2M_POPULATE_ON_DEMAND) census.promised += size;
  if (level > 1 && (type == <u32>P2M_IOREQ_SERVER || type == <u32>P2M_MAP_FOREIGN)) census.broken |= P8;
  if (gfn + size - 1 > d.p2mMaxMapped) census.broken |= P9;
  if (level == 1) checkShared(census, entry);
  if (Epte.isPresent(entry)) checkPresent(d, census, entry, level, isPending);
  if (Epte.mfn(entry) != INVALID_MFN && type != <u32>P2M_MMIO_DM) checkOwner(d, census, entry, gfn);
}

function walk(d: Domain, census: Census, table: u32, level: u32, base: u64, isPending: bool): void {
  census.tables++;
  if (!Frame.isValid(table) || (Frame.at(table).flags & FRAME_TABLE) == 0) {
    census.broken |= P6;
    return;
  }
  for (let i: u32 = 0; i < 512; i++) {
    const entry = P2mEntry.read(table, i);
    if (!P2mEntry.isValid(entry)) continue;
    const gfn = base + ((<u64>i) << (9 * (level - 1)));
    const pending = isPending || Epte.isInvalidated(entry);
    if (level == 1 || Epte.isLeafBit(entry)) checkLeaf(d, census, entry, level, gfn, pending);
    else if (Epte.isPresent(entry)) walk(d, census, Epte.mfn(entry), level - 1, gfn, pending);
  }
}

function isKnownDirty(d: Domain, gfn: u64): bool {
  return logDirtyIsMarked(d, gfn) || pmlHasLogged(d, gfn);
}

/** A processor may still write a page of the domain without an exit: then the page must be known as dirty. */
function checkCached(d: Domain, c: Vcpu): u32 {
  let broken: u32 = 0;
  const denied = DENY_SUPER_WRITE | DENY_USER_WRITE;
  for (let i: u32 = 0; i <= c.cpu.tlbMask; i++) {
    const e = Tlb.at(c.cpu, i);
    if (e.tag == TLB_EMPTY) continue;
    const mfn = Tlb.mfn(e);
    if (isFree(mfn)) broken |= P6;
    if (d.logDirtyMode == 0 || (e.tag & denied) == denied || !Frame.isValid(mfn)) continue;
    const frame = Frame.at(mfn);
    if (frame.owner == d.slot && frame.m2p != INVALID_M2P && !isKnownDirty(d, frame.m2p)) broken |= P7;
  }
  return broken;
}

/** @returns the broken invariants, 0 = none. Nothing may be going on in the domain. */
export function p2mCheck(d: Domain): u32 {
  if (d.p2mRoot == 0) return 0;
  const census = Census.get();
  memory.fill(changetype<usize>(census), 0, offsetof<Census>());
  walk(d, census, d.p2mRoot, 4, 0, false);
  let broken = census.broken;
  if (census.ioreqServer != d.p2mIoreqEntries || census.foreign != d.p2mForeignEntries) broken |= P3;
  if (census.tables + d.logDirtyFrames != <u64>d.p2mTables) broken |= POOL;
  if (census.promised != d.podEntries) broken |= PROMISES;
  for (let id: u32 = 0; id < d.vcpuCount; id++) broken |= checkCached(d, Vcpu.at(d.firstVcpu + id));
  if ((d.p2mLock | d.podLock | d.pagingLock) != 0 || d.p2mNeedFlush != 0) broken |= P10;
  return broken;
}
