/**
 * Frames in and out of a guest's physical address space, with the M2P kept in step (spec 01 section 1.7, p2m_add_page and
 * p2m_remove_page; spec 08 section 8.2). Used by memory_op.
 */
import { CRASH_P2M_SPECIAL } from "../../abi/crash";
import { EILSEQ, EINVAL, ENOENT, ENOMEM, ENXIO, EPERM, OK } from "../../abi/errno";
import { P2M_ALLOC, P2M_MAP_FOREIGN, P2M_MMIO_DIRECT, P2M_RAM_RW, P2M_UNSHARE } from "../../abi/p2m-types";
import { freeFrame } from "../../mem/allocator";
import { FRAME_EXTRA, FRAME_XEN_HEAP, Frame, INVALID_M2P, OWNER_COW } from "../../mem/frame-table";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { Mapcache } from "../ioreq/mapcache";
import { logDirtyMark } from "../logdirty/bitmap";
import { pagingDropped } from "../paging/populate";
import { notifyNoMemory } from "../sharing/enomem";
import { unshare } from "../sharing/unshare";
import { DomainEvents } from "../vm-event/domain-events";
import { P2M_GFN_LIMIT } from "./lookup";
import { INVALID_MFN, P2m } from "./p2m";
import { P2mType } from "./types";

/** The page that was here is out of sight now; it still belongs to its owner. */
function forget(d: Domain, mfn: u32): void {
  if (!Frame.isValid(mfn)) return;
  const frame = Frame.at(mfn);
  if (frame.owner == d.slot) frame.m2p = INVALID_M2P;
}

/**
 * Something else will be mapped at `gfn`: a page of RAM there is the domain's no longer to see, but still its own. A special mapping
 * there crashes the domain. @returns OK, with what was there in d.lookup*; -EPERM (special), -ENOMEM (shared, and it cannot be unshared).
 */
export function physmapMakeRoom(d: Domain, gfn: u64): i32 {
  const type = P2m.lookup(d, gfn, 0);
  if (P2mType.isShared(type)) {
    // What is shared must not be replaced under its other users.
    const error = unshare(d, gfn, false);
    if (error != OK) {
      if (error == -ENOMEM) notifyNoMemory(d, gfn);
      return error;
    }
    P2m.lookup(d, gfn, 0);
  }
  if (P2mType.isSpecial(type)) {
    domainCrash(d, CRASH_P2M_SPECIAL);
    return -EPERM;
  }
  if (P2mType.isRam(type)) forget(d, d.lookupMfn);
  if (P2mType.isPaging(type)) forgetPaged(d, gfn, type);
  return OK;
}

/**
 * Maps 2^order of the domain's own frames as RAM. What was mapped there before stays owned but is unmapped; a special mapping in
 * the way crashes the domain.
 *
 * @returns OK, -EINVAL (no such gfn, or a shared frame), -EPERM (special mapping), -ENOMEM (no table, or a shared page there that cannot
 * be unshared).
 */
export function physmapAdd(d: Domain, gfn: u64, mfn: u32, order: u32): i32 {
  const size: u32 = 1 << order;
  if (gfn + size < gfn || gfn + size > (<u64>1) << 36) return -EINVAL;
  for (let i: u32 = 0; i < size; i++) if (Frame.at(mfn + i).owner == OWNER_COW) return -EINVAL;
  for (let i: u32 = 0; i < size; ) {
    const blocked = physmapMakeRoom(d, gfn + i);
    if (blocked != OK) return blocked;
    i += holeLength(d, gfn + i, d.lookupType);
  }
  for (let i: u32 = 0; i < size; i++) physmapUnmapAlias(d, gfn + i, mfn + i);
  const error = P2m.set(d, gfn, mfn, order, P2M_RAM_RW, d.p2mDefaultAccess);
  if (error != OK) {
    unmapPieces(d, gfn, mfn, size);
    return error;
  }
  for (let i: u32 = 0; i < size; i++) {
    Frame.at(mfn + i).m2p = gfn + i;
    logDirtyMark(d, gfn + i);
  }
  return OK;
}

