/**
 * Nomination: a domain's page becomes a shared frame with one sharer and gets a handle (spec 04 section 4.2). Everything happens under the
 * p2m lock of the domain. A page that is shared already answers with the handle it has.
 */
import { CTR_SHARE_NOMINATED } from "../../abi/counters";
import { EINVAL, ENOMEM, OK } from "../../abi/errno";
import { P2M_RAM_SHARED } from "../../abi/p2m-types";
import { TRC_SHARE_NOMINATE } from "../../abi/trace-events";
import { W_FRAME_TAKEN } from "../../abi/windows";
import { Count } from "../../base/counters";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Frame, SHARED_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { isSpecialFrame } from "../p2m/physmap";
import { p2mSet } from "../p2m/set";
import { P2mType } from "../p2m/types";
import { ShareInfo } from "./info";
import { PageLock } from "./page-lock";
import { PageState } from "./page-state";
import { Rmap, RmapRecord } from "./rmap";
import { Sharing } from "./state";

/** References that a page named by a grant has beside its owner's. */
export const GREF_REFERENCES: u32 = 3;

/**
 * @param extra references beside the owner's that are expected: 0, or GREF_REFERENCES.
 * @returns OK, with the handle at `handleAt`; -EINVAL (no frame, not sharable), -EBUSY (dying), -EEXIST, -E2BIG (referenced by somebody
 * else), -ENOMEM. Nothing has changed after an error.
 */
export function nominate(d: Domain, gfn: u64, extra: u32, handleAt: usize): i32 {
  P2m.lock(d);
  Sharing.begin();
  const result = nominateLocked(d, gfn, extra, handleAt);
  Sharing.end();
  P2m.unlock(d);
  return result;
}

function nominateLocked(d: Domain, gfn: u64, extra: u32, handleAt: usize): i32 {
  const type = p2mLookup(d, gfn);
  const mfn = d.lookupMfn;
  if (!Frame.isValid(mfn)) return -EINVAL;
  if (P2mType.isShared(type) && PageLock.acquire(mfn)) {
    store<u64>(handleAt, ShareInfo.of(mfn).handle);
    PageLock.release(mfn);
    return OK;
  }
  if (!P2mType.isSharable(type) || isSpecialFrame(mfn)) return -EINVAL;
  const made = PageState.makeSharable(d, mfn, extra);
  if (made != OK) return made;
  Window.at(W_FRAME_TAKEN, changetype<usize>(Frame.at(mfn)), ACCESS_WRITE); // whoever looks without the lock sees a ram_rw page that nobody owns
  PageLock.acquire(mfn);
  const result = describe(d, gfn, mfn, handleAt);
  if (result == OK) PageLock.release(mfn);
  else PageState.makePrivate(d, mfn);
  return result;
}

/** Info, record and p2m entry of the frame that is shared now. */
function describe(d: Domain, gfn: u64, mfn: u32, handleAt: usize): i32 {
  if (ShareInfo.create(mfn) == 0) return -ENOMEM;
  const record = RmapRecord.create(d, gfn);
  if (record == 0) {
    ShareInfo.dispose(mfn);
    return -ENOMEM;
  }
  // The page lock is above the p2m lock, which is held: a superpage may still need a table for its pieces.
  if (p2mSet(d, gfn, mfn, 0, P2M_RAM_SHARED, d.p2mDefaultAccess) != OK) {
    RmapRecord.dispose(d, record);
    ShareInfo.dispose(mfn);
    return -ENOMEM;
  }
  const info = ShareInfo.of(mfn);
  info.handle = Sharing.newHandle();
  Rmap.add(mfn, record);
  Sharing.get().nrShared++;
  Frame.at(mfn).m2p = SHARED_M2P;
  ShareInfo.auditAdd(info);
  store<u64>(handleAt, info.handle);
  Count.one(CTR_SHARE_NOMINATED);
  Trace.event(TRC_SHARE_NOMINATE, TRACE_NO_VCPU, d.domid, gfn, info.handle);
  return OK;
}
