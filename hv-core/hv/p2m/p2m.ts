/**
 * The p2m as the rest of the hypervisor sees it: look up, set, change, under one recursive lock a domain.
 * Read next: p2m/lookup.ts, p2m/set.ts, p2m/types.ts.
 */
import { EBUSY } from "../../abi/errno";
import { P2M_ACCESS_N, P2M_MMIO_DM } from "../../abi/p2m-types";
import { Lock } from "../../base/lock";
import { Domain } from "../domain";
import { INVALID_MFN } from "./entry";
import { p2mFlush } from "./flush";
import { p2mLookup } from "./lookup";
import { p2mSet } from "./set";

export { INVALID_MFN } from "./entry";

export class P2m {
  @inline static lockWord(d: Domain): usize {
    return changetype<usize>(d) + offsetof<Domain>("p2mLock");
  }

  @inline static lock(d: Domain): void {
    Lock.acquire(P2m.lockWord(d));
  }

  @inline static unlock(d: Domain): void {
    Lock.release(P2m.lockWord(d));
  }

  /** Type of `gfn`; fills d.lookupMfn, lookupType, lookupAccess, lookupOrder. `q`: P2M_ALLOC, P2M_UNSHARE or 0. */
  @inline static lookup(d: Domain, gfn: u64, q: u32): u32 {
    return p2mLookup(d, gfn);
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

  /** Compare-and-swap of one page's type: -EBUSY when it is not `from` now. The access goes back to the default. */
  static changeTypeOne(d: Domain, gfn: u64, from: u32, to: u32): i32 {
    P2m.lock(d);
    let result: i32 = -EBUSY;
    if (p2mLookup(d, gfn) == from) result = p2mSet(d, gfn, d.lookupMfn, 0, to, d.p2mDefaultAccess);
    P2m.unlock(d);
    return result;
  }

  /** Every processor of the domain drops what it cached. */
  @inline static flush(d: Domain): void {
    p2mFlush(d);
  }
}
