/**
 * XENMEM_increase_reservation, decrease_reservation and populate_physmap (spec 08 section 8.2). They answer with the number of
 * extents done, never with an error: the first extent that fails ends the work. Bounded pieces, continued through the upper bits
 * of the command.
 */
import { ENOENT, OK } from "../../abi/errno";
import { XENMEM_INCREASE_RESERVATION, XENMEM_POPULATE_PHYSMAP } from "../../abi/hypercalls";
import { allocExtent, allocFrame, freeFrame } from "../../mem/allocator";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { physmapAdd, physmapRelease } from "../p2m/physmap";
import { podDecrease, podMark } from "../pod/target";
import { Vcpu } from "../vcpu";
import { xsmTarget } from "../xsm/dummy";
import { canTake, took } from "./claim";
import { continueWith, countWork, WORK_PER_CALL } from "./continuation";
import { copyFromGuest, Scratch } from "./guest-copy";

export const MEMOP_EXTENT_SHIFT: u32 = 6;
const MAX_EXTENTS: u64 = 0xffff_ffff >> 6;

/** Largest extents: 2 MiB for guests, 1 GiB for a control domain. */
const GUEST_MAX_ORDER: u32 = 9;
const CONTROL_MAX_ORDER: u32 = 18;

/** mem_flags: 7:0 address bits of the frames, 16 populate on demand. */
const FLAG_ON_DEMAND: u32 = 1 << 16;

/** Pages of work in one piece: a large extent counts for as much as it holds. */
const PAGES_PER_CALL: u32 = 4096;

@unmanaged
class Reservation {
  extents: u64;
  count: u64;
  order: u32;
  flags: u32;
  domid: u32;
  private _pad: u32;

  /** Where the structure of the running call is kept, in 64-bit form. */
  @inline static get(): Reservation {
    return changetype<Reservation>(Scratch.at + 0x100);
  }
}

function read(v: Vcpu, argGva: u64): bool {
  const raw = Scratch.at;
  const r = Reservation.get();
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, raw, argGva, is64 ? 32 : 20) != 0) return false;
  r.extents = is64 ? load<u64>(raw) : load<u32>(raw);
  r.count = is64 ? load<u64>(raw, 8) : load<u32>(raw, 4);
  const rest: usize = is64 ? 16 : 8;
  r.order = load<u32>(raw + rest);
  r.flags = load<u32>(raw + rest + 4);
  r.domid = load<u16>(raw + rest + 8);
  return true;
}

/** The gfn of extent `index`; false on a fault. It is at Scratch.at. */
function readGfn(v: Vcpu, r: Reservation, index: u64): bool {
  store<u64>(Scratch.at, 0);
  const size: u32 = v.hypercall64 != 0 ? 8 : 4;
  return copyFromGuest(v, Scratch.at, r.extents + index * size, size) == 0;
}

/** Whether the frames lie below 2^bits bytes; 0 bits = anywhere. */
function isWithin(bits: u32, mfn: u32, size: u64): bool {
  if (bits == 0 || bits >= 64) return true;
  const limit = (<u64>1) << bits;
  return (<u64>mfn + size) << 12 <= limit;
}

/** 2^order frames for the domain, within its limit and below the wanted address; 0 = none. */
function allocate(d: Domain, r: Reservation): u32 {
  const size: u64 = (<u64>1) << r.order;
  if (<u64>d.totPages + size > <u64>d.maxPages || !canTake(d, size)) return 0;
  const mfn = allocExtent(d.slot, 0, r.order);
  if (mfn == 0) return 0;
  if (isWithin(r.flags & 0xff, mfn, size)) {
    took(d, size);
    return mfn;
  }
  release(mfn, r.order);
  return 0;
}

function release(mfn: u32, order: u32): void {
  const size: u32 = 1 << order;
  for (let i: u32 = 0; i < size; i++) freeFrame(mfn + i);
}

/** With the flag, memory comes later: not for a domain's own use. */
function populate(v: Vcpu, d: Domain, r: Reservation, gfn: u64): bool {
  if ((r.flags & FLAG_ON_DEMAND) != 0) return d.slot != v.domainSlot && podMark(d, gfn, r.order) == OK;
  const mfn = allocate(d, r);
  if (mfn == 0) return r.order != 0 && populateSingly(d, r, gfn);
  if (physmapAdd(d, gfn, mfn, r.order) == OK) return true;
  release(mfn, r.order);
  return false;
}

/**
 * A large extent from single frames: the guest cannot tell, only its TLB can. Needed when memory is short of long runs.
 * All or nothing.
 */
function populateSingly(d: Domain, r: Reservation, gfn: u64): bool {
  const size: u64 = (<u64>1) << r.order;
  if (<u64>d.totPages + size > <u64>d.maxPages || !canTake(d, size)) return false;
  for (let i: u64 = 0; i < size; i++) {
    const mfn = allocFrame(d.slot, 0);
    if (mfn != 0 && physmapAdd(d, gfn + i, mfn, 0) == OK) continue;
    if (mfn != 0) freeFrame(mfn);
    while (i-- != 0) physmapRelease(d, gfn + i);
    return false;
  }
  took(d, size);
  return true;
}

/** Pages that populate-on-demand took back are holes by now. */
function decrease(d: Domain, r: Reservation, gfn: u64): bool {
  const size: u64 = (<u64>1) << r.order;
  let taken = podDecrease(d, gfn, r.order);
  for (let i: u64 = 0; i < size && taken < size; i++) {
    const rc = physmapRelease(d, gfn + i);
    if (rc == OK) taken++;
    else if (rc != -ENOENT || taken == 0) return false;
  }
  return taken >= size;
}

function doExtent(v: Vcpu, d: Domain, r: Reservation, op: u32, index: u64): bool {
  if (op == <u32>XENMEM_INCREASE_RESERVATION) return allocate(d, r) != 0;
  if (!readGfn(v, r, index)) return false;
  const gfn = load<u64>(Scratch.at);
  return op == <u32>XENMEM_POPULATE_PHYSMAP ? populate(v, d, r, gfn) : decrease(d, r, gfn);
}

/** @returns extents done, counted from the first call on; -ERESTART between pieces. */
export function reservationOp(v: Vcpu, cmd: u64, argGva: u64): i64 {
  const op = <u32>cmd & 63;
  const start = cmd >> MEMOP_EXTENT_SHIFT;
  if (!read(v, argGva)) return <i64>start;
  const r = Reservation.get();
  if (r.count > MAX_EXTENTS || start >= r.count) return <i64>start;
  if (r.order > (v.domain.isPrivileged != 0 ? CONTROL_MAX_ORDER : GUEST_MAX_ORDER)) return <i64>start;
  const found = findDomain(v, r.domid);
  if (found == 0) return <i64>start;
  const d = changetype<Domain>(found);
  if (xsmTarget(v.domain, d) != OK) return <i64>start;
  let work: u32 = 0;
  for (let i = start; i < r.count; i++) {
    if (work >= PAGES_PER_CALL || i - start >= <u64>WORK_PER_CALL * 16) {
      return continueWith(v, (i << MEMOP_EXTENT_SHIFT) | op, argGva, 0);
    }
    countWork((<u32>1) << r.order);
    if (!doExtent(v, d, r, op, i)) return <i64>i;
    work += (<u32>1) << r.order;
  }
  return <i64>r.count;
}
