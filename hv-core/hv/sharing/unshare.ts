/**
 * Copy on write: a domain gets its own page back (spec 04 section 4.2, unshare). The last sharer keeps the frame; anybody else gets a
 * copy. What the guest sees at the gfn does not change, and nobody else sees what it writes from now on.
 *
 * Before: p2m/p2m.ts (a lookup with P2M_UNSHARE), physmap.ts, relinquish.ts. After: enomem.ts when there is no memory.
 */
import { CTR_PAGES_COPIED, CTR_UNSHARE_COPIED, CTR_UNSHARE_FAILED, CTR_UNSHARE_LAST } from "../../abi/counters";
import { EBUSY, ENOMEM, OK } from "../../abi/errno";
import {
  SHARING_DEFECT_EARLY_FREE,
  SHARING_DEFECT_NO_UNDO,
  SHARING_DEFECT_PUT_LOCKED,
  SHARING_DEFECT_UNLOCKED_TYPE,
} from "../../abi/knobs";
import { PAGE_SIZE } from "../../abi/layout";
import { P2M_RAM_RW } from "../../abi/p2m-types";
import { TRC_UNSHARE } from "../../abi/trace-events";
import { W_INFO_FREED, W_PAGE_COPIED, W_SAVED_COUNTED } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Count } from "../../base/counters";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { ACCESS_WRITE, Window } from "../../base/window";
import { allocFrameToFill } from "../../mem/allocator";
import { Frame } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { canTake, took } from "../hypercall/claim";
import { logDirtyMark } from "../logdirty/bitmap";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { p2mSet } from "../p2m/set";
import { P2mType } from "../p2m/types";
import { ShareInfo } from "./info";
import { PageLock } from "./page-lock";
import { PageState } from "./page-state";
import { Rmap, RmapRecord } from "./rmap";
import { Sharing } from "./state";
import { hasSharingDefect } from "./two-gfns";

/** A shared page whose reverse map does not know the domain: Xen stops here. */
const SITE_NO_RECORD: u32 = 63;
/** The last sharer's page could not become private: Xen stops here. */
const SITE_NOT_PRIVATE: u32 = 64;

/**
 * Makes the page at `gfn` the domain's own. OK also when it is not shared (any more).
 *
 * @param isDestroyed the domain is being torn down: the page only loses this reference, and nothing can fail.
 * @returns OK; -ENOMEM when there is no frame for the copy, -EBUSY for a dying domain (Xen stops there). Nothing has changed then.
 */
export function unshare(d: Domain, gfn: u64, isDestroyed: bool): i32 {
  P2m.lock(d);
  Sharing.begin();
  const result = unshareLocked(d, gfn, isDestroyed);
  Sharing.end();
  P2m.unlock(d);
  return result;
}

/** C-50: the caller has seen a shared page before it had the lock, and nobody looks again. */
function isLookedAtAgain(): bool {
  return !hasSharingDefect(SHARING_DEFECT_UNLOCKED_TYPE);
}

function unshareLocked(d: Domain, gfn: u64, isDestroyed: bool): i32 {
  const type = p2mLookup(d, gfn);
  const mfn = d.lookupMfn;
  if (isLookedAtAgain() && !P2mType.isShared(type)) return OK;
  if (!isDestroyed && d.state != DOMAIN_ALIVE) return -EBUSY;
  const isLocked = PageLock.acquire(mfn);
  Hv.assertAlways(isLocked, SITE_NO_RECORD);
  const record = Rmap.find(mfn, d.domid, gfn);
  Hv.assertAlways(record != 0, SITE_NO_RECORD);
  const s = Sharing.get();
  const isLast = Frame.at(mfn).typeCount == 1;
  if (isLast) {
    Rmap.remove(mfn, record, true);
    RmapRecord.dispose(d, record);
    if (hasSharingDefect(SHARING_DEFECT_EARLY_FREE)) {
      forget(mfn);
      PageLock.release(mfn);
      Window.at(W_INFO_FREED, changetype<usize>(Frame.at(mfn)), ACCESS_WRITE); // the page says shared, its info is gone
      PageLock.acquire(mfn);
    } else {
      forget(mfn);
    }
    s.nrShared--;
  } else {
    s.nrSaved--;
    Window.at(W_SAVED_COUNTED, changetype<usize>(s), ACCESS_WRITE); // who adds the counters up now finds one page too few
  }
  if (isDestroyed) return drop(d, mfn, record, isLast);
  const result = isLast ? keep(d, mfn) : copy(d, gfn, mfn, record);
  if (result < 0) return result;
  becomePrivate(d, gfn, <u32>result, isLast);
  return OK;
}

