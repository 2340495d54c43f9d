/**
 * Ranges of gfns whose memory type a device model has fixed (DMOP_pin_memory_cacheattr): they count before the guest's MTRRs, in a
 * domain where memory types matter at all (memory-type.ts). At most 64, unsorted, in a frame of their own.
 *
 *   entry, 24 bytes: first gfn u64 @0, last gfn u64 @8, type u32 @16
 */
import { EBUSY, EINVAL, ENOENT, ENOMEM, ENOSPC, OK } from "../../abi/errno";
import { allocFrame, freeFrame } from "../../mem/allocator";
import { Frame, OWNER_XEN } from "../../mem/frame-table";
import { Domain } from "../domain";
import { P2m } from "./p2m";

const ENTRY: usize = 24;
const MAX_ENTRIES: u32 = 64;
/** Types 0 UC, 1 WC, 4 WT, 5 WP, 6 WB, 7 UC-. */
const KNOWN_TYPES: u32 = 0b1111_0011;
const TYPE_UC_MINUS: u32 = 7;
/** Takes a range away (XEN_DOMCTL_DELETE_MEM_CACHEATTR). */
const DELETE: u32 = 0xffff_ffff;

export const PINNED_NONE: i32 = -1;
/** Not the same for all pages of the range. */
export const PINNED_MIXED: i32 = -2;

function entryAt(d: Domain, index: u32): usize {
  return Frame.host(d.pinnedMfn) + <usize>index * ENTRY;
}

/** @returns OK; -EINVAL (start > end, type), -EBUSY (overlaps another range), -ENOENT (nothing to delete), -ENOSPC, -ENOMEM. */
export function pinnedSet(d: Domain, start: u64, end: u64, type: u32): i32 {
  if (type != DELETE && (type > TYPE_UC_MINUS || ((KNOWN_TYPES >> type) & 1) == 0)) return -EINVAL;
  if (end < start) return -EINVAL;
  const rc = type == DELETE ? remove(d, start, end) : add(d, start, end, type);
  if (rc == OK) P2m.memoryTypeChanged(d);
  return rc;
}

function add(d: Domain, start: u64, end: u64, type: u32): i32 {
  for (let i: u32 = 0; i < d.pinnedCount; i++) {
    const entry = entryAt(d, i);
    if (load<u64>(entry) == start && load<u64>(entry, 8) == end) {
      store<u32>(entry, type, 16);
      return OK;
    }
    if (load<u64>(entry) <= end && start <= load<u64>(entry, 8)) return -EBUSY;
  }
  if (d.pinnedCount == MAX_ENTRIES) return -ENOSPC;
  if (d.pinnedMfn == 0) d.pinnedMfn = allocFrame(OWNER_XEN, 0);
  if (d.pinnedMfn == 0) return -ENOMEM;
  const entry = entryAt(d, d.pinnedCount++);
  store<u64>(entry, start);
  store<u64>(entry, end, 8);
  store<u32>(entry, type, 16);
  return OK;
}

function remove(d: Domain, start: u64, end: u64): i32 {
  for (let i: u32 = 0; i < d.pinnedCount; i++) {
    const entry = entryAt(d, i);
    if (load<u64>(entry) != start || load<u64>(entry, 8) != end) continue;
    d.pinnedCount--;
    memory.copy(entry, entryAt(d, d.pinnedCount), ENTRY);
    memory.fill(entryAt(d, d.pinnedCount), 0, ENTRY);
    return OK;
  }
  return -ENOENT;
}

/** Memory type of 2^order pages from `gfn` on, PINNED_NONE or PINNED_MIXED. UC- comes out as UC. */
export function pinnedType(d: Domain, gfn: u64, order: u32): i32 {
  const last = gfn + ((<u64>1) << order) - 1;
  for (let i: u32 = 0; i < d.pinnedCount; i++) {
    const entry = entryAt(d, i);
    if (load<u64>(entry) > last || load<u64>(entry, 8) < gfn) continue;
    if (load<u64>(entry) > gfn || load<u64>(entry, 8) < last) return PINNED_MIXED;
    const type = load<u32>(entry, 16);
    return type == TYPE_UC_MINUS ? 0 : <i32>type;
  }
  return PINNED_NONE;
}

/** The domain dies. */
export function pinnedRelease(d: Domain): void {
  if (d.pinnedMfn != 0) freeFrame(d.pinnedMfn);
  d.pinnedMfn = 0;
  d.pinnedCount = 0;
}
