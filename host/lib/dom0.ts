/**
 * dom0's side of door 2: hypercalls with arguments in dom0's own frames, mappings in dom0's physmap, and the event
 * upcall that finds the actor bound to a port. dom0 is a domain like any other; there is no other way in.
 *
 * dom0's RAM is gfn 0..pages-1. Page 0 stays unused, page 1 holds the arguments of the hot calls (event channels),
 * the rest is the arena of hypercall buffers. Mappings (shared_info, foreign pages, ioreq pages) go to gfns from `pages` on.
 * Kept in actor slab 0: nextGfn u32@8, the arena's books @64 (buffers/books.ts), and from 256 on the port table, one u16 per port:
 * actor | data << 7 | 0x8000, 0 = unbound.
 */
import {
  DOMID_SELF,
  EVTCHNOP_SEND,
  HC_EVENT_CHANNEL_OP,
  HC_MEMORY_OP,
  XENMAPSPACE_SHARED_INFO,
  XENMEM_ADD_TO_PHYSMAP,
  XENMEM_REMOVE_FROM_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { ACTOR_SIZE } from "../../hv-core/abi/layout.ts";
import { ACTOR_DOM0, type ActorId, allocActor, getField, setField, slabOf } from "./actors.ts";
import {
  type Arena,
  type ArenaChecks,
  addressOf,
  allocBlock,
  createArena,
  freeBlock,
  gpaOfBlock,
} from "./buffers/arena.ts";
import { type Core, frameAddress, refreshViews } from "./core.ts";
import { check, HvError } from "./errors.ts";
import { Gfn, type Port } from "./ids.ts";

const SLAB = slabOf(0);
const NEXT_GFN = 8;
const ARENA_BOOKS = 64;
const PORT_TABLE = 256;
const PORT_COUNT = (ACTOR_SIZE - PORT_TABLE) >> 1;
const PORT_BOUND = 0x8000;

/** Offsets in shared_info, 64-bit layout (spec 08 section 8.4). vcpu_info 0 is at 0. */
const UPCALL_PENDING = 0;
const PENDING_SEL = 8;
const EVTCHN_PENDING = 2048;
const EVTCHN_MASK = 2560;

/** A block of the arena by its addresses, valid until its scope ends. */
export interface Buffer {
  /** Guest-physical address in dom0, for the hypercall. */
  readonly gpa: number;
  /** Address in linear memory. */
  readonly at: number;
  readonly bytes: number;
}

export interface Dom0 {
  readonly core: Core;
  readonly pages: number;
  /** Linear address of dom0's gfn 0; its RAM is contiguous. */
  readonly ramAt: number;
  /** Linear address of dom0's shared_info. */
  readonly sharedInfoAt: number;
  /** Memory for hypercall arguments. */
  readonly arena: Arena;
}

const ARENA_FIRST_PAGE = 2;
const HOT_PAGE = 1;

/** One hypercall by dom0's vCPU. Result: negative errno or a value. */
export function hypercall(dom0: Dom0, nr: number, a1: number, a2 = 0, a3 = 0, a4 = 0, a5 = 0): number {
  const result = dom0.core.exports.hypercall(nr, a1, a2, a3, a4, a5);
  refreshViews(dom0.core);
  return result;
}

/**
 * Runs `body` with a zeroed block of the arena by its raw addresses. As the raw handles of libxc it is for what implements the safe
 * ones, and for tests that pass wrong addresses on purpose; the toolstack uses buffers/safe.ts.
 * @throws HvError ENOMEM when the arena is too small.
 */
export function withBuffer<T>(dom0: Pick<Dom0, "arena">, bytes: number, body: (buffer: Buffer) => T): T {
  const { arena } = dom0;
  const block = allocBlock(arena, Math.max(1, bytes), "raw");
  try {
    return body({ gpa: gpaOfBlock(arena, block), at: addressOf(arena, block), bytes });
  } finally {
    freeBlock(arena, block);
  }
}

/** Sets up dom0 after machineInit: slab 0, the arena and the mapping of its shared_info. */
export function createDom0(core: Core, pages: number, checks: ArenaChecks = {}): Dom0 {
  const actor = allocActor(core, ACTOR_DOM0, 0);
  if (actor !== 0) throw new HvError("EEXIST", "createDom0", { hint: "a machine has one dom0" });
  setField(core, SLAB, NEXT_GFN, pages);
  const ramAt = frameAddress(core.exports.dom0Mfn(0));
  const arena = createArena(
    core,
    { ramAt, firstPage: ARENA_FIRST_PAGE, pages: pages - ARENA_FIRST_PAGE, booksAt: SLAB + ARENA_BOOKS },
    checks,
  );
  const draft = { core, pages, ramAt, sharedInfoAt: 0, arena };
  const gfn = allocGfns(draft, 1);
  const result = withBuffer(draft, 24, ({ gpa, at }) => {
    core.view.setUint16(at, DOMID_SELF, true);
    core.view.setUint32(at + 4, XENMAPSPACE_SHARED_INFO, true);
    core.view.setUint32(at + 16, gfn, true);
    return hypercall(draft, HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, gpa);
  });
  check(result, "XENMEM_add_to_physmap(shared_info)");
  return { ...draft, sharedInfoAt: mappedAddress(draft, gfn) };
}

// --- mappings ----------------------------------------------------------------------------------------------------

/** Reserves `count` consecutive gfns above dom0's RAM for mappings. */
export function allocGfns(dom0: Dom0, count: number): Gfn {
  const gfn = getField(dom0.core, SLAB, NEXT_GFN);
  setField(dom0.core, SLAB, NEXT_GFN, gfn + count);
  return Gfn(gfn);
}

/** Linear address of a page mapped into dom0. @throws HvError EFAULT when nothing is mapped there. */
export function mappedAddress(dom0: Dom0, gfn: Gfn): number {
  const mfn = dom0.core.exports.dom0Mfn(gfn) >>> 0;
  if (mfn === 0) throw new HvError("EFAULT", `dom0 gfn 0x${gfn.toString(16)}`, { hint: "nothing is mapped there" });
  return frameAddress(mfn);
}

/** Takes a mapping out of dom0's physmap again. */
export function unmapGfn(dom0: Dom0, gfn: Gfn): void {
  const result = withBuffer(dom0, 16, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, DOMID_SELF, true);
    dom0.core.view.setUint32(at + 8, gfn, true);
    return hypercall(dom0, HC_MEMORY_OP, XENMEM_REMOVE_FROM_PHYSMAP, gpa);
  });
  check(result, "XENMEM_remove_from_physmap");
}

