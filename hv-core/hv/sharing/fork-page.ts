/**
 * A fork touches a page it does not have yet: it comes from its nearest ancestor that has one (spec 04 section 4.2). For a read the two
 * share it; for a write, or when that fails, the fork gets a copy of its own.
 *
 * Before: p2m/p2m.ts, with the fork's p2m lock held. The ancestor's is taken on top of it, whatever their order: nothing but the level of
 * the lock is checked there, as in Xen.
 */
import { CTR_FORK_COPIED, CTR_FORK_SHARED, CTR_PAGES_COPIED } from "../../abi/counters";
import { ENOENT, ENOMEM, OK } from "../../abi/errno";
import { PAGE_SIZE } from "../../abi/layout";
import { P2M_RAM_RW } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { allocFrameToFill, freeFrame } from "../../mem/allocator";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { canTake, took } from "../hypercall/claim";
import { Scratch } from "../hypercall/guest-copy";
import { logDirtyMark } from "../logdirty/bitmap";
import { p2mLookup } from "../p2m/lookup";
import { P2m } from "../p2m/p2m";
import { p2mSet } from "../p2m/set";
import { P2mType } from "../p2m/types";
import { addShared } from "./add-shared";
import { nominate } from "./nominate";

/** Where the handle of a page is put that is nominated on behalf of a fork. */
const FORK_HANDLE: usize = 0x3f8;

/** The domain that `d` is a fork of, null (0) when it is none. */
export function forkParentOf(d: Domain): usize {
  return d.forkParent == 0 ? 0 : changetype<usize>(Domain.at(d.forkParent - 1));
}

/** True when an ancestor's page is shared with `d` now. */
function shareWithAncestor(d: Domain, gfn: u64): bool {
  const handleAt = Scratch.at + FORK_HANDLE;
  for (let at = forkParentOf(d); at != 0; at = forkParentOf(changetype<Domain>(at))) {
    const parent = changetype<Domain>(at);
    if (nominate(parent, gfn, 0, handleAt) != OK) continue;
    return addShared(parent, gfn, load<u64>(handleAt), d, gfn) == OK;
  }
  return false;
}

function copyFrom(parent: Domain, d: Domain, gfn: u64, mfn: u32): i32 {
  const own = <u64>d.totPages < <u64>d.maxPages && canTake(d, 1) ? allocFrameToFill(d.slot, 0) : 0;
  if (own == 0) return -ENOMEM;
  took(d, 1);
  memory.copy(Frame.host(own), Frame.host(mfn), PAGE_SIZE);
  const error = p2mSet(d, gfn, own, 0, P2M_RAM_RW, d.p2mDefaultAccess);
  if (error != OK) {
    freeFrame(own);
    return error;
  }
  Frame.at(own).m2p = gfn;
  logDirtyMark(d, gfn);
  Count.one(CTR_PAGES_COPIED);
  Count.one(CTR_FORK_COPIED);
  return OK;
}

/** @returns OK: the fork has something at `gfn` now; -ENOENT: no ancestor has RAM there; -ENOMEM. */
export function forkPage(d: Domain, gfn: u64, isWrite: bool): i32 {
  if (!isWrite && shareWithAncestor(d, gfn)) {
    Count.one(CTR_FORK_SHARED);
    return OK;
  }
  for (let at = forkParentOf(d); at != 0; at = forkParentOf(changetype<Domain>(at))) {
    const parent = changetype<Domain>(at);
    P2m.lock(parent);
    const type = p2mLookup(parent, gfn);
    const mfn = parent.lookupMfn;
    const isRam = Frame.isValid(mfn) && P2mType.isRam(type);
    const result = isRam ? copyFrom(parent, d, gfn, mfn) : -ENOENT;
    P2m.unlock(parent);
    if (isRam) return result;
  }
  return -ENOENT;
}
