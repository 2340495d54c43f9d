/**
 * The lock of one shared page (spec 04 section 4.1). It can only be taken on a page that is shared, so "could not lock" is the answer to
 * "is it shared?"; whoever waited for it looks again, because the page may have become private meanwhile.
 *
 * Order (level 24): after every p2m lock (16); two pages in ascending order of their mfn. base/lock-order.ts checks it.
 */
import { Lock } from "../../base/lock";
import { PageLockOrder } from "../../base/page-lock-order";
import { Frame, PAGE_TYPE_SHARED } from "../../mem/frame-table";

export class PageLock {
  @inline static word(mfn: u32): usize {
    return changetype<usize>(Frame.at(mfn)) + offsetof<Frame>("lock");
  }

  @inline static isShared(mfn: u32): bool {
    const frame = Frame.at(mfn);
    return frame.pageType == PAGE_TYPE_SHARED && frame.typeCount != 0;
  }

  /** False when the page is not shared, or no longer when the lock is free. */
  static acquire(mfn: u32): bool {
    if (!Frame.isValid(mfn) || !PageLock.isShared(mfn)) return false;
    const word = PageLock.word(mfn);
    Lock.acquire(word);
    if (!PageLock.isShared(mfn)) {
      Lock.release(word);
      return false;
    }
    PageLockOrder.tookPage(word);
    return true;
  }

  /** For the audit: a page with type references of whatever type. */
  static acquireTyped(mfn: u32): bool {
    if (!Frame.isValid(mfn) || Frame.at(mfn).typeCount == 0) return false;
    const word = PageLock.word(mfn);
    Lock.acquire(word);
    PageLockOrder.tookPage(word);
    return true;
  }

  static release(mfn: u32): void {
    const word = PageLock.word(mfn);
    PageLockOrder.droppedPage(word);
    Lock.release(word);
  }
}
