/** XENMEM_* calls of the toolstack (spec 08 section 8.2, spec 03 section 3.3). */
import {
  GRANT_RESOURCE_SHARED,
  GRANT_RESOURCE_STATUS,
  XENMEM_RESOURCE_GRANT_TABLE,
} from "../../../hv-core/abi/grant.ts";
import {
  DOMID_SELF,
  HC_MEMORY_OP,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ACQUIRE_RESOURCE,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_CURRENT_RESERVATION,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_MAXIMUM_GPFN,
  XENMEM_MAXIMUM_RESERVATION,
  XENMEM_POPULATE_PHYSMAP,
  XENMEM_RESOURCE_IOREQ_SERVER,
  XENMEM_SET_MEMORY_MAP,
} from "../../../hv-core/abi/hypercalls.ts";
import { handleField, plain, safeHypercall, setHandle } from "../buffers/call.ts";
import { I32, struct, U64 } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import { allocStruct, type SafeStruct } from "../buffers/struct.ts";
import type { Dom0 } from "../dom0.ts";
import { type CallArguments, check, HvError } from "../errors.ts";
import type { DomId, Gfn, ServerId } from "../ids.ts";

const RESERVATION = struct("xen_memory_reservation", 32);
const EXTENTS = handleField(RESERVATION, 0, U64, "inout");
const DOMID = struct("domid", 8);
const ADD_TO_PHYSMAP_BATCH = struct("xen_add_to_physmap_batch", 32);
const IDXS = handleField(ADD_TO_PHYSMAP_BATCH, 8, U64, "in");
const GPFNS = handleField(ADD_TO_PHYSMAP_BATCH, 16, U64, "in");
const ERRS = handleField(ADD_TO_PHYSMAP_BATCH, 24, I32, "out");
const ACQUIRE_RESOURCE = struct("xen_mem_acquire_resource", 32);
const FRAME_LIST = handleField(ACQUIRE_RESOURCE, 24, U64, "inout");
const FOREIGN_MEMORY_MAP = struct("xen_foreign_memory_map", 24);
const E820_ENTRY = struct("e820entry", 20);
const MAP_BUFFER = handleField(FOREIGN_MEMORY_MAP, 16, E820_ENTRY, "in");

/** Extents per call: the list has to fit the arena. */
const BATCH = 512;

function memoryOp(
  dom0: Dom0,
  name: string,
  op: number,
  argument: SafeStruct<string, "inout">,
  args: CallArguments,
): number {
  return check(safeHypercall(dom0, plain(HC_MEMORY_OP), plain(op), argument), name, { arguments: args });
}

function reservation(
  dom0: Dom0,
  name: string,
  number: number,
  domid: DomId,
  gfns: readonly number[],
  order: number,
): number {
  using extents = allocSafe(dom0.arena, U64, "inout", gfns.length, "extents");
  gfns.forEach((gfn, i) => {
    extents.set(i, BigInt(gfn));
  });
  using op = allocStruct(dom0.arena, RESERVATION, "inout");
  setHandle(op, EXTENTS, extents, gfns.length);
  op.setU64(8, gfns.length);
  op.setU32(16, order);
  op.setU16(24, domid);
  return memoryOp(dom0, name, number, op, { domid, first: gfns[0]!, extents: gfns.length, order });
}

/**
 * Gives a domain RAM at `gfns`, each the start of 2^order pages.
 * @returns how many extents were done; fewer than asked means no frame (of that order) is left.
 */
export function populatePhysmap(dom0: Dom0, domid: DomId, gfns: readonly number[], order: number): number {
  let done = 0;
  while (done < gfns.length) {
    const part = gfns.slice(done, done + BATCH);
    const count = reservation(dom0, "XENMEM_populate_physmap", XENMEM_POPULATE_PHYSMAP, domid, part, order);
    done += count;
    if (count < part.length) break;
  }
  return done;
}

/** Takes extents away from a domain. @returns how many were there to take */
export function decreaseReservation(dom0: Dom0, domid: DomId, gfns: readonly number[], order: number): number {
  let done = 0;
  while (done < gfns.length) {
    const part = gfns.slice(done, done + BATCH);
    const count = reservation(dom0, "XENMEM_decrease_reservation", XENMEM_DECREASE_RESERVATION, domid, part, order);
    done += count;
    if (count < part.length) break;
  }
  return done;
}

function quantity(dom0: Dom0, name: string, op: number, domid: DomId): number {
  using argument = allocStruct(dom0.arena, DOMID, "inout");
  argument.setU16(0, domid);
  return memoryOp(dom0, name, op, argument, { domid });
}

/** Pages that a domain has. */
export const currentReservation = (dom0: Dom0, domid: DomId): number =>
  quantity(dom0, "XENMEM_current_reservation", XENMEM_CURRENT_RESERVATION, domid);

/** Pages that it may have at most. */
export const maximumReservation = (dom0: Dom0, domid: DomId): number =>
  quantity(dom0, "XENMEM_maximum_reservation", XENMEM_MAXIMUM_RESERVATION, domid);

