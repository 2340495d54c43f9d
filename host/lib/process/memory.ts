/**
 * The memory of a modelled process of dom0 (spec 07 section 7.5): a few pages of a user address space in real x86 page tables, which
 * lie in dom0's RAM and which the hypervisor walks with its own code when the process makes a hypercall. What the kernel knows
 * beside them (locks, fork, who uses a frame) is in the actor slab of the process. All of it is state and goes back with a snapshot.
 *
 * Each page has FRAMES_EACH frames of its own: the one it is in, one to move to, and one for a copy. So states that differ only in
 * which frame of another page is free do not exist.
 *
 * Slab: program counter u32@8, child lives u32@12, leak seen u32@16; page i: flags, lock requests, library count u32 x 3 at 64 + 16 i;
 * users of frame f u8 at 192 + f; results of hypercalls i32 from 256 on.
 *
 * After: kernel.ts (what happens to the pages), process-actor.ts (who uses them).
 */
import { ACTOR_RACE_PROCESS, allocActor, slabOf } from "../actors.ts";
import { setWord, word } from "../explore/actors.ts";
import { DOM0_PAGES, type World } from "../explore/world.ts";
import { DOM0 } from "../ids.ts";

export const PAGE = 4096;
/** Pages of the process: its stack (or a page of its heap), and those that a library may map for buffers. */
export const STACK = 0;
export const LIBRARY = 1;
export const PAGES = 4;
const FRAMES_EACH = 3;
const FRAMES = PAGES * FRAMES_EACH;

const DIRECTORY_PAGE = DOM0_PAGES;
const TABLE_PAGE = DOM0_PAGES + 1;
const FIRST_FRAME = DOM0_PAGES + 2;
export const PROCESS_DOM0_PAGES = FIRST_FRAME + FRAMES;

/** Linear address of page 0 of the process. */
const USER_BASE = 0x10_0000;

/** Bits of a page-table entry. The last three mean nothing to the processor. */
export const PTE_P = 1;
export const PTE_W = 2;
const PTE_USER_ACCESSED_DIRTY = 0x64;
/** The frame is shared: the next write of the process takes a copy. */
export const PTE_COW = 0x200;
/** Not present because the page is in swap; not present because it is being moved. */
export const PTE_SWAPPED = 0x400;
export const PTE_MIGRATING = 0x800;

/** Flags of a page. LOCKED is one bit: mlock does not count. */
export const MAPPED = 1;
export const LOCKED = 2;
export const DONTFORK = 4;
/** Memory of a device: shared, pinned, never moved, merged or copied. */
export const DEVICE = 8;
/** The application has asked for LOCKED, and not for its end. */
export const OWN_LOCK = 16;

/** Who uses a frame. */
export const BY_PROCESS = 1;
export const BY_CHILD = 2;
export const BY_KSM = 4;

const PC = 8;
const CHILD = 12;
const LEAK = 16;
const PAGE_RECORDS = 64;
const RECORD = 16;
const USERS = 192;
const RESULTS = 256;

export interface ProcessMemory {
  readonly world: World;
  readonly slab: number;
  pc: number;
  childLives: boolean;
  /** A buffer held something that its caller had not put there. */
  leakSeen: boolean;
  flags(page: number): number;
  setFlags(page: number, flags: number): void;
  /** Requests to have this page locked that have not been taken back. */
  requests(page: number): number;
  setRequests(page: number, requests: number): void;
  /** A count that a library keeps of its own locks of this page. */
  count(page: number): number;
  setCount(page: number, count: number): void;
  pte(page: number): number;
  setPte(page: number, pte: number): void;
  users(frame: number): number;
  setUsers(frame: number, users: number): void;
  result(call: number): number;
  setResult(call: number, result: number): void;
}

export const linear = (page: number, offset: number): number => USER_BASE + page * PAGE + offset;
/** Frames are numbered from 0 on; in an entry they are guest frame numbers of dom0. */
export const frameOf = (pte: number): number => (pte >>> 12) - FIRST_FRAME;
export const entryFor = (frame: number, bits: number): number =>
  ((FIRST_FRAME + frame) << 12) | PTE_USER_ACCESSED_DIRTY | bits;
/** Linear address in the core's memory of a frame's first byte. */
export const frameAt = (world: World, frame: number): number => world.dom0.ramAt + (FIRST_FRAME + frame) * PAGE;

