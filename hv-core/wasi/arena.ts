/**
 * Which pages of dom0 hold hypercall arguments, as host/lib/buffers/books.ts decides it: the same pages for the same calls, because
 * their addresses are in the trace. Freed blocks of one to four pages are kept, four of each size, last in first out; other pages
 * are taken from the lowest free run.
 *
 * Books: number of kept blocks u8 x 4 @0, their first pages u16 x 4 x 4 @4, one bit for each taken page @40.
 */
import { ENOMEM } from "../abi/errno";
import { WASI_STATE_BASE } from "./state";

const BOOKS: usize = WASI_STATE_BASE + 64;
const STACKS: usize = BOOKS + 4;
const TAKEN: usize = BOOKS + 40;
const CACHED_SIZES: u32 = 4;
const CACHED_EACH: u32 = 4;
const NONE: u32 = 0xffff_ffff;

export class Arena {
  @inline private static kept(pages: u32): u32 {
    return load<u8>(BOOKS + pages - 1);
  }

  @inline private static slot(pages: u32, depth: u32): usize {
    return STACKS + ((<usize>((pages - 1) * CACHED_EACH + depth)) << 1);
  }

  private static pop(pages: u32): u32 {
    const kept = Arena.kept(pages);
    if (kept == 0) return NONE;
    store<u8>(BOOKS + pages - 1, <u8>(kept - 1));
    const at = Arena.slot(pages, kept - 1);
    const first = load<u16>(at);
    store<u16>(at, 0);
    return first;
  }

  private static mark(first: u32, pages: u32, taken: bool): void {
    for (let page = first; page < first + pages; page++) {
      const at = TAKEN + (page >> 3);
      const bit: u32 = 1 << (page & 7);
      store<u8>(at, <u8>(taken ? load<u8>(at) | bit : load<u8>(at) & ~bit));
    }
  }

  private static takeRun(pages: u32, room: u32): u32 {
    let run: u32 = 0;
    for (let page: u32 = 0; page < room; page++) {
      run = ((load<u8>(TAKEN + (page >> 3)) >> <u8>(page & 7)) & 1) != 0 ? 0 : run + 1;
      if (run < pages) continue;
      const first = page + 1 - pages;
      Arena.mark(first, pages, true);
      return first;
    }
    return NONE;
  }

  /** First page of a block, counted from the arena's, which has `room` pages; -ENOMEM. */
  static take(pages: u32, room: u32): i32 {
    let first = pages <= CACHED_SIZES ? Arena.pop(pages) : NONE;
    if (first == NONE) first = Arena.takeRun(pages, room);
    if (first == NONE) {
      for (let size: u32 = 1; size <= CACHED_SIZES; size++) {
        for (let kept = Arena.pop(size); kept != NONE; kept = Arena.pop(size)) Arena.mark(kept, size, false);
      }
      first = Arena.takeRun(pages, room);
    }
    return first == NONE ? -ENOMEM : <i32>first;
  }

  static release(first: u32, pages: u32): void {
    if (pages <= CACHED_SIZES && Arena.kept(pages) < CACHED_EACH) {
      const kept = Arena.kept(pages);
      store<u16>(Arena.slot(pages, kept), <u16>first);
      store<u8>(BOOKS + pages - 1, <u8>(kept + 1));
    } else Arena.mark(first, pages, false);
  }
}
