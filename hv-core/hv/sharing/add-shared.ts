/**
 * add_to_physmap: a hole of the client shows a page of the source (spec 04 section 4.2). It is how a fork gets its parent's pages, too.
 */
import { ENOENT, ENOMEM, OK } from "../../abi/errno";
import { SHARING_C_HANDLE_INVALID, SHARING_S_HANDLE_INVALID } from "../../abi/hypercalls";
import { AS_XEN, KNOB_SHARING_ADD_COUNT, KNOB_SHARING_ERA, SHARING_ERA_2012 } from "../../abi/knobs";
import { P2M_RAM_SHARED } from "../../abi/p2m-types";
import { Knobs } from "../../base/machine";
import { freeFrame } from "../../mem/allocator";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { p2mSet } from "../p2m/set";
import { P2mType } from "../p2m/types";
import { DomainEvents } from "../vm-event/domain-events";
import { ShareInfo } from "./info";
import { PageLock } from "./page-lock";
import { PageState } from "./page-state";
import { Rmap, RmapRecord } from "./rmap";
import { Sharing } from "./state";
import { TwoGfns } from "./two-gfns";

/**
 * @returns OK; -10 (source not shared, or another handle), -9 (the client has something at that gfn), -ENOMEM (no record; no table),
 * -EINVAL (no such gfn); the interface of 2012 calls every failure of the entry -ENOENT.
 */
export function addShared(source: Domain, sourceGfn: u64, handle: u64, client: Domain, clientGfn: u64): i32 {
  TwoGfns.lock(source, sourceGfn, client, clientGfn);
  Sharing.begin();
  const result = addLocked(source, sourceGfn, handle, client, clientGfn);
  Sharing.end();
  TwoGfns.unlock(source, sourceGfn, client, clientGfn);
  return result;
}

function addLocked(source: Domain, sourceGfn: u64, handle: u64, client: Domain, clientGfn: u64): i32 {
  const clientType = p2mLookup(client, clientGfn);
  const clientMfn = client.lookupMfn;
  p2mLookup(source, sourceGfn);
  const mfn = source.lookupMfn;
  if (!PageLock.acquire(mfn)) return SHARING_S_HANDLE_INVALID;
  const result = addToPage(mfn, handle, client, clientGfn, clientType, clientMfn);
  PageLock.release(mfn);
  return result;
}

function addToPage(mfn: u32, handle: u64, client: Domain, gfn: u64, type: u32, old: u32): i32 {
  if (ShareInfo.of(mfn).handle != handle) return SHARING_S_HANDLE_INVALID;
  if (!P2mType.isHole(type)) return SHARING_C_HANDLE_INVALID;
  const record = RmapRecord.create(client, gfn);
  if (record == 0) return -ENOMEM;
  PageState.ref(mfn);
  Rmap.add(mfn, record);
  const s = Sharing.get();
  const error = p2mSet(client, gfn, mfn, 0, P2M_RAM_SHARED, client.p2mDefaultAccess);
  if (error != OK) {
    Rmap.remove(mfn, record, true);
    RmapRecord.dispose(client, record);
    PageState.unref(mfn);
    if (Knobs.get(KNOB_SHARING_ADD_COUNT) == <u32>AS_XEN) {
      s.nrSaved++; // S-8: nothing was saved
      s.leaked++;
    }
    return Knobs.get(KNOB_SHARING_ERA) == <u32>SHARING_ERA_2012 ? -ENOENT : error;
  }
  s.nrSaved++;
  if (P2mType.isPaging(type)) wasPaged(client, old);
  return OK;
}

/** The hole was a page that a pager has, or brings back: it is not needed any more. */
function wasPaged(client: Domain, old: u32): void {
  if (Frame.isValid(old)) {
    P2m.flushNow(client);
    freeFrame(old);
  } else {
    DomainEvents.of(client).pagedPages--;
  }
}
