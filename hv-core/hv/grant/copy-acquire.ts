/**
 * One side of a grant copy that is named by a reference: pinned for the time of the copy, as a mapping would be (Xen's
 * acquire_grant_for_copy). Only here may an entry be transitive, that is name another domain's reference, or a part of a page.
 */
import {
  GNTST_BAD_GNTREF,
  GNTST_GENERAL_ERROR,
  GNTST_OKAY,
  GRANT_V2_LENGTH,
  GRANT_V2_OFFSET,
  GRANT_V2_TRANS_DOMID,
  GRANT_V2_TRANS_REF,
  GTF_SUB_PAGE,
  GTF_TRANSITIVE,
  GTF_TYPE_MASK,
} from "../../abi/grant";
import { GRANT_RACE_ENTRY_FRAME, KNOB_GRANT_RACE } from "../../abi/knobs";
import { W_GRANT_TRANSITIVE } from "../../abi/windows";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { getPage, putPage } from "../../mem/allocator";
import { Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { Active } from "./active";
import { Entry } from "./entry";
import { GrantFrame } from "./frame";
import { Grants, GrantTable } from "./table";

/** The entry changed while its lock was let go: the copy is made again from the start. */
export const COPY_RESTART: i32 = 1;

/** Where the bytes are: a frame, held, and the part of it that may be used. */
@unmanaged
export class CopySide {
  mfn: u32;
  start: u32;
  length: u32;
  /** The frame that is held for this side: the same one, but for variant C-44. */
  held: u32;
}

/** What the entry says now goes to the active entry, for its first use. */
function describe(act: Active, user: u32, side: CopySide, transDomid: u32, transRef: u32, isSubPage: bool): void {
  act.domid = <u16>user;
  act.start = <u16>side.start;
  act.length = <u16>side.length;
  act.mfn = side.mfn;
  act.transDomid = transDomid;
  act.transRef = transRef;
  act.isSubPage = isSubPage ? 1 : 0;
}

/** The part of its page that entry `ref` grants; a length of 16 bits, 4096 at most where it counts. */
function readPart(t: GrantTable, ref: u32, side: CopySide): bool {
  side.start = 0;
  side.length = 4096;
  const at = t.entry(ref);
  if (t.version == 1 || at == 0 || (load<u16>(at) & GTF_SUB_PAGE) == 0) return false;
  side.start = load<u16>(at, GRANT_V2_OFFSET);
  side.length = load<u16>(at, GRANT_V2_LENGTH);
  return true;
}

/** A plain entry, marked already: its frame is found, once; a later use takes the frame that the first one found. */
function acquirePlain(
  owner: Domain,
  t: GrantTable,
  act: Active,
  ref: u32,
  user: u32,
  isReadOnly: bool,
  side: CopySide,
): i32 {
  const gfn = Entry.gfn(t, ref);
  const isSubPage = readPart(t, ref, side);
  const status = GrantFrame.get(owner, gfn, isReadOnly);
  if (status != GNTST_OKAY) return status;
  side.mfn = owner.lookupMfn;
  side.held = side.mfn;
  if (act.pin == 0) {
    act.gfn = gfn;
    describe(act, user, side, owner.domid, ref, isSubPage);
  }
  return GNTST_OKAY;
}

/** One more use of an entry that is in use. */
function acquirePinned(act: Active, side: CopySide): i32 {
  if (!getPage(act.mfn)) return GNTST_GENERAL_ERROR;
  side.held = act.mfn;
  return GNTST_OKAY;
}

/** Whether the pinned entry is what its domain's entry led to just now. */
function isSame(act: Active, user: u32, side: CopySide, domid: u32, ref: u32): bool {
  const isSamePart = <u32>act.start == side.start && <u32>act.length == side.length && act.mfn == side.mfn;
  return isSamePart && <u32>act.domid == user && act.transDomid == domid && act.transRef == ref && act.isSubPage != 0;
}

/**
 * A transitive entry, marked already. The other domain's lock must not be taken under this one: it is let go, and afterwards nothing may
 * have changed.
 */
function acquireTransitive(owner: Domain, t: GrantTable, ref: u32, isReadOnly: bool, user: u32, side: CopySide): i32 {
  const act = Active.of(t, ref);
  const at = t.entry(ref);
  const domid = <u32>load<u16>(at, GRANT_V2_TRANS_DOMID); // read once
  const next = load<u32>(at, GRANT_V2_TRANS_REF);
  const found = domid == owner.domid ? 0 : findOtherDomain(domid);
  if (found == 0) return GNTST_GENERAL_ERROR;
  const source = changetype<Domain>(found);
  const pin = act.pin;
  Grants.unlock(owner);
  Window.at(W_GRANT_TRANSITIVE, changetype<usize>(owner), ACCESS_READ);
  const status = copyAcquire(source, next, owner.domid, isReadOnly, false, side);
  Grants.lock(owner);
  if (status != GNTST_OKAY) return status;
  const isChanged = t.version != 2 || act.pin != pin;
  if (!isChanged && (pin == 0 || isSame(act, user, side, domid, next))) {
    // A part, always: that keeps it from being mapped.
    if (pin == 0) describe(act, user, side, domid, next, true);
    return GNTST_OKAY;
  }
  copyRelease(source, next, isReadOnly);
  putPage(side.held);
  // An entry in use as one thing that says now that it is another will not get better: Xen 4.17 makes the copy again here, too, and for ever.
  return isChanged ? COPY_RESTART : GNTST_GENERAL_ERROR;
}

function acquireLocked(
  owner: Domain,
  t: GrantTable,
  ref: u32,
  user: u32,
  isReadOnly: bool,
  isFirst: bool,
  side: CopySide,
): i32 {
  if (ref >= t.entries) return GNTST_BAD_GNTREF;
  const act = Active.of(t, ref);
  if (!act.admits(user, isReadOnly)) return GNTST_GENERAL_ERROR;
  const isNew = act.pin == 0 || (!isReadOnly && !act.isWritten);
  const isTransitive = t.version == 2 && (Entry.header(t, ref) & GTF_TYPE_MASK) == <u32>GTF_TRANSITIVE;
  if (isNew) {
    const marked = Entry.mark(t, ref, act, user, isReadOnly, false);
    if (marked != GNTST_OKAY) return marked;
  }
  // Variant C-44, XSA-500: a writable use of an entry that is pinned read-only holds the frame that the entry names by now.
  const isAfresh = act.pin == 0 || (isNew && Variant.is(KNOB_GRANT_RACE, GRANT_RACE_ENTRY_FRAME));
  let status: i32;
  if (isTransitive) status = isFirst ? acquireTransitive(owner, t, ref, isReadOnly, user, side) : GNTST_GENERAL_ERROR;
  else if (isAfresh) status = acquirePlain(owner, t, act, ref, user, isReadOnly, side);
  else status = acquirePinned(act, side);
  if (status != GNTST_OKAY) {
    if (isNew) Entry.unmark(t.status(ref), act, isReadOnly);
    return status;
  }
  act.add(t, isReadOnly);
  side.mfn = act.mfn;
  side.start = act.start;
  side.length = act.length;
  return GNTST_OKAY;
}

/**
 * Pins entry `ref` of `owner` for a copy by domain `user`.
 * @returns GNTST_OKAY with the frame in `side`, held; GNTST_BAD_GNTREF, GNTST_GENERAL_ERROR, GNTST_BAD_PAGE, GNTST_EAGAIN; COPY_RESTART.
 */
export function copyAcquire(owner: Domain, ref: u32, user: u32, isReadOnly: bool, isFirst: bool, side: CopySide): i32 {
  Grants.lock(owner);
  const table = Grants.table(owner);
  const status =
    table == 0
      ? GNTST_GENERAL_ERROR
      : acquireLocked(owner, changetype<GrantTable>(table), ref, user, isReadOnly, isFirst, side);
  Grants.unlock(owner);
  return status;
}

/** The end of that use. The frame is the caller's to give back, afterwards: a pin says that its frame is alive (C-43). */
export function copyRelease(owner: Domain, ref: u32, isReadOnly: bool): void {
  Grants.lock(owner);
  const t = GrantTable.at(owner.grantMfn);
  const act = Active.of(t, ref);
  const domid = act.transDomid;
  const next = act.transRef;
  act.remove(t, isReadOnly);
  Entry.unmark(t.status(ref), act, isReadOnly);
  Grants.unlock(owner);
  if (domid == owner.domid) return;
  const found = Domain.find(domid);
  if (found != 0) copyRelease(changetype<Domain>(found), next, isReadOnly);
}