/** The info of a page without sharers. */
function forget(mfn: u32): void {
  ShareInfo.auditRemove(ShareInfo.of(mfn));
  Rmap.dispose(mfn);
  ShareInfo.dispose(mfn);
}

/** The domain dies: its reference goes, and with the last one the frame. */
function drop(d: Domain, mfn: u32, record: u32, isLast: bool): i32 {
  if (!isLast) {
    Rmap.remove(mfn, record, true);
    RmapRecord.dispose(d, record);
  }
  const isEarly = hasSharingDefect(SHARING_DEFECT_PUT_LOCKED);
  if (!isEarly) PageLock.release(mfn);
  if (isLast) PageState.release(mfn);
  PageState.unref(mfn);
  if (isEarly) PageLock.release(mfn);
  return OK;
}

/** The last sharer keeps the frame. @returns its mfn. */
function keep(d: Domain, mfn: u32): i32 {
  const made = PageState.makePrivate(d, mfn);
  Hv.assertAlways(made == OK, SITE_NOT_PRIVATE);
  Count.one(CTR_UNSHARE_LAST);
  return <i32>mfn;
}

/** Anybody else gets a copy. @returns the mfn of its frame, or -ENOMEM. */
function copy(d: Domain, gfn: u64, mfn: u32, record: u32): i32 {
  const own = <u64>d.totPages < <u64>d.maxPages && canTake(d, 1) ? allocFrameToFill(d.slot, 0) : 0;
  if (own == 0) {
    if (!hasSharingDefect(SHARING_DEFECT_NO_UNDO)) Sharing.get().nrSaved++;
    PageLock.release(mfn);
    Count.one(CTR_UNSHARE_FAILED);
    return -ENOMEM;
  }
  took(d, 1);
  memory.copy(Frame.host(own), Frame.host(mfn), PAGE_SIZE);
  Count.one(CTR_PAGES_COPIED);
  Window.at(W_PAGE_COPIED, changetype<usize>(Frame.at(mfn)), ACCESS_WRITE); // others may still read the shared page: its content is the same
  // The entry exists and is a small page, so this needs no table.
  if (p2mSet(d, gfn, own, 0, P2M_RAM_RW, d.p2mDefaultAccess) != OK) Hv.failed(SITE_NOT_PRIVATE);
  Rmap.remove(mfn, record, true);
  RmapRecord.dispose(d, record);
  PageLock.release(mfn);
  P2m.flushNow(d); // a stale translation must not read what the frame holds next
  PageState.unref(mfn);
  Count.one(CTR_UNSHARE_COPIED);
  return <i32>own;
}

function becomePrivate(d: Domain, gfn: u64, mfn: u32, isLast: bool): void {
  if (isLast && p2mSet(d, gfn, mfn, 0, P2M_RAM_RW, d.p2mDefaultAccess) != OK) Hv.failed(SITE_NOT_PRIVATE);
  Frame.at(mfn).m2p = gfn;
  logDirtyMark(d, gfn);
  Trace.event(TRC_UNSHARE, TRACE_NO_VCPU, d.domid, gfn, isLast ? 1 : 0);
}
