/**
 * Memory for hypercall arguments that cannot go away under the hypervisor: whole pages of dom0's own RAM (spec 07 sections 7.2, 7.4).
 * Freed blocks of one to four pages are kept, four of each size, last in first out. A block that was freed is found out at its next
 * use. In debug mode freed memory is poisoned, the end of each buffer is guarded, and the core's memory may be made to grow at each
 * allocation, which detaches every view that somebody kept.
 *
 * Which pages are taken is state of the machine and lies in linear memory (books.ts). Next: safe.ts.
 */
import { type Core, refreshViews } from "../core.ts";
import { HvError } from "../errors.ts";
import {
  BOOKS_BYTES,
  type Books,
  CACHED_SIZES,
  MAX_ARENA_PAGES,
  markPages,
  popKept,
  pushKept,
  releaseKept,
  takeRun,
} from "./books.ts";

const PAGE = 4096;
const POISON = 0xa5;
const CANARY = 0xc3;
const CANARY_BYTES = 16;

/** What shakes out mistakes, and costs time. */
export interface ArenaChecks {
  /** Poison freed memory and guard the end of each buffer. */
  readonly debug?: boolean;
  /** Grow the core's memory by a page at each allocation. */
  readonly grow?: boolean;
}

export interface ArenaPlace {
  /** Linear address of gfn 0 of dom0, whose RAM is contiguous. */
  readonly ramAt: number;
  /** First page of dom0's RAM that belongs to the arena, and how many. */
  readonly firstPage: number;
  readonly pages: number;
  /** Where the books go: BOOKS_BYTES bytes of linear memory, zero at first. */
  readonly booksAt: number;
}

export interface ArenaStatistics {
  readonly allocations: number;
  readonly releases: number;
  readonly current: number;
  readonly maximum: number;
  readonly hits: number;
  readonly misses: number;
  readonly tooBig: number;
  readonly bytesZeroed: number;
}

export interface Block {
  /** First page, counted from the arena's. */
  readonly page: number;
  readonly pages: number;
  readonly bytes: number;
  readonly label: string;
  /** Which allocation of the arena this is: two blocks on one page differ in it. */
  readonly generation: number;
  isLive: boolean;
}

export interface Arena {
  readonly core: Core;
  readonly place: ArenaPlace;
  readonly checks: ArenaChecks;
  readonly books: Books;
  readonly live: Set<Block>;
  readonly stats: { -readonly [K in keyof ArenaStatistics]: number };
  generation: number;
}

/** Pages beyond what the books can hold stay unused. */
export function createArena(core: Core, place: ArenaPlace, checks: ArenaChecks = {}): Arena {
  if (place.firstPage < 0 || place.pages < 1)
    throw new RangeError(`a hypercall arena of ${place.pages} pages from page ${place.firstPage} on`);
  return {
    core,
    place,
    checks,
    books: { core, at: place.booksAt, pages: Math.min(place.pages, MAX_ARENA_PAGES) },
    live: new Set(),
    stats: { allocations: 0, releases: 0, current: 0, maximum: 0, hits: 0, misses: 0, tooBig: 0, bytesZeroed: 0 },
    generation: 0,
  };
}

function takePages(arena: Arena, pages: number): number {
  const { stats, books } = arena;
  const kept = pages <= CACHED_SIZES ? popKept(books, pages) : undefined;
  if (kept !== undefined) {
    stats.hits++;
    return kept;
  }
  if (pages > CACHED_SIZES) stats.tooBig++;
  else stats.misses++;
  let first = takeRun(books, pages);
  if (first < 0) {
    releaseKept(books);
    first = takeRun(books, pages);
  }
  if (first < 0)
    throw new HvError("ENOMEM", "hypercall buffer", {
      hint: `${pages} pages asked, the arena has ${books.pages} and ${stats.current} buffers are in use: free some, or split the call`,
    });
  return first;
}

/** The machine was put back to a snapshot: its books came with it, and buffers that somebody still holds are dead. */
export function forgetBlocks(arena: Arena): void {
  for (const block of arena.live) block.isLive = false;
  arena.live.clear();
  arena.stats.current = 0;
}

/** Forgets everything, also which pages are taken. */
export function dropArena(arena: Arena): void {
  forgetBlocks(arena);
  arena.core.u8.fill(0, arena.books.at, arena.books.at + BOOKS_BYTES);
}

export function addressOf(arena: Arena, block: Block): number {
  return arena.place.ramAt + gpaOfBlock(arena, block);
}

export function gpaOfBlock(arena: Arena, block: Block): number {
  return (arena.place.firstPage + block.page) * PAGE;
}

/** Grows the core's memory, so that views kept across an allocation are detached. A full memory stays as it is. */
function growMemory(core: Core): void {
  try {
    core.memory.grow(1);
  } catch {
    return; // at its limit: nothing moves, which is allowed as well
  }
  refreshViews(core);
}

/**
 * A block of `bytes`, zeroed unless `willOverwrite` says that the caller fills all of it.
 * @throws HvError ENOMEM
 */
export function allocBlock(arena: Arena, bytes: number, label: string, willOverwrite = false): Block {
  if (!Number.isInteger(bytes) || bytes < 1) throw new RangeError(`hypercall buffer "${label}": ${bytes} bytes`);
  const { debug = false, grow = false } = arena.checks;
  if (grow) growMemory(arena.core);
  const pages = Math.ceil((bytes + (debug ? CANARY_BYTES : 0)) / PAGE);
  const page = takePages(arena, pages);
  const block: Block = { page, pages, bytes, label, generation: ++arena.generation, isLive: true };
  const at = addressOf(arena, block);
  const { u8 } = arena.core;
  const zeroed = willOverwrite ? pages * PAGE - bytes : pages * PAGE;
  u8.fill(0, at + pages * PAGE - zeroed, at + pages * PAGE);
  if (debug) u8.fill(CANARY, at + bytes, at + bytes + CANARY_BYTES);
  const { stats } = arena;
  stats.bytesZeroed += zeroed;
  stats.allocations++;
  stats.current++;
  stats.maximum = Math.max(stats.maximum, stats.current);
  arena.live.add(block);
  return block;
}

/** @throws HvError EFAULT when the block is freed already, or something wrote beyond its end. */
export function freeBlock(arena: Arena, block: Block): void {
  checkLive(block);
  const intact = isIntact(arena, block);
  block.isLive = false;
  arena.live.delete(block);
  const { stats } = arena;
  stats.releases++;
  stats.current--;
  const at = addressOf(arena, block);
  if (arena.checks.debug) arena.core.u8.fill(POISON, at, at + block.pages * PAGE);
  const isKept = block.pages <= CACHED_SIZES && pushKept(arena.books, block.page, block.pages);
  if (!isKept) markPages(arena.books, block.page, block.pages, false);
  if (!intact)
    throw new HvError("EFAULT", `hypercall buffer "${block.label}"`, {
      hint: `something wrote beyond its ${block.bytes} bytes: the call needs a larger buffer`,
    });
}

function isIntact(arena: Arena, block: Block): boolean {
  if (!arena.checks.debug) return true;
  const end = addressOf(arena, block) + block.bytes;
  for (let i = 0; i < CANARY_BYTES; i++) if (arena.core.u8[end + i] !== CANARY) return false;
  return true;
}

export function checkLive(block: Block): void {
  if (!block.isLive)
    throw new HvError("EFAULT", `hypercall buffer "${block.label}"`, {
      hint: "it was freed before this use: keep the use inside its scope",
    });
}