// --- events ------------------------------------------------------------------------------------------------------

/** Connects a local port to an actor; `data` (0..255) is handed to the actor, for instance a vCPU number. */
export function bindActor(dom0: Dom0, port: Port, actor: ActorId, data = 0): void {
  if (port >= PORT_COUNT)
    throw new HvError("ENOSPC", "bindActor", { hint: `dom0 listens to ports below ${PORT_COUNT}` });
  dom0.core.u16[(SLAB + PORT_TABLE + port * 2) >> 1] = PORT_BOUND | (data << 7) | actor;
}

export function unbindActor(dom0: Dom0, port: Port): void {
  dom0.core.u16[(SLAB + PORT_TABLE + port * 2) >> 1] = 0;
}

/** EVTCHNOP_send without allocations: the hot call of every device model. @returns 0 or a negative errno. */
export function sendEvent(dom0: Dom0, port: number): number {
  const { core } = dom0;
  core.u32[(dom0.ramAt + HOT_PAGE * 4096) >> 2] = port;
  const result = core.exports.hypercall(HC_EVENT_CHANNEL_OP, EVTCHNOP_SEND, HOT_PAGE * 4096, 0, 0, 0);
  refreshViews(core);
  return result;
}

export function isEventPending(dom0: Dom0): boolean {
  return dom0.core.u8[dom0.sharedInfoAt + UPCALL_PENDING] !== 0;
}

export type EventHandler = (actor: ActorId, data: number) => void;

/**
 * What dom0's kernel does in its upcall: clear upcall_pending, take the selector, clear each pending bit before its
 * handler runs. Repeats until nothing is pending (spec 08 section 8.4).
 */
export function handleEvents(dom0: Dom0, handler: EventHandler): void {
  const { core } = dom0;
  const info = dom0.sharedInfoAt;
  while (core.u8[info + UPCALL_PENDING] !== 0) {
    core.u8[info + UPCALL_PENDING] = 0;
    for (let half = 0; half < 2; half++) {
      const selAt = (info + PENDING_SEL + half * 4) >> 2;
      let sel = core.u32[selAt]!;
      core.u32[selAt] = 0;
      while (sel !== 0) {
        const word = 31 - Math.clz32(sel & -sel);
        sel &= sel - 1;
        // One selector bit covers 64 ports = two words here.
        scanPorts(dom0, (half * 32 + word) * 2, handler);
        scanPorts(dom0, (half * 32 + word) * 2 + 1, handler);
      }
    }
  }
}

function scanPorts(dom0: Dom0, word: number, handler: EventHandler): void {
  const { core } = dom0;
  const pendingAt = (dom0.sharedInfoAt + EVTCHN_PENDING + word * 4) >> 2;
  const maskAt = (dom0.sharedInfoAt + EVTCHN_MASK + word * 4) >> 2;
  let ready = core.u32[pendingAt]! & ~core.u32[maskAt]!;
  while (ready !== 0) {
    const bit = 31 - Math.clz32(ready & -ready);
    ready &= ready - 1;
    core.u32[pendingAt]! &= ~(1 << bit);
    const port = word * 32 + bit;
    const entry = port < PORT_COUNT ? core.u16[(SLAB + PORT_TABLE + port * 2) >> 1]! : 0;
    if (entry !== 0) handler(entry & 127, (entry >> 7) & 255);
  }
}
