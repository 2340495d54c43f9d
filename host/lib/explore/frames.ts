/**
 * The balance of the frame table at the end of a race: every reference has somebody who holds it, what every owner has is what its
 * account says, nobody holds a free frame, and nobody has written to one. Shared frames: shared-frames.ts; objects inside the
 * hypervisor's own frames: slab-objects.ts.
 */
import { DOM_EVTCHN_FIFO, VCPU_FIFO_QUEUES } from "../../../hv-core/abi/domain.ts";
import {
  DOMAIN_EVENTS_OFFSET,
  FRAME_OWNERS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  IOREQ_SERVER_SIZE,
  IOREQ_SERVERS_BASE,
  MACHINE_BASE,
  MAILBOX_BASE,
  VCPU_HV_OFFSET,
  VCPU_SIZE,
  VCPUS_BASE,
} from "../../../hv-core/abi/layout.ts";
import { frameAddress } from "../core.ts";
import { DOM0 } from "../ids.ts";
import { readP2m } from "../p2m-map.ts";
import { checkEntries, checkSharedFrame, sharedEntries } from "./shared-frames.ts";
import { checkSlabObjects } from "./slab-objects.ts";
import type { World } from "./world.ts";

/** Offsets in a frame's record, and its flags (hv-core/mem/frame-table.ts). */
const OWNER = 0;
const FLAGS = 2;
const REFS = 4;
const FRAME_FREE = 16;
/** Domain slots of a race: dom0 and the guest. */
const DOMAINS = 2;

/** Frames ever handed out: the extent of the frame table says. */
function frameMark(world: World): number {
  const count = world.exports.snapshotExtents();
  for (let i = 0; i < count; i++) {
    const at = (MAILBOX_BASE >> 2) + i * 3;
    if (world.core.u32[at] === FRAME_TABLE_BASE) return world.core.u32[at + 1]! / FRAME_RECORD_SIZE;
  }
  return 0;
}

/** Frames of the hypervisor: their counts are of other things (mem/frame-slab.ts). */
const OWNER_XEN = 0xfffe;
/** Shared ones (shared-frames.ts). */
const OWNER_COW = 0xfffd;
const FRAME_ALLOCATED = 1;
const TYPE_COUNT = 8;
/** Freed memory is filled with this (hv-core/base/poison.ts). */
const POISON = 0xc2c2_c2c2;

/** Who holds references to which frame, beside the owner: general ones, and type references. */
interface Holders {
  /** Pages of type ram_shared by frame. */
  readonly shared: ReadonlyMap<number, number>;
  readonly general: Map<number, number>;
  readonly typed: Map<number, number>;
}

const add = (counts: Map<number, number>, mfn: number): void => {
  if (mfn !== 0) counts.set(mfn, (counts.get(mfn) ?? 0) + 1);
};

/** Mappings by other domains (foreign ones and grants), pages of ioreq servers, vm_event rings, vcpu_info pages, pages of FIFO event channels. Whoever builds another holder adds it here. */
function holdersOf(world: World): Holders {
  const { core } = world;
  const general = new Map<number, number>();
  const typed = new Map<number, number>();
  for (const domid of [DOM0, world.domid])
    for (const range of readP2m(core, domid)?.ranges ?? [])
      if (range.type === "map_foreign" || range.type.startsWith("grant_map"))
        for (let i = 0; i < range.pages; i++) add(general, range.mfn + i);
  /** A page of the guest's that the hypervisor writes to; its frame stands at `at`. */
  const held = (at: number): void => {
    add(general, core.u32[at >> 2]!);
    add(typed, core.u32[at >> 2]!);
  };
  const servers = core.u32[(MACHINE_BASE + MACHINE_IOREQ_SERVER_MARK) >> 2]!;
  for (let i = 0; i < servers; i++) {
    const at = (IOREQ_SERVERS_BASE + i * IOREQ_SERVER_SIZE) >> 2;
    if (core.u32[at] === 0) continue;
    for (const offset of SERVER_PAGES) {
      add(general, core.u32[at + offset]!);
      add(typed, core.u32[at + offset]!);
    }
  }
  for (let ring = 0; ring < EVENT_RINGS; ring++) {
    const mfn = core.u32[(world.domainAt + DOMAIN_EVENTS_OFFSET + ring * EVENT_RING_SIZE + EVENT_RING_MFN) >> 2]!;
    add(general, mfn);
    add(typed, mfn);
  }
  const vcpus = core.u32[(MACHINE_BASE + MACHINE_VCPU_MARK) >> 2]!;
  for (let slot = 0; slot < vcpus; slot++) {
    const at = VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET;
    if (core.u32[(at + VCPU_INFO_REGISTERED) >> 2] !== 0) add(general, core.u32[(at + VCPU_INFO_MFN) >> 2]!);
    const queues = core.u32[(at + VCPU_FIFO_QUEUES) >> 2]!;
    if (queues !== 0) held(queues);
  }
  const array = core.u32[(world.domainAt + DOM_EVTCHN_FIFO) >> 2]!;
  for (let page = 0; array !== 0 && page < core.u32[array >> 2]!; page++) held(array + FIFO_ARRAY_MFNS + page * 4);
  return { shared: sharedEntries(core), general, typed };
}

