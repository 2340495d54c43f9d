/**
 * Populate on demand (spec 01 section 1.8): a page of the p2m that has no memory yet gets it when somebody needs it. Called under the
 * p2m lock by lookups with P2M_ALLOC (p2m/p2m.ts).
 */
import { CTR_POD_POPULATED } from "../../abi/counters";
import { CRASH_POD_EMPTY } from "../../abi/crash";
import { OK } from "../../abi/errno";
import { P2M_ACCESS_N, P2M_MMIO_DM, P2M_POPULATE_ON_DEMAND, P2M_RAM_RW } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { Frame } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { logDirtyMark } from "../logdirty/bitmap";
import { MM_POD, MmLock } from "../mm-lock";
import { INVALID_MFN } from "../p2m/entry";
import { p2mLookup } from "../p2m/lookup";
import { p2mSet } from "../p2m/set";
import { podCacheAdd, podCacheTake, SUPER_ORDER, SUPER_PAGES } from "./cache";
import { PodHistory } from "./history";
import { podEagerReclaim, podEmergencySweep } from "./reclaim";

/** Sizes go down from 1 GiB to 4 KiB on the way to a page: so often the entry is looked at again at most. */
const MAX_STEPS: u32 = 4;

/** Memory for the entry of 2^order pages from `first` on. @returns false when the page stays a hole for now. */
function fill(d: Domain, gfn: u64, first: u64, order: u32): bool {
  if (d.podEntries > d.podCount) podEagerReclaim(d);
  if (d.podCount == 0) podEmergencySweep(d);
  if (d.podCount == 0) {
    domainCrash(d, CRASH_POD_EMPTY);
    return false;
  }
  if (gfn > d.podMaxGuest) d.podMaxGuest = gfn;
  const mfn = podCacheTake(d, order);
  if (mfn == 0) return remark(d, first, SUPER_PAGES, 0); // singles only: 4 KiB entries instead
  if (p2mSet(d, first, mfn, order, P2M_RAM_RW, d.p2mDefaultAccess) != OK) {
    podCacheAdd(d, mfn, order);
    return false;
  }
  const size: u32 = 1 << order;
  for (let i: u32 = 0; i < size; i++) {
    Frame.at(mfn + i).m2p = first + i;
    logDirtyMark(d, first + i);
  }
  PodHistory.record(d, first, order == SUPER_ORDER);
  Count.add(CTR_POD_POPULATED, size);
  return true;
}

/** The same promise in smaller entries. The first one of them splits the large one. */
function remark(d: Domain, first: u64, count: u32, order: u32): bool {
  for (let i: u32 = 0; i < count; i++) {
    if (p2mSet(d, first + i, INVALID_MFN, order, P2M_POPULATE_ON_DEMAND, d.p2mDefaultAccess) != OK) return false;
  }
  return true;
}

function demandPopulate(d: Domain, gfn: u64, order: u32): bool {
  if (d.state != DOMAIN_ALIVE) return false;
  const first = (gfn >> order) << order;
  if (order > SUPER_ORDER) return remark(d, (gfn >> SUPER_ORDER) << SUPER_ORDER, 1, SUPER_ORDER);
  MmLock.acquire(d, MM_POD);
  const done = fill(d, gfn, first, order);
  MmLock.release(d, MM_POD);
  return done;
}

/** A lookup of a page that is populated on demand: its type afterwards; a hole when there was no memory for it. */
export function podPopulate(d: Domain, gfn: u64): u32 {
  for (let step: u32 = 0; step < MAX_STEPS; step++) {
    const type = p2mLookup(d, gfn);
    if (type != <u32>P2M_POPULATE_ON_DEMAND) return type;
    if (!demandPopulate(d, gfn, d.lookupOrder)) break;
  }
  const type = p2mLookup(d, gfn);
  if (type != <u32>P2M_POPULATE_ON_DEMAND) return type;
  d.lookupMfn = INVALID_MFN;
  d.lookupType = P2M_MMIO_DM;
  d.lookupAccess = P2M_ACCESS_N;
  return P2M_MMIO_DM;
}
