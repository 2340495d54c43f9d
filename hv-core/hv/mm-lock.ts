/**
 * The memory-management locks of a domain by their level, which is their order (abi/lock-order.ts; spec 01 section 1.4, P-10). Whether
 * the order is kept is checked where locks are taken (base/lock-order.ts).
 */
import { ORDER_P2M, ORDER_PAGING, ORDER_POD } from "../abi/lock-order";
import { Lock } from "../base/lock";
import { Domain } from "./domain";

/** Levels, as Xen numbers them. */
export const MM_P2M: u32 = ORDER_P2M;
export const MM_POD: u32 = ORDER_POD;
export const MM_PAGING: u32 = ORDER_PAGING;

export class MmLock {
  @inline static word(d: Domain, level: u32): usize {
    const base = changetype<usize>(d);
    if (level == MM_P2M) return base + offsetof<Domain>("p2mLock");
    return base + (level == MM_POD ? offsetof<Domain>("podLock") : offsetof<Domain>("pagingLock"));
  }

  @inline static acquire(d: Domain, level: u32): void {
    Lock.acquire(MmLock.word(d, level));
  }

  @inline static release(d: Domain, level: u32): void {
    Lock.release(MmLock.word(d, level));
  }
}