/** Machine.ioreqServerMark and vcpuMark, IoreqServer.syncMfn and bufMfn (in words), Vcpu.vcpuInfoMfn and vcpuInfoRegistered. */
const MACHINE_IOREQ_SERVER_MARK = 48;
const MACHINE_VCPU_MARK = 20;
const SERVER_PAGES = [10, 14];
/** VmEventRing of each mode (hv-core/hv/vm-event/ring.ts). */
const EVENT_RINGS = 3;
const EVENT_RING_SIZE = 64;
const EVENT_RING_MFN = 4;
const VCPU_INFO_MFN = 32;
const VCPU_INFO_REGISTERED = 40;
/** FifoArray (hv-core/hv/evtchn/fifo.ts): its frames, after their number. */
const FIFO_ARRAY_MFNS = 8;

/** A freed frame that somebody wrote to. */
function isDisturbed(world: World, mfn: number): boolean {
  const first = frameAddress(mfn) >> 2;
  return world.core.u32.subarray(first, first + 1024).some((word) => word !== POISON);
}

/** What is wrong with a frame, as a sentence. */
function checkFrame(world: World, mfn: number, holders: Holders): string | undefined {
  const { view } = world.core;
  const at = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
  const flags = view.getUint16(at + FLAGS, true);
  const refs = view.getUint32(at + REFS, true);
  if ((flags & FRAME_FREE) !== 0) {
    if (refs !== 0) return `frame ${mfn} is free and has ${refs} reference(s)`;
    return isDisturbed(world, mfn) ? `frame ${mfn} was written to after it was freed` : undefined;
  }
  if (refs === 0) return `frame ${mfn} has an owner and no reference`;
  const owner = view.getUint16(at + OWNER, true);
  if (owner >= OWNER_XEN) return undefined;
  const types = view.getUint32(at + TYPE_COUNT, true);
  const isAllocated = (flags & FRAME_ALLOCATED) !== 0;
  const held = holders.general.get(mfn) ?? 0;
  if (owner === OWNER_COW) return checkSharedFrame(mfn, { refs, types, isAllocated, held }, holders.shared);
  const expected = (isAllocated ? 1 : 0) + held;
  if (refs !== expected) return `frame ${mfn} has ${refs} reference(s), and ${expected} can be accounted for`;
  const typed = holders.typed.get(mfn) ?? 0;
  return types === typed ? undefined : `frame ${mfn} has ${types} type reference(s), and ${typed} can be accounted for`;
}

/** What is wrong, as a sentence; undefined when the books balance. */
export function checkFrames(world: World): string | undefined {
  const { view } = world.core;
  const mark = frameMark(world);
  const holders = holdersOf(world);
  const ownerOf = (mfn: number): number => view.getUint16(FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + OWNER, true);
  const other = checkEntries(holders.shared, (mfn) => ownerOf(mfn) === OWNER_COW) ?? checkSlabObjects(world.core);
  if (other !== undefined) return other;
  const owned = new Array<number>(DOMAINS).fill(0);
  for (let mfn = 1; mfn < mark; mfn++) {
    const wrong = checkFrame(world, mfn, holders);
    if (wrong !== undefined) return wrong;
    const at = FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
    const isFree = (view.getUint16(at + FLAGS, true) & FRAME_FREE) !== 0;
    const owner = ownerOf(mfn);
    if (!isFree && owner < DOMAINS) owned[owner]!++;
  }
  for (let slot = 0; slot < DOMAINS; slot++) {
    const account = view.getUint32(FRAME_OWNERS_BASE + slot * 8 + 4, true);
    if (account !== owned[slot])
      return `the domain in slot ${slot} has ${owned[slot]} frames and its account says ${account}`;
  }
  return undefined;
}
