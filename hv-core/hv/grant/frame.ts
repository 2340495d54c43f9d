/** The frame behind a gfn of a domain, held by a reference for as long as a grant or a copy uses it (Xen's get_paged_frame). */
import { GNTST_BAD_PAGE, GNTST_EAGAIN, GNTST_OKAY } from "../../abi/grant";
import { P2M_ALLOC, P2M_MAP_FOREIGN, P2M_UNSHARE } from "../../abi/p2m-types";
import { getPage } from "../../mem/allocator";
import { Frame, INVALID_M2P, OWNER_COW, PAGE_TYPE_NONE, PAGE_TYPE_WRITABLE } from "../../mem/frame-table";
import { Domain } from "../domain";
import { logDirtyMark } from "../logdirty/bitmap";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";

/** Whether `d` can hand on the frame: its own, a shared one, or one that it has mapped as a device model. */
function isReachable(d: Domain, type: u32): bool {
  if (P2mType.isGrant(type) || !P2mType.isAnyRam(type)) return false;
  if (!Frame.isValid(d.lookupMfn)) return false;
  const owner: u32 = Frame.at(d.lookupMfn).owner;
  return owner == d.slot || owner == OWNER_COW || type == <u32>P2M_MAP_FOREIGN;
}

export class GrantFrame {
  /**
   * @returns GNTST_OKAY with the frame in d.lookupMfn and a reference on it; GNTST_EAGAIN (paged out: asked for; or shared, and no memory
   * for a copy), GNTST_BAD_PAGE (no RAM there, or somebody else's).
   */
  static get(d: Domain, gfn: u64, isReadOnly: bool): i32 {
    const type = P2m.lookup(d, gfn, isReadOnly ? P2M_ALLOC : P2M_ALLOC | P2M_UNSHARE);
    if (P2mType.isPaging(type)) {
      pagingPopulate(d, gfn);
      return GNTST_EAGAIN;
    }
    if (!isReadOnly && P2mType.isShared(type)) return GNTST_EAGAIN;
    if (!isReachable(d, type)) return GNTST_BAD_PAGE;
    return getPage(d.lookupMfn) ? GNTST_OKAY : GNTST_BAD_PAGE;
  }

  /** A reference that lets the holder write; false when the frame is in use as something else (shared). */
  static getWritable(mfn: u32): bool {
    const frame = Frame.at(mfn);
    if (frame.typeCount != 0 && frame.pageType != PAGE_TYPE_WRITABLE) return false;
    frame.setPageType(PAGE_TYPE_WRITABLE);
    frame.typeCount++;
    return true;
  }

  static putWritable(mfn: u32): void {
    const frame = Frame.at(mfn);
    frame.typeCount--;
    if (frame.typeCount == 0) frame.setPageType(PAGE_TYPE_NONE);
  }

  /** Somebody else wrote to a page of `d`: a migration has to send it again. */
  static markDirty(d: Domain, mfn: u32): void {
    const frame = Frame.at(mfn);
    if (<u32>frame.owner == d.slot && frame.m2p != INVALID_M2P) logDirtyMark(d, frame.m2p);
  }
}
