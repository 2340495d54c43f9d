/**
 * Memory for hypercall arguments that cannot go away under the hypervisor: whole pages of dom0's own RAM (spec 07 sections 7.2, 7.4).
 * Freed blocks of one to four pages are kept, four of each size, last in first out. A block has a generation: what still points to it
 * after it was freed is found out at its next use. In debug mode freed memory is poisoned, the end of each buffer is guarded, and
 * the core's memory may be made to grow at each allocation, which detaches every view that somebody kept.
 *
 * The arena's own books are outside linear memory: drop() them when a snapshot is restored. Next: safe.ts.
 */
import { type Core, refreshViews } from "../core.ts";
import type { Dom0 } from "../dom0.ts";
import { HvError } from "../errors.ts";

const PAGE = 4096;
const CACHED_SIZES = 4;
const CACHED_EACH = 4;
const POISON = 0xa5;
const CANARY = 0xc3;
const CANARY_BYTES = 16;

export interface ArenaOptions {
  /** First page of dom0's RAM that belongs to the arena, and how many. */
  readonly firstPage: number;
  readonly pages: number;
  /** Poison, canaries. */
  readonly debug?: boolean;
  /** Grow the core's memory by a page at each allocation. */
  readonly grow?: boolean;
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
  readonly page: number;
  readonly pages: number;
  readonly bytes: number;
  readonly label: string;
  generation: number;
  isLive: boolean;
}

export interface Arena {
  readonly dom0: Dom0;
  readonly options: ArenaOptions;
  readonly free: Uint8Array;
  readonly cache: number[][];
  readonly live: Set<Block>;
  readonly stats: { -readonly [K in keyof ArenaStatistics]: number };
  generation: number;
}

export function createArena(dom0: Dom0, options: ArenaOptions): Arena {
  if (options.firstPage < 0 || options.pages < 1 || options.firstPage + options.pages > dom0.pages)
    throw new RangeError(
      `pages ${options.firstPage} to ${options.firstPage + options.pages} are not all in dom0's ${dom0.pages}`,
    );
  return {
    dom0,
    options,
    free: new Uint8Array(options.pages).fill(1),
    cache: Array.from({ length: CACHED_SIZES }, () => []),
    live: new Set(),
    stats: { allocations: 0, releases: 0, current: 0, maximum: 0, hits: 0, misses: 0, tooBig: 0, bytesZeroed: 0 },
    generation: 0,
  };
}

function findRun(arena: Arena, pages: number): number {
  let run = 0;
  for (let i = 0; i < arena.options.pages; i++) {
    run = arena.free[i] ? run + 1 : 0;
    if (run === pages) return i + 1 - pages;
  }
  return -1;
}

function takePages(arena: Arena, pages: number): number {
  const { stats } = arena;
  const cached = pages <= CACHED_SIZES ? arena.cache[pages - 1]!.pop() : undefined;
  if (cached !== undefined) {
    stats.hits++;
    return cached;
  }
  if (pages > CACHED_SIZES) stats.tooBig++;
  else stats.misses++;
  let first = findRun(arena, pages);
  if (first < 0) {
    flushCache(arena);
    first = findRun(arena, pages);
  }
  if (first < 0)
    throw new HvError("ENOMEM", "hypercall buffer", {
      hint: `${pages} pages asked, ${arena.stats.current} buffers are in use: free some, or split the call`,
    });
  arena.free.fill(0, first, first + pages);
  return first;
}

function flushCache(arena: Arena): void {
  arena.cache.forEach((list, i) => {
    for (const first of list.splice(0)) arena.free.fill(1, first, first + i + 1);
  });
}

/** Forgets everything: after a snapshot was restored, or before the machine goes. Buffers still held are dead from then on. */
export function dropArena(arena: Arena): void {
  for (const block of arena.live) block.isLive = false;
  arena.live.clear();
  arena.stats.current = 0;
  for (const list of arena.cache) list.length = 0;
  arena.free.fill(1);
}

export function addressOf(arena: Arena, block: Block): number {
  return arena.dom0.ramAt + gpaOfBlock(arena, block);
}

export function gpaOfBlock(arena: Arena, block: Block): number {
  return (arena.options.firstPage + block.page) * PAGE;
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
  const { debug = false, grow = false } = arena.options;
  if (grow) growMemory(arena.dom0.core);
  const pages = Math.ceil((bytes + (debug ? CANARY_BYTES : 0)) / PAGE);
  const page = takePages(arena, pages);
  const block: Block = { page, pages, bytes, label, generation: ++arena.generation, isLive: true };
  const at = addressOf(arena, block);
  const { u8 } = arena.dom0.core;
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
  const { stats, options } = arena;
  stats.releases++;
  stats.current--;
  const at = addressOf(arena, block);
  if (options.debug) arena.dom0.core.u8.fill(POISON, at, at + block.pages * PAGE);
  const list = block.pages <= CACHED_SIZES ? arena.cache[block.pages - 1]! : undefined;
  if (list && list.length < CACHED_EACH) list.push(block.page);
  else arena.free.fill(1, block.page, block.page + block.pages);
  if (!intact)
    throw new HvError("EFAULT", `hypercall buffer "${block.label}"`, {
      hint: `something wrote beyond its ${block.bytes} bytes: the call needs a larger buffer`,
    });
}

function isIntact(arena: Arena, block: Block): boolean {
  if (!arena.options.debug) return true;
  const end = addressOf(arena, block) + block.bytes;
  for (let i = 0; i < CANARY_BYTES; i++) if (arena.dom0.core.u8[end + i] !== CANARY) return false;
  return true;
}

export function checkLive(block: Block): void {
  if (!block.isLive)
    throw new HvError("EFAULT", `hypercall buffer "${block.label}"`, {
      hint: "it was freed before this use: keep the use inside its scope",
    });
}
