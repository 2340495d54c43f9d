/**
 * How many pages a domain that is populated on demand may have: marking its pages, setting the target, and taking pages back
 * (spec 01 section 1.8; XENMEM_set_pod_target). The difference between promises and memory is what the balloon driver has to give back.
 */
import { EBUSY, EINVAL, ENOMEM, ERESTART, OK } from "../../abi/errno";
import { P2M_POPULATE_ON_DEMAND } from "../../abi/p2m-types";
import { allocExtent, freeFrame } from "../../mem/allocator";
import { FRAME_EXTRA, FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { MM_POD, MmLock } from "../mm-lock";
import { INVALID_MFN, P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { podCacheAdd, podCacheTake, SUPER_ORDER, SUPER_PAGES } from "./cache";
import { podZeroCheckSuper } from "./reclaim";

/** Extents moved in or out of the cache before the hypercall lets others have a turn. */
const EXTENTS_PER_CALL: u32 = 64;

/** Pages from `gfn` on, within 2^order from `base`, that the last lookup spoke for. */
function lookedUp(d: Domain, gfn: u64, base: u64, order: u32): u64 {
  const block = (<u64>1) << (d.lookupOrder < order ? d.lookupOrder : order);
  const left = base + ((<u64>1) << order) - gfn;
  const inBlock = block - (gfn & (block - 1));
  return min<u64>(inBlock, left);
}

/** Promises 2^order pages. @returns OK; -EINVAL (no such gfn), -EBUSY (RAM there), -ENOMEM. */
export function podMark(d: Domain, gfn: u64, order: u32): i32 {
  const size = (<u64>1) << order;
  if (gfn + size < gfn || gfn + size > (<u64>1) << 36) return -EINVAL;
  P2m.lock(d);
  let rc = OK;
  for (let at = gfn; at < gfn + size && rc == OK; at += lookedUp(d, at, gfn, order)) {
    const type = P2m.lookup(d, at, 0);
    if (P2mType.isAnyRam(type) || P2mType.isSpecial(type)) rc = -EBUSY;
  }
  if (rc == OK) rc = P2m.set(d, gfn, INVALID_MFN, order, P2M_POPULATE_ON_DEMAND, d.p2mDefaultAccess);
  P2m.unlock(d);
  return rc;
}

/** One extent from the machine into the cache, or back. @returns OK or -ENOMEM. */
function grow(d: Domain, missing: u32): i32 {
  if (d.totPages >= d.maxPages) return -ENOMEM;
  let order = missing >= SUPER_PAGES && d.maxPages - d.totPages >= SUPER_PAGES ? SUPER_ORDER : 0;
  let mfn = allocExtent(d.slot, 0, order);
  if (mfn == 0 && order != 0) {
    order = 0;
    mfn = allocExtent(d.slot, 0, 0);
  }
  if (mfn == 0) return -ENOMEM;
  podCacheAdd(d, mfn, order);
  return OK;
}

function shrink(d: Domain, surplus: u32): void {
  const order = surplus >= SUPER_PAGES && d.podSuper != 0 ? SUPER_ORDER : 0;
  const mfn = podCacheTake(d, order);
  const size: u32 = 1 << order;
  for (let i: u32 = 0; i < size; i++) freeFrame(mfn + i);
}

/** Brings the cache to `target` pages. @returns OK, -ENOMEM, or -ERESTART when `isPreemptible` and there is more to do. */
function setCache(d: Domain, target: u64, isPreemptible: bool): i32 {
  for (let extents: u32 = 0; <u64>d.podCount != target; extents++) {
    if (isPreemptible && extents == EXTENTS_PER_CALL) return -ERESTART;
    if (<u64>d.podCount > target) {
      shrink(d, d.podCount - <u32>target);
    } else {
      const rc = grow(d, <u32>(target - d.podCount));
      if (rc != OK) return rc;
    }
  }
  return OK;
}

/**
 * The domain shall have `target` pages. Without promises there is nothing to do, unless it is just being built; below what it
 * has already, the balloon driver has to act first.
 *
 * @returns OK, -ENOMEM, -ERESTART (call again with the same target).
 */
export function podSetTarget(d: Domain, target: u64): i32 {
  MmLock.acquire(d, MM_POD);
  const populated = <u64>d.totPages - d.podCount;
  let rc = OK;
  if ((populated == 0 || d.podEntries != 0) && d.state == DOMAIN_ALIVE && target >= <u64>d.totPages) {
    let wanted = target - populated;
    if (populated != 0 && wanted > d.podEntries) wanted = d.podEntries;
    rc = setCache(d, wanted, true);
  }
  MmLock.release(d, MM_POD);
  return rc;
}

/** A RAM page of the guest becomes a hole and its frames go to the cache. */
function steal(d: Domain, gfn: u64, mfn: u32, order: u32): bool {
  if (P2m.clear(d, gfn, order) != OK) return false;
  P2m.flushNow(d);
  podCacheAdd(d, mfn, order);
  return true;
}

/** The domain's own frames, all of them plain and unshared. */
function isStealable(d: Domain, mfn: u32, order: u32): bool {
  for (let i: u32 = 0; i < (<u32>1) << order; i++) {
    if (!Frame.isValid(<u64>mfn + i)) return false;
    const frame = Frame.at(mfn + i);
    if (frame.owner != d.slot || frame.refs != 1 || (frame.flags & (FRAME_XEN_HEAP | FRAME_EXTRA)) != 0) return false;
  }
  return true;
}

/** Takes back what can be taken from one block: a promise, or memory that the cache still lacks. @returns pages. */
function takeBack(d: Domain, at: u64, base: u64, order: u32): u64 {
  const type = P2m.lookup(d, at, 0);
  const mfn = d.lookupMfn;
  const pages = lookedUp(d, at, base, order);
  const piece = pages >= <u64>SUPER_PAGES && (at & (SUPER_PAGES - 1)) == 0 ? SUPER_ORDER : 0;
  if (type == <u32>P2M_POPULATE_ON_DEMAND) {
    if (P2m.clear(d, at, piece) != OK) return 0;
  } else {
    if (d.podEntries <= d.podCount || !P2mType.isRam(type)) return 0;
    if (!isStealable(d, mfn, piece) || !steal(d, at, mfn, piece)) return 0;
  }
  return (<u64>1) << piece;
}

/**
 * The guest gives back 2^order pages (decrease_reservation). Promises are withdrawn; memory goes to the cache as long as that has
 * less than was promised. What is left is for the caller to free in the usual way.
 *
 * @returns pages dealt with here; those that are holes now need no more work.
 */
export function podDecrease(d: Domain, gfn: u64, order: u32): u64 {
  if (d.podEntries == 0 || d.state != DOMAIN_ALIVE) return 0;
  P2m.lock(d);
  MmLock.acquire(d, MM_POD);
  let done: u64 = 0;
  const end = gfn + ((<u64>1) << order);
  if (order < SUPER_ORDER && d.podEntries > d.podCount && gfn >> 36 == 0) podZeroCheckSuper(d, gfn);
  for (let at = gfn; at < end && at >= gfn && d.podEntries != 0; ) {
    const pages = takeBack(d, at, gfn, order);
    done += pages;
    at += pages == 0 ? 1 : pages;
  }
  if (d.podEntries < <u64>d.podCount) setCache(d, d.podEntries, false);
  MmLock.release(d, MM_POD);
  P2m.unlock(d);
  return done;
}
