/**
 * The arena's books: which of its pages are taken, and the freed blocks that are kept for the next caller. They lie in dom0's actor slab
 * and not in host objects, so that a machine that is put back to a snapshot takes the same pages again.
 *
 * Layout: number of kept blocks of one, two, three and four pages u8 x 4 @0; their first pages u16 x 4 x 4 @4, the last one on top;
 * one bit for each page @40, set = taken or kept.
 */
import type { Core } from "../core.ts";

export const CACHED_SIZES = 4;
export const CACHED_EACH = 4;
const STACKS = 4;
const TAKEN = 40;
const TAKEN_BYTES = 128;
/** What the books can hold. */
export const MAX_ARENA_PAGES = TAKEN_BYTES * 8;
export const BOOKS_BYTES = TAKEN + TAKEN_BYTES;

export interface Books {
  readonly core: Core;
  readonly at: number;
  readonly pages: number;
}

const stackAt = (books: Books, pages: number, depth: number): number =>
  (books.at + STACKS + ((pages - 1) * CACHED_EACH + depth) * 2) >> 1;

/** How many freed blocks of this size are kept. */
export const keptBlocks = (books: Books, pages: number): number => books.core.u8[books.at + pages - 1]!;

/** First page of the block of this size that was freed last; undefined when none is kept. */
export function popKept(books: Books, pages: number): number | undefined {
  const { u8, u16 } = books.core;
  const kept = keptBlocks(books, pages);
  if (kept === 0) return undefined;
  u8[books.at + pages - 1] = kept - 1;
  const at = stackAt(books, pages, kept - 1);
  const first = u16[at]!;
  u16[at] = 0;
  return first;
}

/** Keeps a freed block for the next caller. @returns false when enough of its size are kept. */
export function pushKept(books: Books, first: number, pages: number): boolean {
  const kept = keptBlocks(books, pages);
  if (kept === CACHED_EACH) return false;
  books.core.u16[stackAt(books, pages, kept)] = first;
  books.core.u8[books.at + pages - 1] = kept + 1;
  return true;
}

const isTaken = (books: Books, page: number): boolean =>
  ((books.core.u8[books.at + TAKEN + (page >> 3)]! >> (page & 7)) & 1) !== 0;

export function markPages(books: Books, first: number, pages: number, taken: boolean): void {
  const { u8 } = books.core;
  for (let page = first; page < first + pages; page++) {
    const at = books.at + TAKEN + (page >> 3);
    u8[at] = taken ? u8[at]! | (1 << (page & 7)) : u8[at]! & ~(1 << (page & 7));
  }
}

/** The lowest run of free pages of this length, marked as taken; -1 when there is none. */
export function takeRun(books: Books, pages: number): number {
  let run = 0;
  for (let page = 0; page < books.pages; page++) {
    run = isTaken(books, page) ? 0 : run + 1;
    if (run < pages) continue;
    const first = page + 1 - pages;
    markPages(books, first, pages, true);
    return first;
  }
  return -1;
}

/** Gives the kept blocks back, one page or several at a time: for a caller who needs a longer run. */
export function releaseKept(books: Books): void {
  for (let pages = 1; pages <= CACHED_SIZES; pages++) {
    for (let first = popKept(books, pages); first !== undefined; first = popKept(books, pages))
      markPages(books, first, pages, false);
  }
}
