/**
 * A frame becomes shared and private again (Xen's page_make_sharable and page_make_private): owner, type, references. The p2m entry is
 * the caller's business, and so is the p2m lock of the domain.
 */
import { E2BIG, EBUSY, EEXIST, EINVAL, OK } from "../../abi/errno";
import { W_LOCK } from "../../abi/windows";
import { suspend } from "../../base/env";
import { changeOwner, freeFrame, getPage, putPage } from "../../mem/allocator";
import { FRAME_ALLOCATED, Frame, OWNER_COW, PAGE_TYPE_NONE, PAGE_TYPE_SHARED } from "../../mem/frame-table";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { PageLock } from "./page-lock";

export class PageState {
  /** One more general and type reference of a shared frame. */
  static ref(mfn: u32): void {
    getPage(mfn);
    Frame.at(mfn).typeCount++;
  }

  /**
   * Drops them; the last type reference ends the type. The last general one gives the frame back. The last type reference of a locked
   * page cannot go: who drops it waits for the lock, and for ever if it is his own (C-53).
   */
  static unref(mfn: u32): void {
    const frame = Frame.at(mfn);
    if (isDefined(RACE)) {
      while (frame.typeCount == 1 && frame.lock != 0) suspend(W_LOCK, <u32>PageLock.word(mfn), 1);
    }
    frame.typeCount--;
    if (frame.typeCount == 0) frame.setPageType(PAGE_TYPE_NONE);
    putPage(mfn);
  }

  /** Drops the reference that "somebody owns it" stands for. */
  @inline static release(mfn: u32): void {
    freeFrame(mfn);
  }

  /**
   * The domain's private frame becomes a shared one with one reference, owned by nobody.
   * @param extra references that may exist beside the owner's (three for a page that is named by a grant).
   * @returns OK; -EBUSY (dying), -EINVAL (in use with another type), -EEXIST, -E2BIG (somebody else holds it).
   */
  static makeSharable(d: Domain, mfn: u32, extra: u32): i32 {
    if (d.state != DOMAIN_ALIVE) return -EBUSY;
    const frame = Frame.at(mfn);
    if (frame.typeCount != 0 && frame.pageType != PAGE_TYPE_SHARED) return -EINVAL;
    if (frame.owner != <u16>d.slot || !getPage(mfn)) return -EINVAL;
    frame.setPageType(PAGE_TYPE_SHARED);
    frame.typeCount++;
    if (frame.typeCount != 1) {
      PageState.unref(mfn);
      return -EEXIST;
    }
    if (frame.refs != 2 + extra || (frame.flags & FRAME_ALLOCATED) == 0) {
      PageState.unref(mfn);
      return -E2BIG;
    }
    changeOwner(mfn, OWNER_COW);
    return OK;
  }

  /**
   * The shared frame, of which one reference is left, becomes the domain's own again. The caller holds the page lock, and has lost it
   * when this succeeds: a page that is not shared cannot be locked.
   * @returns OK; -EBUSY (dying), -EEXIST (not the last one).
   */
  static makePrivate(d: Domain, mfn: u32): i32 {
    if (d.state != DOMAIN_ALIVE) return -EBUSY;
    if (Frame.at(mfn).typeCount != 1) return -EEXIST;
    changeOwner(mfn, d.slot);
    PageLock.release(mfn);
    PageState.unref(mfn);
    return OK;
  }
}
