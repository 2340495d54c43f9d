/**
 * Changes of many types at once (spec 01 section 1.7). None of them looks at every page: they make entries invalid, as high up as
 * possible, and p2m/resolve.ts does the work page by page when somebody touches it. Called through P2m (p2m/p2m.ts), which holds
 * the lock.
 */
import { CRASH_NO_TABLE } from "../../abi/crash";
import { ENOMEM, OK } from "../../abi/errno";
import { P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { EPTE_RECALC, Epte } from "../../base/epte";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { RANGES_UNLIMITED, Rangeset } from "../iocap/rangeset";
import { P2mEntry } from "./entry";
import { MemoryType } from "./memory-type";
import { invalidateEntry, invalidateSubtree, resolveMisconfig } from "./resolve";
import { splitLeaf } from "./split";

/** The whole map is to be recomputed: 512 entries are touched, whatever its size. */
function invalidateAll(d: Domain, recalc: u64): void {
  if (d.p2mRoot != 0 && invalidateSubtree(d.p2mRoot, recalc)) d.p2mNeedFlush = 1;
}

/**
 * Every changeable entry is recomputed at its next touch. `from` != `to` also says what RAM becomes then: tracked or not; equal
 * types (ram_rw both) only ask for the recomputation.
 */
export function p2mChangeEntryTypeGlobal(d: Domain, from: u32, to: u32): void {
  invalidateAll(d, EPTE_RECALC);
  if (from != to) d.p2mGlobalLogDirty = to == <u32>P2M_RAM_LOGDIRTY ? 1 : 0;
}

/** Memory types are recomputed, p2m types stay. Nothing to do for a domain whose memory is always write-back. */
export function p2mMemoryTypeChanged(d: Domain): void {
  if (MemoryType.matters(d) && d.vcpuCount != 0) invalidateAll(d, 0);
}

/** Invalid without the test above: an I/O permission has just been the first, or was the last. */
export function p2mMemoryTypesRecalculate(d: Domain): void {
  invalidateAll(d, 0);
}

/**
 * Makes the entries of `level` that map first..last (all below one table of that level) invalid; superpages above are split.
 * @returns 1 when something changed, 0 when not, -ENOMEM.
 */
function invalidateRange(d: Domain, level: u32, first: u64, last: u64): i32 {
  let table = d.p2mRoot;
  for (let at: u32 = 4; at > level; at--) {
    const index = P2mEntry.index(first, at);
    const entry = P2mEntry.read(table, index);
    if (Epte.isLeafBit(entry)) {
      const error = splitLeaf(d, table, index, at, first);
      if (error != OK) return error;
    } else if (!Epte.isPresent(entry)) {
      return 0;
    }
    table = Epte.mfn(P2mEntry.read(table, index));
  }
  let changed: i32 = 0;
  const end = P2mEntry.index(last, level);
  for (let i = P2mEntry.index(first, level); i <= end; i++) {
    if (invalidateEntry(table, i, EPTE_RECALC)) changed = 1;
  }
  return changed;
}

/** Covers first..last greedily: ragged ends with small entries, the middle with large ones. @returns OK or -ENOMEM. */
function invalidateSpan(d: Domain, first: u64, last: u64): i32 {
  let level: u32 = 1;
  let mask: u64 = 511;
  let result: i32 = 0;
  while (level <= 4) {
    if ((first & mask) != 0) {
      const end = (first | mask) < last ? first | mask : last;
      const rc = invalidateRange(d, level, first, end);
      result = rc < 0 ? rc : result | rc;
      if (rc < 0 || end >= last) break;
      first = end + 1;
    } else if ((last & mask) != mask) {
      const start = (last & ~mask) > first ? last & ~mask : first;
      const rc = invalidateRange(d, level, start, last);
      result = rc < 0 ? rc : result | rc;
      if (rc < 0 || start <= first) break;
      last = start - 1;
    } else {
      level++;
      mask |= mask << 9;
    }
  }
  if (level > 4) result = invalidateRange(d, 4, first, last);
  if (result != 0) d.p2mNeedFlush = 1;
  return result < 0 ? result : OK;
}

/** Keeps the tracked ranges in step with the change. -ENOMEM when no node is left. */
function updateRanges(d: Domain, first: u64, last: u64, from: u32, to: u32): i32 {
  if (from == <u32>P2M_RAM_LOGDIRTY && to == <u32>P2M_RAM_RW) {
    return d.p2mLogDirtyRanges == 0 ? OK : Rangeset.remove(d.p2mLogDirtyRanges, first, last);
  }
  if (from != <u32>P2M_RAM_RW || to != <u32>P2M_RAM_LOGDIRTY) return OK;
  if (d.p2mLogDirtyRanges == 0) d.p2mLogDirtyRanges = Rangeset.create(RANGES_UNLIMITED);
  return d.p2mLogDirtyRanges == 0 ? -ENOMEM : Rangeset.add(d.p2mLogDirtyRanges, first, last);
}

/**
 * The pages [start, end) change from one changeable type to another at their next touch; those beyond the highest mapped one are
 * left out. Errors crash the domain. As in Xen a range of one page only changes the tracked ranges, not the entry.
 */
export function p2mChangeTypeRange(d: Domain, start: u64, end: u64, from: u32, to: u32): void {
  if (end <= start || d.p2mRoot == 0) return;
  const last = end - 1 > d.p2mMaxMapped ? d.p2mMaxMapped : end - 1;
  if (start > last) return;
  let rc = OK;
  if (start == 0 && last == d.p2mMaxMapped) invalidateAll(d, EPTE_RECALC);
  else if (start < last) rc = invalidateSpan(d, start, last);
  if (rc == OK) rc = updateRanges(d, start, last, from, to);
  if (rc != OK) domainCrash(d, CRASH_NO_TABLE);
}

/** Repairs `count` gfns from `first` on now. Stops at the first error: -ENOMEM. */
export function p2mFinishTypeChange(d: Domain, first: u64, count: u64): i32 {
  let last = first + count - 1;
  if (last < first || last > d.p2mMaxMapped) last = d.p2mMaxMapped;
  for (let gfn = first; gfn <= last; gfn++) {
    const rc = resolveMisconfig(d, gfn);
    if (rc < 0) return rc;
  }
  return OK;
}
