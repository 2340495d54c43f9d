/**
 * GNTTABOP_map_grant_ref and unmap_grant_ref (spec 08 section 8.6): a frame that another domain has granted appears in the caller's p2m.
 *
 * Map: handle, then under the granter's lock entry and frame, then the caller's p2m, then the handle says what it stands for. Unmap goes
 * the other way: the mapping first, from every TLB, and only then may the granter read that its page is free again (XSA-218).
 */
import { CTR_GRANT_MAPS, CTR_GRANT_UNMAPS } from "../../abi/counters";
import {
  GNTMAP_APPLICATION_MAP,
  GNTMAP_CONTAINS_PTE,
  GNTMAP_DEVICE_MAP,
  GNTMAP_HOST_MAP,
  GNTMAP_READONLY,
  GNTST_BAD_DOMAIN,
  GNTST_BAD_GNTREF,
  GNTST_BAD_HANDLE,
  GNTST_GENERAL_ERROR,
  GNTST_NO_DEVICE_SPACE,
  GNTST_OKAY,
  GTF_CACHE,
} from "../../abi/grant";
import {
  AS_FIXED,
  GRANT_RACE_EARLY_REPORT,
  GRANT_RACE_STALE_STATUS,
  KNOB_GRANT_RACE,
  KNOB_GRANT_TYPE,
} from "../../abi/knobs";
import { TRC_GRANT_MAP, TRC_GRANT_UNMAP } from "../../abi/trace-events";
import { W_GRANT_PINNED, W_GRANT_UNPINNED } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_READ, ACCESS_WRITE, Window } from "../../base/window";
import { getPage, putPage } from "../../mem/allocator";
import { Frame, OWNER_COW } from "../../mem/frame-table";
import { Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { Vcpu } from "../vcpu";
import { Active } from "./active";
import { Entry } from "./entry";
import { GrantFrame } from "./frame";
import { HostMapping } from "./host-mapping";
import { Maptrack } from "./maptrack";
import { Grants, GrantTable, NO_HANDLE } from "./table";

/** struct gnttab_map_grant_ref, 32 bytes, the same for 32-bit callers. */
@unmanaged
export class MapOp {
  hostAddress: u64;
  flags: u32;
  ref: u32;
  domid: u16;
  status: i16;
  handle: u32;
  /** Machine address of the frame. */
  deviceAddress: u64;
}

/** struct gnttab_unmap_grant_ref, 24 bytes. */
@unmanaged
export class UnmapOp {
  hostAddress: u64;
  deviceAddress: u64;
  handle: u32;
  status: i16;
  private _pad: u16;
}

if (offsetof<MapOp>() != 32 || offsetof<UnmapOp>() != 24) ERROR("the structures of map and unmap");

function takeHandle(d: Domain): u32 {
  Grants.lock(d);
  const table = Grants.table(d);
  const handle = table == 0 ? NO_HANDLE : Maptrack.take(d, changetype<GrantTable>(table));
  Grants.unlock(d);
  return handle;
}

function putHandle(d: Domain, handle: u32): void {
  Grants.lock(d);
  Maptrack.put(GrantTable.at(d.grantMfn), handle);
  Grants.unlock(d);
}

/**
 * Whether a mapping of type "host" needs a writable type: only where the granter maps its own page, as in Xen for HVM. Three such mappings
 * are then what nominate_gref takes for a page that nobody writes to; with grant.type=fixed the type keeps it from being shared.
 */
function needsType(mapper: Domain, owner: Domain, isReadOnly: bool): bool {
  return !isReadOnly && (mapper.slot == owner.slot || Knobs.get(KNOB_GRANT_TYPE) == <u32>AS_FIXED);
}

/** The first use of an entry: its frame is found and held. */
function claim(owner: Domain, t: GrantTable, act: Active, ref: u32, mapper: u32, isReadOnly: bool): i32 {
  const gfn = Entry.gfn(t, ref);
  const status = GrantFrame.get(owner, gfn, isReadOnly);
  if (status != GNTST_OKAY) return status;
  act.gfn = gfn;
  act.domid = <u16>mapper;
  act.mfn = owner.lookupMfn;
  act.start = 0;
  act.length = 4096;
  act.isSubPage = 0;
  act.transDomid = owner.domid;
  act.transRef = ref;
  return GNTST_OKAY;
}

/** Under the granter's lock: the entry permits it, is marked and pinned, and its frame has one reference more. */
function pin(owner: Domain, ref: u32, mapper: Domain, isReadOnly: bool): i32 {
  const table = Grants.table(owner);
  if (table == 0) return GNTST_GENERAL_ERROR;
  const t = changetype<GrantTable>(table);
  if (ref >= t.entries) return GNTST_BAD_GNTREF;
  const act = Active.of(t, ref);
  if (act.pin != 0 && (act.isSubPage != 0 || !act.admits(mapper.domid, isReadOnly))) return GNTST_GENERAL_ERROR;
  if (act.pin == 0 || (!isReadOnly && !act.isWritten)) {
    const marked = Entry.mark(t, ref, act, mapper.domid, isReadOnly, true);
    if (marked != GNTST_OKAY) return marked;
  }
  let status: i32 = GNTST_OKAY;
  if (act.pin == 0) status = claim(owner, t, act, ref, mapper.domid, isReadOnly);
  else if (!getPage(act.mfn)) status = GNTST_GENERAL_ERROR;
  if (status == GNTST_OKAY) act.add(t, isReadOnly);
  else Entry.unmark(t.status(ref), act, isReadOnly);
  return status;
}

/** The end of one use: the marks fall when it was the last. `statusAt`: where they are. */
function unpin(t: GrantTable, ref: u32, isReadOnly: bool, statusAt: usize): void {
  const act = Active.of(t, ref);
  act.remove(t, isReadOnly);
  Entry.unmark(statusAt, act, isReadOnly);
}

/** The frame, held already, appears at the address. Memory types are for PV. */
function install(mapper: Domain, owner: Domain, op: MapOp, mfn: u32, header: u32): i32 {
  const isReadOnly = (op.flags & GNTMAP_READONLY) != 0;
  const frameOwner: u32 = Frame.at(mfn).owner;
  if (frameOwner != owner.slot && frameOwner != OWNER_COW) return GNTST_GENERAL_ERROR;
  if ((op.flags & ~(<u32>GNTMAP_READONLY)) != <u32>GNTMAP_HOST_MAP || (header & GTF_CACHE) != 0)
    return GNTST_GENERAL_ERROR;
  const typed = needsType(mapper, owner, isReadOnly);
  if (typed && !GrantFrame.getWritable(mfn)) return GNTST_GENERAL_ERROR;
  const status = HostMapping.add(mapper, op.hostAddress >> 12, mfn, isReadOnly);
  if (status != GNTST_OKAY && typed) GrantFrame.putWritable(mfn);
  return status;
}

function mapPinned(mapper: Domain, owner: Domain, op: MapOp, handle: u32): i32 {
  const isReadOnly = (op.flags & GNTMAP_READONLY) != 0;
  Grants.lock(owner);
  const pinned = pin(owner, op.ref, mapper, isReadOnly);
  if (pinned != GNTST_OKAY) {
    Grants.unlock(owner);
    return pinned;
  }
  const t = GrantTable.at(owner.grantMfn);
  const mfn = Active.of(t, op.ref).mfn;
  const header = Entry.header(t, op.ref);
  const statusAt = t.status(op.ref);
  Grants.unlock(owner);
  Window.at(W_GRANT_PINNED, changetype<usize>(owner), ACCESS_READ); // the granter may change the version: reserved entries may be in use then
  const status = install(mapper, owner, op, mfn, header);
  if (status == GNTST_OKAY) {
    const track = Maptrack.at(GrantTable.at(mapper.grantMfn), handle);
    track.domid = op.domid;
    track.ref = op.ref;
    track.flags = <u16>op.flags;
    op.handle = handle;
    op.deviceAddress = (<u64>mfn) << 12;
    return status;
  }
  Grants.lock(owner);
  // Variant C-41: where the marks were when the map began.
  unpin(t, op.ref, isReadOnly, Variant.is(KNOB_GRANT_RACE, GRANT_RACE_STALE_STATUS) ? statusAt : t.status(op.ref));
  Grants.unlock(owner);
  putPage(mfn);
  return status;
}

/** @returns GNTST_*; after GNTST_OKAY handle and machine address stand in the structure. */
export function grantMap(v: Vcpu, op: MapOp): i32 {
  if ((op.flags & (GNTMAP_DEVICE_MAP | GNTMAP_HOST_MAP)) == 0) return GNTST_BAD_GNTREF;
  if ((op.flags & (GNTMAP_DEVICE_MAP | GNTMAP_APPLICATION_MAP | GNTMAP_CONTAINS_PTE)) != 0) return GNTST_GENERAL_ERROR;
  const found = findOtherDomain(op.domid);
  if (found == 0) return GNTST_BAD_DOMAIN;
  const mapper = v.domain;
  const handle = takeHandle(mapper);
  if (handle == NO_HANDLE) return GNTST_NO_DEVICE_SPACE;
  const status = mapPinned(mapper, changetype<Domain>(found), op, handle);
  if (status != GNTST_OKAY) {
    putHandle(mapper, handle);
    return status;
  }
  Count.one(CTR_GRANT_MAPS);
  Trace.event(TRC_GRANT_MAP, v.slot, <u32>op.domid | (mapper.domid << 16), op.ref, op.hostAddress >> 12);
  return GNTST_OKAY;
}

/** The last part of an unmap: marks, pin and reference of one use of `ref`. The mapping is gone from every TLB. */
export function grantUnpinMapped(mapper: Domain, owner: Domain, ref: u32, isReadOnly: bool): void {
  const t = GrantTable.at(owner.grantMfn);
  const mfn = Active.of(t, ref).mfn;
  if (!isReadOnly) GrantFrame.markDirty(owner, mfn);
  if (needsType(mapper, owner, isReadOnly)) GrantFrame.putWritable(mfn);
  unpin(t, ref, isReadOnly, t.status(ref));
  putPage(mfn);
}

/**
 * Variant C-42, before 9a0bd460cf: the use is taken off the count first, and what is left of the count decides, for all mappings, what the
 * granter reads. With two mappings under way the first that comes to the end speaks for the other.
 */
function unmapCountFirst(mapper: Domain, owner: Domain, op: UnmapOp, ref: u32, isReadOnly: bool): i32 {
  const t = GrantTable.at(owner.grantMfn);
  const act = Active.of(t, ref);
  const mfn = act.mfn;
  act.remove(t, isReadOnly);
  Grants.unlock(owner);
  Window.at(W_GRANT_UNPINNED, changetype<usize>(act), ACCESS_WRITE);
  const status = HostMapping.remove(mapper, op.hostAddress >> 12, mfn);
  Grants.lock(owner);
  Entry.unmark(t.status(ref), act, isReadOnly);
  putPage(mfn);
  return status;
}

function unmapUse(mapper: Domain, owner: Domain, op: UnmapOp, ref: u32, isReadOnly: bool): i32 {
  if (Variant.is(KNOB_GRANT_RACE, GRANT_RACE_EARLY_REPORT)) return unmapCountFirst(mapper, owner, op, ref, isReadOnly);
  const status = HostMapping.remove(mapper, op.hostAddress >> 12, Active.of(GrantTable.at(owner.grantMfn), ref).mfn);
  if (status == GNTST_OKAY) grantUnpinMapped(mapper, owner, ref, isReadOnly);
  return status;
}

/** @returns GNTST_*. Without an address nothing is done, and the handle stays. */
export function grantUnmap(v: Vcpu, op: UnmapOp): i32 {
  const mapper = v.domain;
  if (mapper.grantMfn == 0) return GNTST_BAD_HANDLE;
  const t = GrantTable.at(mapper.grantMfn);
  if (op.handle >= Maptrack.limit(t)) return GNTST_BAD_HANDLE;
  const track = Maptrack.at(t, op.handle);
  if (track.flags == 0) return GNTST_BAD_HANDLE;
  const domid = track.domid;
  const ref = track.ref;
  const found = Domain.find(domid);
  if (found == 0) return GNTST_BAD_DOMAIN;
  const owner = changetype<Domain>(found);
  Grants.lock(owner);
  const flags = track.flags;
  let status: i32 = GNTST_OKAY;
  // Another vCPU may have undone it, and even used the handle again, before the lock was ours.
  if (flags == 0 || track.domid != domid || track.ref != ref) status = GNTST_BAD_HANDLE;
  else if (op.hostAddress != 0) status = unmapUse(mapper, owner, op, ref, (flags & GNTMAP_READONLY) != 0);
  const isDone = status == GNTST_OKAY && op.hostAddress != 0;
  if (isDone) track.flags = 0;
  Grants.unlock(owner);
  if (!isDone) return status;
  putHandle(mapper, op.handle);
  Count.one(CTR_GRANT_UNMAPS);
  Trace.event(TRC_GRANT_UNMAP, v.slot, <u32>domid | (mapper.domid << 16), ref, op.hostAddress >> 12);
  return GNTST_OKAY;
}