/** The process without any page mapped, and dom0 with paging on. */
export function createProcess(world: World): ProcessMemory {
  const slab = slabOf(allocActor(world.core, ACTOR_RACE_PROCESS, DOM0));
  const { ramAt } = world.dom0;
  const tableAt = ramAt + TABLE_PAGE * PAGE + (USER_BASE / PAGE) * 4;
  setWord(world, ramAt + DIRECTORY_PAGE * PAGE, (TABLE_PAGE << 12) | PTE_USER_ACCESSED_DIRTY | PTE_P | PTE_W);
  world.exports.dom0LoadPageTable(DIRECTORY_PAGE * PAGE);
  const field = (at: number) => ({
    get: () => word(world, slab + at),
    set: (v: number) => setWord(world, slab + at, v),
  });
  const [pc, child, leak] = [field(PC), field(CHILD), field(LEAK)];
  const record = (page: number, index: number): number => slab + PAGE_RECORDS + page * RECORD + index * 4;
  return {
    world,
    slab,
    get pc() {
      return pc.get();
    },
    set pc(value) {
      pc.set(value);
    },
    get childLives() {
      return child.get() !== 0;
    },
    set childLives(value) {
      child.set(value ? 1 : 0);
    },
    get leakSeen() {
      return leak.get() !== 0;
    },
    set leakSeen(value) {
      leak.set(value ? 1 : 0);
    },
    flags: (page) => word(world, record(page, 0)),
    setFlags: (page, flags) => setWord(world, record(page, 0), flags),
    requests: (page) => word(world, record(page, 1)),
    setRequests: (page, requests) => setWord(world, record(page, 1), requests),
    count: (page) => word(world, record(page, 2)),
    setCount: (page, count) => setWord(world, record(page, 2), count),
    pte: (page) => word(world, tableAt + page * 4),
    setPte: (page, pte) => setWord(world, tableAt + page * 4, pte),
    users: (frame) => world.core.u8[slab + USERS + frame]!,
    setUsers(frame, users) {
      world.core.u8[slab + USERS + frame] = users;
      if (users === 0) world.core.u8.fill(0, frameAt(world, frame), frameAt(world, frame) + PAGE);
    },
    result: (call) => word(world, slab + RESULTS + call * 4) | 0,
    setResult: (call, result) => setWord(world, slab + RESULTS + call * 4, result),
  };
}

/** A free frame of those of `page`, zeroed. @throws Error: the model is too small. */
export function takeFrame(memory: ProcessMemory, page: number, users: number): number {
  for (let frame = page * FRAMES_EACH; frame < (page + 1) * FRAMES_EACH; frame++) {
    if (memory.users(frame) !== 0) continue;
    memory.setUsers(frame, users);
    return frame;
  }
  throw new Error(`page ${page} of the process has no free frame left`);
}

export function copyFrame(memory: ProcessMemory, from: number, to: number): void {
  const start = frameAt(memory.world, from);
  memory.world.core.u8.copyWithin(frameAt(memory.world, to), start, start + PAGE);
}

/** The page is mapped private, with a zeroed frame. */
export function mapPage(memory: ProcessMemory, page: number, flags: number): void {
  memory.setFlags(page, MAPPED | flags);
  memory.setPte(page, entryFor(takeFrame(memory, page, BY_PROCESS), PTE_P | PTE_W));
}

export function unmapPage(memory: ProcessMemory, page: number): void {
  const frame = frameOf(memory.pte(page));
  memory.setUsers(frame, memory.users(frame) & ~BY_PROCESS);
  memory.setPte(page, 0);
  memory.setFlags(page, 0);
  memory.setRequests(page, 0);
}

export const isMapped = (memory: ProcessMemory, page: number): boolean => (memory.flags(page) & MAPPED) !== 0;
export const isMoving = (memory: ProcessMemory, page: number): boolean => (memory.pte(page) & PTE_MIGRATING) !== 0;

const byteAt = (memory: ProcessMemory, page: number, offset: number): number =>
  frameAt(memory.world, frameOf(memory.pte(page))) + offset;

/** A copy of bytes of a page as the process would see them, wherever its frame is now. */
export function pageBytes(memory: ProcessMemory, page: number, offset: number, length: number): Uint8Array {
  const at = byteAt(memory, page, offset);
  return memory.world.core.u8.slice(at, at + length);
}

/** Puts bytes into a page, wherever its frame is now. What an access may do is fault's business. */
export function setPageBytes(memory: ProcessMemory, page: number, offset: number, bytes: Uint8Array): void {
  memory.world.core.u8.set(bytes, byteAt(memory, page, offset));
}

/**
 * What the page-fault handler of the kernel does for an access by the process: brings a page in from swap, breaks copy-on-write for a
 * write. A page that is being moved makes the process wait: the caller asks isMoving first.
 */
export function fault(memory: ProcessMemory, page: number, isWrite: boolean): void {
  let pte = memory.pte(page);
  if ((pte & PTE_SWAPPED) !== 0) pte = (pte & ~PTE_SWAPPED) | PTE_P;
  if (isWrite && (pte & PTE_COW) !== 0) {
    const old = frameOf(pte);
    let frame = old;
    if (memory.users(old) !== BY_PROCESS) {
      frame = takeFrame(memory, page, BY_PROCESS);
      copyFrame(memory, old, frame);
      // A merged frame that this process does not use any more is somebody else's affair.
      memory.setUsers(old, memory.users(old) & BY_CHILD);
    }
    pte = entryFor(frame, PTE_P | PTE_W);
  }
  memory.setPte(page, pte);
}