/** A frame is mapped at one gfn of its domain: at another one it goes away, or a release there would give it back while it is in use. */
export function physmapUnmapAlias(d: Domain, gfn: u64, mfn: u32): void {
  const old = Frame.at(mfn).m2p;
  if (old == gfn || old >= P2M_GFN_LIMIT) return;
  if (P2mType.isRam(P2m.lookup(d, old, 0)) && d.lookupMfn == mfn) P2m.clear(d, old, 0);
}

/** A failed mapping may have mapped some pieces: they go before their frames do. */
function unmapPieces(d: Domain, gfn: u64, mfn: u32, size: u32): void {
  for (let i: u32 = 0; i < size; i++) {
    P2m.lookup(d, gfn + i, 0);
    if (d.lookupMfn == mfn + i) P2m.clear(d, gfn + i, 0);
  }
}

/** Pages from `gfn` on that the last lookup spoke for: holes come in large blocks. */
function holeLength(d: Domain, gfn: u64, type: u32): u32 {
  if (!P2mType.isHole(type)) return 1;
  const block = (<u32>1) << d.lookupOrder;
  return block - (<u32>gfn & (block - 1));
}

/** Unmaps `gfn` if it maps `mfn`; -EILSEQ if it does not. The frame stays with its owner. */
export function physmapRemove(d: Domain, gfn: u64, mfn: u32): i32 {
  P2m.lookup(d, gfn, 0);
  if (d.lookupMfn != mfn) return -EILSEQ;
  Mapcache.pageGoes(d);
  forget(d, mfn);
  const error = P2m.clear(d, gfn, 0);
  if (error == OK) Mapcache.pageGone(d);
  return error;
}

/** Whether a frame belongs to the hypervisor: it is unhooked, never freed. */
export function isSpecialFrame(mfn: u32): bool {
  return (Frame.at(mfn).flags & (FRAME_XEN_HEAP | FRAME_EXTRA)) != 0;
}

/** A page on its way out or in is given back: its frame, if it has one, and the pager hears of it. */
function releasePaged(d: Domain, gfn: u64, mfn: u32, type: u32): i32 {
  P2m.lock(d);
  const error = P2m.clear(d, gfn, 0);
  if (error == OK && Frame.isValid(mfn)) {
    forget(d, mfn);
    Mapcache.pageGone(d);
    freeFrame(mfn);
  } else if (error == OK) {
    DomainEvents.of(d).pagedPages--;
  }
  P2m.unlock(d);
  if (error == OK) pagingDropped(d, gfn, type);
  return error;
}

/** A paged page that is replaced: whoever maps something else there does not want it back. */
function forgetPaged(d: Domain, gfn: u64, type: u32): void {
  if (!Frame.isValid(d.lookupMfn)) DomainEvents.of(d).pagedPages--;
  pagingDropped(d, gfn, type);
}

/**
 * Takes the page at `gfn` away from the domain and gives its frame back (guest_remove_page).
 *
 * @returns OK, -ENOENT (a hole), -EPERM (direct MMIO), -ENXIO (somebody else's frame), -ENOMEM (shared, and no memory to unshare it).
 */
export function physmapRelease(d: Domain, gfn: u64): i32 {
  let type = P2m.lookup(d, gfn, 0);
  if (P2mType.isShared(type)) {
    // The domain may be the last one that uses the frame: then it must go, as any other would.
    type = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
    if (P2mType.isShared(type)) return -ENOMEM;
  }
  const mfn = d.lookupMfn;
  if (type == <u32>P2M_MMIO_DIRECT) return -EPERM;
  if (P2mType.isPaging(type)) return releasePaged(d, gfn, mfn, type);
  if (mfn == INVALID_MFN || !Frame.isValid(mfn)) return -ENOENT;
  if (type == <u32>P2M_MAP_FOREIGN) return P2m.clear(d, gfn, 0);
  if (Frame.at(mfn).owner != d.slot) return -ENXIO;
  const error = physmapRemove(d, gfn, mfn);
  P2m.flushIfHeld(d); // the caller may hold the lock, and then the flush is still to come
  if (error == OK && !isSpecialFrame(mfn)) freeFrame(mfn);
  return error;
}
