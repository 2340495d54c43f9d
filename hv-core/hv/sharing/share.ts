/**
 * Sharing: all gfns that show the client's frame show the source's from now on, and the client's frame goes (spec 04 section 4.2).
 * Contents are not compared: whoever shares has done that, after nominating both, so that a write in between has made a handle void.
 *
 * Locks: the p2ms of the two gfns, then the two pages in mfn order. Entries of a third domain in the client's reverse map need its p2m
 * lock too, which is of a lower level than the page locks that are held by then: there Xen stops (S-10). Knob sharing.thirdDomain=fixed
 * takes the locks of all domains first and looks again.
 */
import { CTR_SHARE_SHARED } from "../../abi/counters";
import { E2BIG, OK } from "../../abi/errno";
import { SHARING_C_HANDLE_INVALID, SHARING_S_HANDLE_INVALID } from "../../abi/hypercalls";
import { AS_FIXED, KNOB_SHARING_THIRD, SHARING_DEFECT_LEFT_LOCKED } from "../../abi/knobs";
import { P2M_RAM_SHARED } from "../../abi/p2m-types";
import { TRC_SHARE } from "../../abi/trace-events";
import { W_ENTRY_MOVED, W_USED_COUNTED } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { p2mSet } from "../p2m/set";
import { DomainLocks } from "./domain-locks";
import { ShareInfo } from "./info";
import { PageLock } from "./page-lock";
import { PageState } from "./page-state";
import { Rmap, RmapRecord } from "./rmap";
import { Sharing } from "./state";
import { hasSharingDefect, TwoGfns } from "./two-gfns";

const SITE_MOVE: u32 = 65;
/** Not an errno: the p2m locks of more domains are needed. */
const MORE_LOCKS: i32 = 1;

/**
 * @returns OK (also when both gfns show one frame already: the handles do not matter then); -9 (client handle), -10 (source handle), raw;
 * -E2BIG when too many other domains show the client's frame.
 */
export function share(
  source: Domain,
  sourceGfn: u64,
  sourceHandle: u64,
  client: Domain,
  clientGfn: u64,
  clientHandle: u64,
): i32 {
  TwoGfns.lock(source, sourceGfn, client, clientGfn);
  Sharing.begin();
  const result = shareLocked(source, sourceGfn, sourceHandle, client, clientGfn, clientHandle, false);
  Sharing.end();
  TwoGfns.unlock(source, sourceGfn, client, clientGfn);
  return result == MORE_LOCKS ? shareWithAll(source, sourceGfn, sourceHandle, client, clientGfn, clientHandle) : result;
}

/** The locks of every domain in the client's map first. They may be others by then: look again. */
function shareWithAll(
  source: Domain,
  sourceGfn: u64,
  sourceHandle: u64,
  client: Domain,
  clientGfn: u64,
  clientHandle: u64,
): i32 {
  let result = MORE_LOCKS;
  DomainLocks.add(source.slot);
  DomainLocks.add(client.slot);
  while (result == MORE_LOCKS) {
    if (!DomainLocks.grow()) return -E2BIG;
    DomainLocks.acquire();
    Sharing.begin();
    result = shareLocked(source, sourceGfn, sourceHandle, client, clientGfn, clientHandle, true);
    Sharing.end();
    DomainLocks.release();
  }
  return result;
}

function frameAt(d: Domain, gfn: u64): u32 {
  p2mLookup(d, gfn);
  return d.lookupMfn;
}

/** Locks both pages, the lower mfn first: OK, or which of them is not shared. */
function lockPages(source: u32, client: u32): i32 {
  const isSourceFirst = source < client;
  const first = isSourceFirst ? source : client;
  const second = isSourceFirst ? client : source;
  if (!PageLock.acquire(first)) return isSourceFirst ? SHARING_S_HANDLE_INVALID : SHARING_C_HANDLE_INVALID;
  if (PageLock.acquire(second)) return OK;
  PageLock.release(first);
  return isSourceFirst ? SHARING_C_HANDLE_INVALID : SHARING_S_HANDLE_INVALID;
}

function unlockPages(source: u32, client: u32): void {
  PageLock.release(source);
  PageLock.release(client);
}

function shareLocked(
  source: Domain,
  sourceGfn: u64,
  sourceHandle: u64,
  client: Domain,
  clientGfn: u64,
  clientHandle: u64,
  hasAll: bool,
): i32 {
  const from = frameAt(client, clientGfn);
  const to = frameAt(source, sourceGfn);
  if (from == to) return OK;
  const locked = lockPages(to, from);
  if (locked != OK) return locked;
  let result = OK;
  if (ShareInfo.of(to).handle != sourceHandle) result = SHARING_S_HANDLE_INVALID;
  else if (ShareInfo.of(from).handle != clientHandle) result = SHARING_C_HANDLE_INVALID;
  else if (Knobs.get(KNOB_SHARING_THIRD) == <u32>AS_FIXED && needsMoreLocks(from, source, client, hasAll))
    result = MORE_LOCKS;
  if (result != OK) {
    if (!(result == SHARING_C_HANDLE_INVALID && hasSharingDefect(SHARING_DEFECT_LEFT_LOCKED))) unlockPages(to, from);
    return result;
  }
  const moved = moveEntries(from, to);
  ShareInfo.auditRemove(ShareInfo.of(from));
  Rmap.dispose(from);
  ShareInfo.dispose(from);
  unlockPages(to, from);
  PageState.release(from);
  for (let i: u32 = 0; i < moved; i++) PageState.unref(from);
  const s = Sharing.get();
  s.nrShared--;
  Window.at(W_USED_COUNTED, changetype<usize>(s), ACCESS_WRITE); // who adds the counters up now finds one page too few
  s.nrSaved++;
  Count.one(CTR_SHARE_SHARED);
  Trace.event(TRC_SHARE, TRACE_NO_VCPU, source.domid | (client.domid << 16), sourceGfn, clientGfn);
  return OK;
}

/** Notes the domains whose p2m lock is missing. */
function needsMoreLocks(mfn: u32, source: Domain, client: Domain, hasAll: bool): bool {
  let isMissing = false;
  if (!hasAll) DomainLocks.clear();
  for (let at = Rmap.first(mfn); at != 0; at = Rmap.after(mfn, at)) {
    const slot = RmapRecord.at(at).slot;
    if (hasAll ? DomainLocks.has(slot) : slot == source.slot || slot == client.slot) continue;
    DomainLocks.want(slot);
    isMissing = true;
  }
  return isMissing;
}

/** Every entry of `from`'s reverse map goes to `to`. @returns how many. */
function moveEntries(from: u32, to: u32): u32 {
  let moved: u32 = 0;
  for (let at = Rmap.first(from); at != 0; at = Rmap.first(from)) {
    const record = RmapRecord.at(at);
    const d = Domain.at(record.slot);
    PageState.ref(to);
    Rmap.remove(from, at, false);
    Rmap.add(to, at);
    P2m.lock(d);
    const error = p2mSet(d, record.gfn, to, 0, P2M_RAM_SHARED, d.p2mDefaultAccess);
    Hv.assertAlways(error == OK, SITE_MOVE);
    P2m.flushNow(d); // the client's frame may go back before the lock is let go
    P2m.unlock(d);
    moved++;
    Window.at(W_ENTRY_MOVED, changetype<usize>(Frame.at(from)), ACCESS_WRITE); // some gfns show the one frame, some the other
  }
  return moved;
}
