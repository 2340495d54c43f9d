/**
 * The order of memory-management locks (spec 01 section 1.4), as Xen checks it on every processor: p2m (16) before page (24), two pages
 * in ascending order. Taking one against the order is where a deadlock begins, whether it happens this time or not, so Xen stops there;
 * debug and race builds assert. Only page locks are noted: they are few, and nothing may be taken under them but page locks.
 */
import { LOCK_ORDER_BASE } from "../abi/layout";
import { Hv } from "./assert";
import { Lock } from "./lock";

const SITE_LOCK_ORDER: u32 = 62;

/** Words of the page locks that somebody holds: count, then the addresses in ascending order. */
const COUNT_AT: usize = LOCK_ORDER_BASE;
const WORDS_AT: usize = LOCK_ORDER_BASE + 4;
const MAX_HELD: u32 = 31;

class Held {
  @inline static at(i: u32): usize {
    return WORDS_AT + ((<usize>i) << 2);
  }

  @inline static isMine(i: u32): bool {
    return (load<u32>(load<u32>(Held.at(i))) & 0xffff) == Lock.me();
  }
}

export class PageLockOrder {
  /** This processor is about to take the p2m lock at `word`; one that it has already may be taken again. */
  static takingP2m(word: usize): void {
    if (isDefined(DEBUG)) {
      const count = load<u32>(COUNT_AT);
      if (count == 0 || (load<u32>(word) & 0xffff) == Lock.me()) return;
      for (let i: u32 = 0; i < count; i++) Hv.assert(!Held.isMine(i), SITE_LOCK_ORDER);
    }
  }

  /** This processor has taken the page lock at `word`. */
  static tookPage(word: usize): void {
    if (isDefined(DEBUG)) {
      const count = load<u32>(COUNT_AT);
      Hv.assert(count < MAX_HELD, SITE_LOCK_ORDER);
      let i = count;
      while (i != 0 && load<u32>(Held.at(i - 1)) > <u32>word) {
        Hv.assert(!Held.isMine(i - 1), SITE_LOCK_ORDER);
        store<u32>(Held.at(i), load<u32>(Held.at(i - 1)));
        i--;
      }
      store<u32>(Held.at(i), <u32>word);
      store<u32>(COUNT_AT, count + 1);
    }
  }

  static droppedPage(word: usize): void {
    if (isDefined(DEBUG)) {
      const count = load<u32>(COUNT_AT);
      let i: u32 = 0;
      while (i < count && load<u32>(Held.at(i)) != <u32>word) i++;
      Hv.assert(i < count, SITE_LOCK_ORDER);
      for (; i + 1 < count; i++) store<u32>(Held.at(i), load<u32>(Held.at(i + 1)));
      store<u32>(Held.at(count - 1), 0);
      store<u32>(COUNT_AT, count - 1);
    }
  }
}
