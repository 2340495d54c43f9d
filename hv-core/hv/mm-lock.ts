/**
 * The memory-management locks of a domain and their order (spec 01 section 1.4, P-10): whoever holds one may take only those with a
 * higher level. Two processors that take two locks in different orders could wait for each other for ever; a wrong order is a bug even
 * if nobody waits today, so builds with asserts stop at it.
 *
 * Taking a lock that one holds already is always right. Locks of other domains are not looked at: a caller's own p2m comes after those
 * of the domain it works on. Who holds what stands in the locks themselves: there is no other state.
 */
import { Hv } from "../base/assert";
import { Lock } from "../base/lock";
import { Domain } from "./domain";

const SITE_LOCK_ORDER: u32 = 3;

/** Levels, as Xen numbers them. */
export const MM_P2M: u32 = 16;
export const MM_POD: u32 = 48;
export const MM_PAGING: u32 = 64;

export class MmLock {
  @inline static word(d: Domain, level: u32): usize {
    const base = changetype<usize>(d);
    if (level == MM_P2M) return base + offsetof<Domain>("p2mLock");
    return base + (level == MM_POD ? offsetof<Domain>("podLock") : offsetof<Domain>("pagingLock"));
  }

  @inline static acquire(d: Domain, level: u32): void {
    if (isDefined(DEBUG)) checkOrder(d, level);
    Lock.acquire(MmLock.word(d, level));
  }

  @inline static release(d: Domain, level: u32): void {
    Lock.release(MmLock.word(d, level));
  }
}

function isMine(d: Domain, level: u32): bool {
  return (load<u32>(MmLock.word(d, level)) & 0xffff) == Lock.me();
}

function checkOrder(d: Domain, level: u32): void {
  if (isMine(d, level)) return;
  if (level < MM_POD) Hv.assert(!isMine(d, MM_POD), SITE_LOCK_ORDER);
  if (level < MM_PAGING) Hv.assert(!isMine(d, MM_PAGING), SITE_LOCK_ORDER);
}
