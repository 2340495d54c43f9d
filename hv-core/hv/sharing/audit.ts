/**
 * The audit: walks every shared page and counts what is wrong (spec 04 section 4.2). Each finding is a line on the hypervisor's console
 * when the machine is a debug build. It reads other domains' p2m without their locks, so pause them first: what changes meanwhile
 * looks like an error.
 *
 * Xen leaves a page locked on two of its ways out (S-9): whoever takes the lock next waits for ever. Knob sharing.audit=fixed lets go.
 */
import { AS_FIXED, KNOB_SHARING_AUDIT } from "../../abi/knobs";
import { P2M_RAM_SHARED } from "../../abi/p2m-types";
import { W_AUDITED } from "../../abi/windows";
import { Knobs } from "../../base/machine";
import { ACCESS_READ, Window } from "../../base/window";
import { Frame, OWNER_COW, PAGE_TYPE_SHARED, SHARED_M2P } from "../../mem/frame-table";
import { DOMAIN_FREE, Domain } from "../domain";
import { p2mLookup } from "../p2m/lookup";
import { AuditText } from "./audit-text";
import { ShareInfo } from "./info";
import { PageLock } from "./page-lock";
import { Rmap, RmapRecord } from "./rmap";
import { Sharing } from "./state";

export const AUDIT_NOT_LOCKABLE: u32 = 1;
export const AUDIT_TYPE: u32 = 2;
export const AUDIT_OWNER: u32 = 3;
export const AUDIT_M2P: u32 = 4;
export const AUDIT_NO_ENTRIES: u32 = 5;
export const AUDIT_NO_DOMAIN: u32 = 6;
export const AUDIT_OTHER_FRAME: u32 = 7;
export const AUDIT_ENTRY_TYPE: u32 = 8;
export const AUDIT_REFERENCES: u32 = 9;
export const AUDIT_PAGES: u32 = 10;

/** Notes a finding about frame `mfn`. @returns 1: it counts as an error. */
function finding(what: u32, mfn: u32, value: u64): i32 {
  AuditText.put(what, mfn, value);
  return 1;
}

function leave(mfn: u32): void {
  if (Knobs.get(KNOB_SHARING_AUDIT) == <u32>AS_FIXED) PageLock.release(mfn);
}

/** Errors of one page, whose lock is held. Two ways out keep it, as in Xen. */
function auditPage(mfn: u32): i32 {
  const frame = Frame.at(mfn);
  let errors: i32 = 0;
  if (frame.pageType != PAGE_TYPE_SHARED) {
    errors += finding(AUDIT_TYPE, mfn, frame.pageType);
    leave(mfn);
    return errors;
  }
  if (frame.owner != <u16>OWNER_COW) errors += finding(AUDIT_OWNER, mfn, frame.owner);
  if (frame.m2p != SHARED_M2P) errors += finding(AUDIT_M2P, mfn, frame.m2p);
  if (Rmap.first(mfn) == 0) {
    errors += finding(AUDIT_NO_ENTRIES, mfn, 0);
    leave(mfn);
    return errors;
  }
  let entries: u32 = 0;
  for (let at = Rmap.first(mfn); at != 0; at = Rmap.after(mfn, at)) {
    const record = RmapRecord.at(at);
    const d = Domain.at(record.slot);
    if (d.state == DOMAIN_FREE || d.domid != record.domid) {
      errors += finding(AUDIT_NO_DOMAIN, mfn, record.domid);
      continue;
    }
    const type = p2mLookup(d, record.gfn);
    if (d.lookupMfn != mfn) errors += finding(AUDIT_OTHER_FRAME, mfn, record.gfn);
    if (type != <u32>P2M_RAM_SHARED) errors += finding(AUDIT_ENTRY_TYPE, mfn, record.gfn);
    entries++;
  }
  if (entries != frame.typeCount) errors += finding(AUDIT_REFERENCES, mfn, frame.typeCount);
  PageLock.release(mfn);
  return errors;
}

/** The info after `at` on the list. In the race build others come in between, and the one that was looked at may be gone. */
function following(at: u32, handle: u64): u32 {
  if (!isDefined(RACE)) return ShareInfo.at(at).auditNext;
  Window.at(W_AUDITED, at, ACCESS_READ); // the list may change before the next page is looked at
  // Newest first: the list is in descending order of handles.
  let next = Sharing.get().auditHead;
  while (next != 0 && ShareInfo.at(next).handle >= handle) next = ShareInfo.at(next).auditNext;
  return next;
}

/** Number of errors found; 0 = everything is as it should be. */
export function audit(): i32 {
  let errors: i32 = 0;
  let pages: u32 = 0;
  let at = Sharing.get().auditHead;
  while (at != 0) {
    const mfn = ShareInfo.at(at).mfn;
    const handle = ShareInfo.at(at).handle;
    if (!PageLock.acquireTyped(mfn)) {
      errors += finding(AUDIT_NOT_LOCKABLE, mfn, 0);
    } else {
      // A page that is not counted: as in Xen, where the two early ways out come before the count.
      if (Frame.at(mfn).pageType == PAGE_TYPE_SHARED && Rmap.first(mfn) != 0) pages++;
      errors += auditPage(mfn);
    }
    at = following(at, handle);
  }
  if (pages != Sharing.get().nrShared) errors += finding(AUDIT_PAGES, pages, Sharing.get().nrShared);
  return errors;
}
