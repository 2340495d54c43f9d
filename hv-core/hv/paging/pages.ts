/**
 * One page's way out and back (spec 04 section 4.4), each step under the p2m lock, its condition read under the same lock:
 *
 *   ram_rw / ram_logdirty  --nominate-->  paging_out (frame kept)  --evict-->  paged (no frame)
 *   paging_out, paged      --touch (populate.ts)-->  paging_in  --prep, or the answer to the touch (resume.ts)-->  ram_rw / ram_logdirty
 *
 * The contents are the pager's business: between nominate and evict the guest cannot write the page, and evict refuses when anybody has
 * touched or mapped it since. Invariant: pagedPages = pages of type paged, and of type paging_in without a frame.
 */
import { CTR_PAGED_IN, CTR_PAGED_OUT } from "../../abi/counters";
import { EBUSY, EFAULT, EINVAL, ENOENT, ENOMEM, OK } from "../../abi/errno";
import { KNOB_PAGING_HISTORIC, PAGING_PREP_EARLY, PAGING_TOUCH_IGNORED, PAGING_UNLOCKED } from "../../abi/knobs";
import { PAGE_SIZE } from "../../abi/layout";
import {
  P2M_RAM_LOGDIRTY,
  P2M_RAM_PAGED,
  P2M_RAM_PAGING_IN,
  P2M_RAM_PAGING_OUT,
  P2M_RAM_RW,
} from "../../abi/p2m-types";
import { W_EVICT_CHECKED } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { allocFrame, freeFrame, getPage, putPage } from "../../mem/allocator";
import { frameWritten } from "../../mem/frame-access";
import { FRAME_ALLOCATED, FRAME_EXTRA, FRAME_XEN_HEAP, Frame, INVALID_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";
import { copyFromGuest } from "../hypercall/guest-copy";
import { p2mLookup } from "../p2m/lookup";
import { INVALID_MFN, P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { DomainEvents } from "../vm-event/domain-events";

/** Linear addresses that a caller's buffer may have: the lower canonical half. */
const LAST_ADDRESS: u64 = 0x0000_7fff_ffff_f000;

/** What a page becomes when it is back. */
function backType(d: Domain): u32 {
  return d.logDirtyMode != 0 ? P2M_RAM_LOGDIRTY : P2M_RAM_RW;
}

/** Whether only the p2m refers to the frame, beside `others`. */
function isUnreferenced(d: Domain, mfn: u32, others: u32): bool {
  const frame = Frame.at(mfn);
  if ((frame.flags & (FRAME_XEN_HEAP | FRAME_EXTRA)) != 0 || frame.owner != <u16>d.slot) return false;
  return (frame.flags & FRAME_ALLOCATED) != 0 && frame.refs == 1 + others && frame.typeCount == 0;
}

/**
 * The pager wants the page: from now on the guest cannot touch it unnoticed.
 * @returns OK; -EBUSY (no page, not RAM that can be paged, or somebody else refers to it), -ENOMEM (a superpage cannot be split).
 */
export function pagingNominate(d: Domain, gfn: u64): i32 {
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, 0);
  const mfn = d.lookupMfn;
  let rc: i32 = -EBUSY;
  if (Frame.isValid(mfn) && P2mType.isPageable(type) && isUnreferenced(d, mfn, 0)) {
    rc = P2m.set(d, gfn, mfn, 0, P2M_RAM_PAGING_OUT, d.lookupAccess);
  }
  P2m.unlock(d);
  return rc;
}

/**
 * The pager has the contents: the frame goes.
 * @returns OK; -EBUSY (not nominated, touched since, or somebody refers to it).
 */
export function pagingEvict(d: Domain, gfn: u64): i32 {
  const isLocked = !Variant.is(KNOB_PAGING_HISTORIC, PAGING_UNLOCKED);
  if (isLocked) P2m.lock(d);
  const type = P2m.lookup(d, gfn, 0);
  const mfn = d.lookupMfn;
  const access = d.lookupAccess;
  let rc: i32 = -EBUSY;
  const isTouched = type == <u32>P2M_RAM_PAGING_IN && !Variant.is(KNOB_PAGING_HISTORIC, PAGING_TOUCH_IGNORED);
  const isNominated = type == <u32>P2M_RAM_PAGING_OUT || type == <u32>P2M_RAM_PAGING_IN;
  if (Frame.isValid(mfn) && isNominated && !isTouched && getPage(mfn)) {
    if (!isLocked) Window.at(W_EVICT_CHECKED, changetype<usize>(d), ACCESS_WRITE); // the guest may touch the page now
    if (isUnreferenced(d, mfn, 1)) {
      rc = P2m.set(d, gfn, INVALID_MFN, 0, P2M_RAM_PAGED, access);
      Frame.at(mfn).m2p = INVALID_M2P;
      freeFrame(mfn);
      DomainEvents.of(d).pagedPages++;
    }
    putPage(mfn);
  }
  if (isLocked) P2m.unlock(d);
  if (rc == OK) Count.one(CTR_PAGED_OUT);
  return rc;
}

/**
 * The pager brings the page back: `buffer` (linear address of the caller, 0 = none) has its contents. A frame and its contents are there
 * before the guest can see either (fix 26a5c829c8). A page that kept its frame needs no buffer, and the buffer is not looked at.
 * @returns OK; -EINVAL (no buffer, or not an address), -ENOENT (not on its way in, nor out), -ENOMEM, -EFAULT.
 */
export function pagingPrep(v: Vcpu, d: Domain, gfn: u64, buffer: u64): i32 {
  if (buffer > LAST_ADDRESS) return -EINVAL;
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, 0);
  const access = d.lookupAccess;
  let mfn = d.lookupMfn;
  let rc: i32 = OK;
  const isOut = !Frame.isValid(mfn);
  if (type != <u32>P2M_RAM_PAGING_IN && type != <u32>P2M_RAM_PAGED) rc = -ENOENT;
  else if (isOut) {
    const isEmpty = buffer == 0;
    const isEarly = isEmpty && Variant.is(KNOB_PAGING_HISTORIC, PAGING_PREP_EARLY);
    if (isEmpty && !isEarly) rc = -EINVAL;
    else if (d.totPages >= d.maxPages) rc = -ENOMEM;
    else {
      mfn = allocFrame(d.slot, 0);
      if (mfn == 0) rc = -ENOMEM;
      else if (!isEarly && copyFromGuest(v, Frame.host(mfn), buffer, PAGE_SIZE) != 0) {
        freeFrame(mfn);
        rc = -EFAULT;
      }
    }
  }
  if (rc == OK) rc = bringBack(d, gfn, mfn, access, isOut);
  P2m.unlock(d);
  if (rc == OK && isOut) Count.one(CTR_PAGED_IN);
  return rc;
}

function bringBack(d: Domain, gfn: u64, mfn: u32, access: u32, isNew: bool): i32 {
  const rc = P2m.set(d, gfn, mfn, 0, backType(d), access);
  if (rc != OK) {
    if (isNew) freeFrame(mfn);
    return rc;
  }
  frameWritten(mfn);
  Frame.at(mfn).m2p = gfn;
  if (isNew) DomainEvents.of(d).pagedPages--;
  return OK;
}

/** The pager answered a request for `gfn`: a page that kept its frame, or was prepared, is RAM again. */
export function pagingBack(d: Domain, gfn: u64): void {
  P2m.lock(d);
  const type = p2mLookup(d, gfn);
  if (type == <u32>P2M_RAM_PAGING_IN && Frame.isValid(d.lookupMfn)) {
    bringBack(d, gfn, d.lookupMfn, d.lookupAccess, false);
  }
  P2m.unlock(d);
}
