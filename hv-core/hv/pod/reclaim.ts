/**
 * Pages that a guest has touched but left zero go back to the populate-on-demand cache (spec 01 section 1.8): their content is what
 * a page not yet populated would show. Caller holds the p2m lock and podLock.
 *
 * The page is taken out of the guest's sight first and looked at again afterwards: in between a processor may still have written it.
 */
import { CTR_POD_RECLAIMED } from "../../abi/counters";
import { OK } from "../../abi/errno";
import { P2M_POPULATE_ON_DEMAND, P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { FRAME_ALLOCATED, FRAME_EXTRA, FRAME_TABLE, FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { INVALID_MFN } from "../p2m/entry";
import { p2mFlushNow } from "../p2m/flush";
import { p2mLookup } from "../p2m/lookup";
import { p2mSet } from "../p2m/set";
import { P2mType } from "../p2m/types";
import { podCacheAdd, SUPER_ORDER, SUPER_PAGES } from "./cache";
import { HISTORY_SLOTS, HISTORY_SUPER, PodHistory } from "./history";

/** gfns that one emergency sweep looks at beyond the first success. */
const SWEEP_LIMIT: u64 = 1024;
/** A first look at a page: most that are in use show it here. */
const GLANCE_BYTES: usize = 128;

function isZero(mfn: u32, bytes: usize): bool {
  const at = Frame.host(mfn);
  for (let i: usize = 0; i < bytes; i += 8) {
    if (load<u64>(at + i) != 0) return false;
  }
  return true;
}

/** The domain's own plain RAM, with no reference but its own: nobody else looks at the frame, and it is not the hypervisor's. */
function isTakeable(d: Domain, type: u32, mfn: u32): bool {
  if ((type != <u32>P2M_RAM_RW && type != <u32>P2M_RAM_LOGDIRTY) || !Frame.isValid(mfn)) return false;
  const frame = Frame.at(mfn);
  if (frame.owner != d.slot || frame.refs != 1) return false;
  return (frame.flags & (FRAME_ALLOCATED | FRAME_XEN_HEAP | FRAME_EXTRA | FRAME_TABLE)) == FRAME_ALLOCATED;
}

/** One page. @returns whether it went to the cache. */
export function podZeroCheck(d: Domain, gfn: u64): bool {
  const type = p2mLookup(d, gfn);
  const mfn = d.lookupMfn;
  const access = d.lookupAccess;
  if (!isTakeable(d, type, mfn) || !isZero(mfn, GLANCE_BYTES)) return false;
  if (p2mSet(d, gfn, INVALID_MFN, 0, P2M_POPULATE_ON_DEMAND, d.p2mDefaultAccess) != OK) return false;
  p2mFlushNow(d);
  if (!isZero(mfn, 4096)) {
    p2mSet(d, gfn, mfn, 0, type, access);
    return false;
  }
  podCacheAdd(d, mfn, 0);
  Count.one(CTR_POD_RECLAIMED);
  return true;
}

/** 512 pages in 512 consecutive frames, mapped as one or apart. @returns whether all went to the cache as one run. */
export function podZeroCheckSuper(d: Domain, gfn: u64): bool {
  const first = gfn & ~(<u64>(SUPER_PAGES - 1));
  const type = p2mLookup(d, first);
  const mfn = d.lookupMfn;
  const access = d.lookupAccess;
  if ((mfn & (SUPER_PAGES - 1)) != 0) return false;
  for (let i: u32 = 0; i < SUPER_PAGES; i++) {
    const same = p2mLookup(d, first + i) == type && d.lookupMfn == mfn + i;
    if (!same || !isTakeable(d, type, mfn + i) || !isZero(mfn + i, GLANCE_BYTES)) return false;
  }
  if (p2mSet(d, first, INVALID_MFN, SUPER_ORDER, P2M_POPULATE_ON_DEMAND, d.p2mDefaultAccess) != OK) return false;
  p2mFlushNow(d);
  for (let i: u32 = 0; i < SUPER_PAGES; i++) {
    if (isZero(mfn + i, 4096)) continue;
    p2mSet(d, first, mfn, SUPER_ORDER, type, access);
    return false;
  }
  podCacheAdd(d, mfn, SUPER_ORDER);
  Count.add(CTR_POD_RECLAIMED, SUPER_PAGES);
  return true;
}

function checkEither(d: Domain, remembered: u64): void {
  const gfn = (remembered & ~HISTORY_SUPER) - 1;
  if ((remembered & HISTORY_SUPER) == 0) {
    podZeroCheck(d, gfn);
  } else if (!podZeroCheckSuper(d, gfn)) {
    for (let i: u32 = 0; i < SUPER_PAGES; i++) podZeroCheck(d, gfn + i);
  }
}

/** Looks at what was populated longest ago: one place always, and on until the cache has something. */
export function podEagerReclaim(d: Domain): void {
  for (let age: u32 = 0; age < HISTORY_SLOTS; age++) {
    const remembered = PodHistory.take(d, age);
    if (remembered != 0) checkEither(d, remembered);
    if (d.podCount != 0) return;
  }
}

/** The gfn before a block without memory: the guest may have its last page anywhere, and holes are not counted one by one. */
function beforeBlock(d: Domain, gfn: u64): u64 {
  const first = (gfn >> d.lookupOrder) << d.lookupOrder;
  return first == 0 ? 0 : first - 1;
}

/** The cache is empty: looks at every page, downwards from where the last sweep stopped, until it has found some. */
export function podEmergencySweep(d: Domain): void {
  if (d.podSweepAt == 0) d.podSweepAt = d.podMaxGuest;
  const start = d.podSweepAt;
  const limit = start > SWEEP_LIMIT ? start - SWEEP_LIMIT : 0;
  let gfn = start;
  while (gfn > 0) {
    podZeroCheck(d, gfn);
    if (d.podCount != 0 && gfn < limit) break;
    gfn = P2mType.isRam(d.lookupType) ? gfn - 1 : beforeBlock(d, gfn);
  }
  d.podSweepAt = gfn == 0 ? 0 : gfn - 1;
}
