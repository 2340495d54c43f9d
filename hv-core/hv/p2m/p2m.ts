/**
 * The p2m as the rest of the hypervisor sees it: look up, set, change, under one recursive lock a domain.
 * Read next: p2m/lookup.ts, p2m/set.ts, p2m/types.ts; for changes of many types p2m/bulk.ts and p2m/resolve.ts.
 */
import { CRASH_BROKEN_FRAME } from "../../abi/crash";
import { EBUSY, EINVAL, ENOMEM } from "../../abi/errno";
import {
  P2M_ACCESS_N,
  P2M_ALLOC,
  P2M_MMIO_DM,
  P2M_POPULATE_ON_DEMAND,
  P2M_RAM_BROKEN,
  P2M_UNSHARE,
} from "../../abi/p2m-types";
import { W_P2M_UNLOCKED, W_SHARED_SEEN } from "../../abi/windows";
import { Lock } from "../../base/lock";
import { PageLockOrder } from "../../base/page-lock-order";
import { ACCESS_READ, ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { MM_P2M, MmLock } from "../mm-lock";
import { podPopulate } from "../pod/populate";
import { notifyNoMemory } from "../sharing/enomem";
import { forkPage } from "../sharing/fork-page";
import { unshare } from "../sharing/unshare";
import {
  p2mChangeEntryTypeGlobal,
  p2mChangeTypeRange,
  p2mFinishTypeChange,
  p2mMemoryTypeChanged,
  p2mMemoryTypesRecalculate,
} from "./bulk";
import { INVALID_MFN } from "./entry";
import { p2mFlush, p2mFlushNow } from "./flush";
import { lookupNext, p2mLookup } from "./lookup";
import { resolveMisconfig } from "./resolve";
import { p2mSet } from "./set";
import { P2mType } from "./types";

export { INVALID_MFN } from "./entry";

export class P2m {
  @inline static lock(d: Domain): void {
    if (isDefined(DEBUG)) PageLockOrder.takingP2m(MmLock.word(d, MM_P2M));
    MmLock.acquire(d, MM_P2M);
  }

  /**
   * Window, for the outermost holder when something present changed: the lock is free before the TLBs are flushed, so somebody
   * else may see new entries while old translations are still in use (spec 01 section 1.4).
   */
  static unlock(d: Domain): void {
    const word = MmLock.word(d, MM_P2M);
    const isFlushDue = d.p2mNeedFlush != 0 && Lock.depth(word) == 1;
    if (isFlushDue) d.p2mNeedFlush = 0;
    Lock.release(word);
    if (!isFlushDue) return;
    Window.at(W_P2M_UNLOCKED, word, ACCESS_WRITE);
    p2mFlush(d);
  }

  /** Whether the running code holds the p2m lock. */
  static isLocked(d: Domain): bool {
    return Lock.isMine(MmLock.word(d, MM_P2M));
  }

  /**
   * Type of `gfn`; fills d.lookupMfn, lookupType, lookupAccess, lookupOrder. `q`: P2M_ALLOC gives a populate-on-demand page its
   * memory, P2M_UNSHARE also breaks sharing; 0 only looks.
   */
  @inline static lookup(d: Domain, gfn: u64, q: u32): u32 {
    const type = p2mLookup(d, gfn);
    const isPlain = type < <u32>P2M_POPULATE_ON_DEMAND && d.forkParent == 0;
    return isPlain ? type : lookupFurther(d, gfn, q);
  }

  /** First gfn behind what the last lookup, of `gfn`, has spoken for (p2m/lookup.ts). */
  @inline static next(d: Domain, gfn: u64): u64 {
    return lookupNext(d, gfn);
  }

  /** Maps 2^order pages; OK, -EINVAL, -ENOMEM or -EBUSY (p2m/set.ts). */
  static set(d: Domain, gfn: u64, mfn: u32, order: u32, type: u32, access: u32): i32 {
    P2m.lock(d);
    const result = p2mSet(d, gfn, mfn, order, type, access);
    P2m.unlock(d);
    return result;
  }

  /** Makes 2^order pages a hole. */
  static clear(d: Domain, gfn: u64, order: u32): i32 {
    return P2m.set(d, gfn, INVALID_MFN, order, P2M_MMIO_DM, P2M_ACCESS_N);
  }

  /**
   * Compare-and-swap of one page's type. The access goes back to the default.
   * @returns OK; -EBUSY when it is not `from` now, -EINVAL for a special type, -ENOMEM when a superpage cannot be split.
   */
  static changeTypeOne(d: Domain, gfn: u64, from: u32, to: u32): i32 {
    if (P2mType.isSpecial(from) || P2mType.isSpecial(to)) return -EINVAL;
    P2m.lock(d);
    let result: i32 = -EBUSY;
    if (p2mLookup(d, gfn) == from) result = p2mSet(d, gfn, d.lookupMfn, 0, to, d.p2mDefaultAccess);
    P2m.unlock(d);
    return result;
  }

  /** p2m/bulk.ts: every changeable entry, at its next touch. */
  static changeEntryTypeGlobal(d: Domain, from: u32, to: u32): void {
    P2m.lock(d);
    p2mChangeEntryTypeGlobal(d, from, to);
    P2m.unlock(d);
  }

  /** p2m/bulk.ts: the pages [start, end). */
  static changeTypeRange(d: Domain, start: u64, end: u64, from: u32, to: u32): void {
    P2m.lock(d);
    p2mChangeTypeRange(d, start, end, from, to);
    P2m.unlock(d);
  }

  /** Repairs `count` gfns from `first` on, as touching them would. OK or -ENOMEM. */
  static finishTypeChange(d: Domain, first: u64, count: u64): i32 {
    P2m.lock(d);
    const result = p2mFinishTypeChange(d, first, count);
    P2m.unlock(d);
    return result;
  }

  /** The guest changed its MTRRs. */
  static memoryTypeChanged(d: Domain): void {
    P2m.lock(d);
    p2mMemoryTypeChanged(d);
    P2m.unlock(d);
  }

  /** The domain got its first I/O permission, or lost its last one: its MTRRs count from now on, or no longer. */
  static memoryTypesRecalculate(d: Domain): void {
    P2m.lock(d);
    p2mMemoryTypesRecalculate(d);
    P2m.unlock(d);
  }

  /** Repairs the path to `gfn` (p2m/resolve.ts). The caller holds the lock. */
  static resolve(d: Domain, gfn: u64): i32 {
    return resolveMisconfig(d, gfn);
  }

  /** Every processor of the domain drops what it cached. */
  @inline static flush(d: Domain): void {
    p2mFlush(d);
  }

  /** As flushNow, for those who may or may not hold the lock. */
  static flushIfHeld(d: Domain): void {
    if ((load<u32>(MmLock.word(d, MM_P2M)) & 0xffff) == Lock.me()) p2mFlushNow(d);
  }

  /** A flush that was put off happens now: a frame is about to go back while the lock is held. */
  @inline static flushNow(d: Domain): void {
    p2mFlushNow(d);
  }
}

/**
 * Pages that a lookup may change: one whose memory is still to come, one that a fork does not have yet, one that is shared, one whose
 * frame is bad; in Xen's order (spec 01 section 1.5).
 */
function lookupFurther(d: Domain, gfn: u64, q: u32): u32 {
  let type = d.lookupType;
  if (type == <u32>P2M_POPULATE_ON_DEMAND && (q & P2M_ALLOC) != 0) {
    P2m.lock(d);
    type = podPopulate(d, gfn);
    P2m.unlock(d);
  }
  if (d.forkParent != 0 && (q & P2M_ALLOC) != 0 && P2mType.isHole(type)) {
    P2m.lock(d);
    forkPage(d, gfn, (q & P2M_UNSHARE) != 0);
    P2m.unlock(d);
    type = p2mLookup(d, gfn);
  }
  if (P2mType.isShared(type) && (q & P2M_UNSHARE) != 0) type = lookupPrivate(d, gfn);
  if (type == <u32>P2M_RAM_BROKEN) {
    d.lookupMfn = INVALID_MFN;
    if ((q & P2M_ALLOC) != 0) domainCrash(d, CRASH_BROKEN_FRAME);
  }
  return type;
}

/** Unshares; without memory for that the sharing ring is told, and the page is still shared. */
function lookupPrivate(d: Domain, gfn: u64): u32 {
  Window.at(W_SHARED_SEEN, changetype<usize>(d), ACCESS_READ); // unless the caller holds the lock, somebody else may unshare it first
  if (unshare(d, gfn, false) == -ENOMEM) notifyNoMemory(d, gfn);
  return p2mLookup(d, gfn);
}