/** The highest guest frame that was ever mapped. */
export const maximumGpfn = (dom0: Dom0, domid: DomId): number =>
  quantity(dom0, "XENMEM_maximum_gpfn", XENMEM_MAXIMUM_GPFN, domid);

/** Maps `count` pages of another domain, from `foreign` on, into dom0 from `gfn` on. @throws HvError for the first page that failed. */
export function mapForeign(dom0: Dom0, domid: DomId, foreign: number, gfn: Gfn, count: number): void {
  for (let first = 0; first < count; first += BATCH) {
    const part = Math.min(BATCH, count - first);
    using idxs = allocSafe(dom0.arena, U64, "in", part, "idxs");
    using gpfns = allocSafe(dom0.arena, U64, "in", part, "gpfns");
    using errs = allocSafe(dom0.arena, I32, "out", part, "errs");
    using op = allocStruct(dom0.arena, ADD_TO_PHYSMAP_BATCH, "inout");
    op.setU16(0, DOMID_SELF);
    op.setU16(2, XENMAPSPACE_GMFN_FOREIGN);
    op.setU16(4, part);
    op.setU16(6, domid);
    setHandle(op, IDXS, idxs, part);
    setHandle(op, GPFNS, gpfns, part);
    setHandle(op, ERRS, errs, part);
    for (let i = 0; i < part; i++) {
      idxs.set(i, BigInt(foreign + first + i));
      gpfns.set(i, BigInt(gfn + first + i));
    }
    const name = "XENMEM_add_to_physmap_batch";
    memoryOp(dom0, name, XENMEM_ADD_TO_PHYSMAP_BATCH, op, { domid, foreign: foreign + first, count: part });
    for (let i = 0; i < part; i++) check(errs.get(i), name, { arguments: { domid, foreign: foreign + first + i } });
  }
}

/** Maps a page of an ioreq server into dom0: frame 0 = buffered ring, 1 = synchronous slots. */
export function acquireIoreqPage(dom0: Dom0, domid: DomId, server: ServerId, frame: 0 | 1, gfn: Gfn): void {
  acquireFrame(dom0, domid, { type: XENMEM_RESOURCE_IOREQ_SERVER, name: "ioreq_server", id: server, frame }, gfn);
}

/** Maps frame `frame` of the domain's grant table into dom0: its entries, or with `isStatus` the marks of version 2. */
export function acquireGrantFrame(dom0: Dom0, domid: DomId, frame: number, gfn: Gfn, isStatus = false): void {
  const id = isStatus ? GRANT_RESOURCE_STATUS : GRANT_RESOURCE_SHARED;
  acquireFrame(dom0, domid, { type: XENMEM_RESOURCE_GRANT_TABLE, name: "grant_table", id, frame }, gfn);
}

interface Resource {
  readonly type: number;
  readonly name: string;
  readonly id: number;
  readonly frame: number;
}

function acquireFrame(dom0: Dom0, domid: DomId, { type, name, id, frame }: Resource, gfn: Gfn): void {
  using frames = allocSafe(dom0.arena, U64, "inout", 1, "frame_list");
  frames.set(0, BigInt(gfn));
  using op = allocStruct(dom0.arena, ACQUIRE_RESOURCE, "inout");
  op.setU16(0, domid);
  op.setU16(2, type);
  op.setU32(4, id);
  op.setU32(8, 1);
  op.setU32(16, frame);
  setHandle(op, FRAME_LIST, frames);
  memoryOp(dom0, "XENMEM_acquire_resource", XENMEM_ACQUIRE_RESOURCE, op, { domid, resource: name, id, frame });
}

export interface MemoryMapEntry {
  readonly base: number;
  readonly size: number;
  /** 1 RAM, 2 reserved, 3 ACPI. */
  readonly type: number;
}

/** Gives the domain the map that XENMEM_memory_map will show it: e820 entries of 20 bytes. */
export function setMemoryMap(dom0: Dom0, domid: DomId, map: readonly MemoryMapEntry[]): void {
  using entries = allocSafe(dom0.arena, E820_ENTRY, "in", map.length, "e820");
  map.forEach((entry, i) => {
    const bytes = new DataView(new ArrayBuffer(E820_ENTRY.bytes));
    bytes.setBigUint64(0, BigInt(entry.base), true);
    bytes.setBigUint64(8, BigInt(entry.size), true);
    bytes.setUint32(16, entry.type, true);
    entries.set(i, new Uint8Array(bytes.buffer));
  });
  using op = allocStruct(dom0.arena, FOREIGN_MEMORY_MAP, "inout");
  op.setU16(0, domid);
  op.setU32(8, map.length);
  setHandle(op, MAP_BUFFER, entries, map.length);
  memoryOp(dom0, "XENMEM_set_memory_map", XENMEM_SET_MEMORY_MAP, op, { domid, entries: map.length });
}

/** Like populatePhysmap, but running out of frames is an error. */
export function populateAll(dom0: Dom0, domid: DomId, gfns: readonly number[], what: string): void {
  const done = populatePhysmap(dom0, domid, gfns, 0);
  if (done !== gfns.length)
    throw new HvError("ENOMEM", `XENMEM_populate_physmap(${what})`, {
      hint: `${done} of ${gfns.length} pages: create the machine with more frames`,
    });
}
