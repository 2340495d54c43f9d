/**
 * The two shared pages of an ioreq server and the two ways to get them (spec 03 section 3.3): a gfn of the target that
 * Xen picks and hides while the server is enabled, or a fresh frame handed out through XENMEM_acquire_resource.
 */
import { CRASH_IOREQ_PAGE } from "../../abi/crash";
import { EINVAL, ENOENT, ENOMEM, EPERM, OK } from "../../abi/errno";
import { BUFIOREQ_OFF } from "../../abi/ioreq";
import { PAGE_SIZE } from "../../abi/layout";
import { P2M_ALLOC, P2M_MMIO_DIRECT, P2M_RAM_RW, P2M_RAM_SHARED, P2M_UNSHARE } from "../../abi/p2m-types";
import { allocFrame, freeFrame, getPage, putPage } from "../../mem/allocator";
import { frameWritten } from "../../mem/frame-access";
import { FRAME_ALLOCATED, FRAME_EXTRA, Frame, INVALID_M2P } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { INVALID_MFN, P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { ioreqGfnPut, ioreqGfnTake } from "./gfn-pool";
import { isServerPage } from "./lock";
import { IoreqPage, IoreqServer, NO_GFN, PAGE_BUFFERED, PAGE_SYNC } from "./server";

/** Gets the pages in gfn mode, those the server needs. @returns OK, -EINVAL, -ENOMEM, -ENOENT, -EPERM (mode is fixed already). */
export function ioreqPagesMapGfns(s: IoreqServer): i32 {
  const rc = mapGfn(s, s.page(PAGE_SYNC));
  if (rc == OK && s.bufHandling != <u32>BUFIOREQ_OFF) return mapGfn(s, s.page(PAGE_BUFFERED));
  return rc;
}

function mapGfn(s: IoreqServer, page: IoreqPage): i32 {
  const d = s.domain;
  if (page.mfn != 0) return page.gfn == NO_GFN ? -EPERM : OK;
  if (d.state != DOMAIN_ALIVE) return -EINVAL;
  if (!ioreqGfnTake(d, page)) return -ENOMEM;
  const rc = takeRing(d, page);
  if (rc != OK) ioreqGfnPut(d, page);
  return rc;
}

/** References the frame behind page.gfn (spec 04 section 4.3). */
function takeRing(d: Domain, page: IoreqPage): i32 {
  P2m.lock(d);
  const type = P2m.lookup(d, page.gfn, P2M_ALLOC | P2M_UNSHARE);
  const mfn = d.lookupMfn;
  let rc = OK;
  if (type == <u32>P2M_RAM_SHARED) rc = -ENOENT;
  else if (type == <u32>P2M_MMIO_DIRECT) rc = -EPERM;
  else if (!P2mType.isRam(type) || mfn == INVALID_MFN || !getPage(mfn)) rc = -EINVAL;
  else if (isServerPage(d, mfn)) {
    putPage(mfn);
    rc = -EPERM;
  }
  P2m.unlock(d);
  if (rc == OK) {
    Frame.at(mfn).typeCount++;
    page.mfn = mfn;
  }
  return rc;
}

/** Gets fresh frames for acquire_resource, both pages at once. @returns OK, -ENOMEM, -EPERM (gfn mode is fixed already). */
export function ioreqPagesAlloc(s: IoreqServer): i32 {
  const rc = allocPage(s, s.page(PAGE_SYNC));
  if (rc == OK && s.bufHandling != <u32>BUFIOREQ_OFF) return allocPage(s, s.page(PAGE_BUFFERED));
  return rc;
}

function allocPage(s: IoreqServer, page: IoreqPage): i32 {
  if (page.mfn != 0) return page.gfn == NO_GFN ? OK : -EPERM;
  const mfn = allocFrame(s.target, FRAME_EXTRA);
  if (mfn == 0) return -ENOMEM;
  // A general and a type reference beside the owner's own (XSA-276).
  getPage(mfn);
  Frame.at(mfn).typeCount++;
  page.mfn = mfn;
  return OK;
}

/** Lets go of both pages. */
export function ioreqPagesRelease(s: IoreqServer): void {
  releasePage(s, s.page(PAGE_BUFFERED));
  releasePage(s, s.page(PAGE_SYNC));
}

function releasePage(s: IoreqServer, page: IoreqPage): void {
  const mfn = page.mfn;
  if (mfn == 0) return;
  page.mfn = 0;
  frameWritten(mfn);
  if (Frame.at(mfn).typeCount != 0) Frame.at(mfn).typeCount--;
  if (page.gfn == NO_GFN) freeFrame(mfn);
  else ioreqGfnPut(s.domain, page);
  putPage(mfn);
}

/** Enabling: the guest loses sight of the pages and their contents are cleared. A page that moved crashes the domain. */
export function ioreqPagesHide(s: IoreqServer): void {
  hide(s, s.page(PAGE_SYNC));
  hide(s, s.page(PAGE_BUFFERED));
}

function hide(s: IoreqServer, page: IoreqPage): void {
  if (page.mfn == 0 || page.gfn == NO_GFN) return;
  const d = s.domain;
  P2m.lock(d);
  P2m.lookup(d, page.gfn, 0);
  const isThere = d.lookupMfn == page.mfn;
  const rc = isThere ? P2m.clear(d, page.gfn, 0) : -EINVAL;
  if (rc == OK) Frame.at(page.mfn).m2p = INVALID_M2P;
  P2m.unlock(d);
  if (rc != OK) domainCrash(d, CRASH_IOREQ_PAGE);
  memory.fill(Frame.host(page.mfn), 0, PAGE_SIZE);
  frameWritten(page.mfn);
}

/** Disabling: the pages come back into the guest's memory. */
export function ioreqPagesShow(s: IoreqServer): void {
  show(s, s.page(PAGE_BUFFERED));
  show(s, s.page(PAGE_SYNC));
}

function show(s: IoreqServer, page: IoreqPage): void {
  if (page.mfn == 0 || page.gfn == NO_GFN) return;
  const d = s.domain;
  frameWritten(page.mfn);
  // A frame the guest has given back meanwhile lives on our reference only: it must not be mapped again.
  const frame = Frame.at(page.mfn);
  if ((frame.flags & FRAME_ALLOCATED) == 0 || frame.owner != <u16>d.slot) return;
  P2m.lock(d);
  const rc = P2m.set(d, page.gfn, page.mfn, 0, P2M_RAM_RW, d.p2mDefaultAccess);
  if (rc == OK) frame.m2p = page.gfn;
  P2m.unlock(d);
  if (rc != OK) domainCrash(d, CRASH_IOREQ_PAGE);
}
