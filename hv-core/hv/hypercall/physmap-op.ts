/** XENMEM_add_to_physmap, add_to_physmap_batch and remove_from_physmap: structures and loops around p2m/add-to-physmap.ts. */
import { EACCES, EFAULT, EILSEQ, EINVAL, ENOENT, ENOSYS, EOPNOTSUPP, ESRCH, OK } from "../../abi/errno";
import { XENMAPSPACE_GMFN_FOREIGN, XENMAPSPACE_GMFN_RANGE } from "../../abi/hypercalls";
import { P2M_ALLOC, P2M_MAP_FOREIGN, P2M_UNSHARE } from "../../abi/p2m-types";
import { Domain } from "../domain";
import { findDomain, looksPv } from "../domain/find";
import { addForeign, addToPhysmapOne, INVALID_GFN } from "../p2m/add-to-physmap";
import { INVALID_MFN, P2m } from "../p2m/p2m";
import { physmapRemove } from "../p2m/physmap";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { xsmTarget } from "../xsm/dummy";
import { continueWith, WORK_PER_CALL } from "./continuation";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";
import { MEMOP_EXTENT_SHIFT } from "./reservation";

/** A ulong of the caller's size at `at`. All ones of 32 bits are a gfn like any other, as in Xen's compat layer. */
function ulong(v: Vcpu, at: usize): u64 {
  return v.hypercall64 != 0 ? load<u64>(at) : load<u32>(at);
}

/** {domid u16, size u16, space u32, idx ulong, gpfn ulong}. A range that is too long for one piece goes on in the command. */
export function addToPhysmap(v: Vcpu, cmd: u64, argGva: u64): i64 {
  const arg = Scratch.at;
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, arg, argGva, is64 ? 24 : 16) != 0) return -EFAULT;
  const space = load<u32>(arg, 4);
  if (space == <u32>XENMAPSPACE_GMFN_FOREIGN) return -ENOSYS; // only in batches
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (looksPv(v, d)) return -EACCES;
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  const index = ulong(v, arg + 8);
  const gfn = ulong(v, arg + (is64 ? 16 : 12));
  if (gfn == INVALID_GFN) return -EINVAL;
  if (space != <u32>XENMAPSPACE_GMFN_RANGE) return addToPhysmapOne(d, space, index, gfn);

  const size: u64 = load<u16>(arg, 2);
  const start = cmd >> MEMOP_EXTENT_SHIFT;
  if (start > size) return -EILSEQ;
  for (let i = start; i < size; i++) {
    if (i - start >= <u64>WORK_PER_CALL) return continueWith(v, (i << MEMOP_EXTENT_SHIFT) | (cmd & 63), argGva, 0);
    const error = addToPhysmapOne(d, space, index + i, gfn + i);
    if (error != OK) return error;
  }
  return OK;
}

@unmanaged
class Batch {
  indexes: u64;
  gfns: u64;
  errors: u64;
  domid: u32;
  space: u32;
  size: u32;
  foreignDomid: u32;

  @inline static get(): Batch {
    return changetype<Batch>(Scratch.at + 0x100);
  }
}

function readBatch(v: Vcpu, argGva: u64): bool {
  const raw = Scratch.at;
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, raw, argGva, is64 ? 32 : 20) != 0) return false;
  const b = Batch.get();
  b.domid = load<u16>(raw);
  b.space = load<u16>(raw, 2);
  b.size = load<u16>(raw, 4);
  b.foreignDomid = load<u16>(raw, 6);
  b.indexes = is64 ? load<u64>(raw, 8) : load<u32>(raw, 8);
  b.gfns = is64 ? load<u64>(raw, 16) : load<u32>(raw, 12);
  b.errors = is64 ? load<u64>(raw, 24) : load<u32>(raw, 16);
  return true;
}

/** One item: its own errno goes to the list, -EFAULT ends the call. */
function batchItem(v: Vcpu, d: Domain, b: Batch, i: u32): i32 {
  const at = Scratch.at;
  const word: u32 = v.hypercall64 != 0 ? 8 : 4;
  if (copyFromGuest(v, at, b.indexes + i * word, word) != 0) return -EFAULT;
  if (copyFromGuest(v, at + 8, b.gfns + i * word, word) != 0) return -EFAULT;
  const index = ulong(v, at);
  const gfn = ulong(v, at + 8);
  let error: i32 = OK;
  if (b.space == <u32>XENMAPSPACE_GMFN_FOREIGN) error = addForeign(d, b.foreignDomid, index, gfn);
  else if (b.foreignDomid != 0 || gfn == INVALID_GFN) error = -EINVAL;
  else error = addToPhysmapOne(d, b.space, index, gfn);
  store<i32>(at, error);
  return copyToGuest(v, b.errors + ((<u64>i) << 2), at, 4) != 0 ? -EFAULT : OK;
}

/** {domid u16, space u16, size u16, foreign_domid u16, idxs, gpfns, errs}. Each item's errno lands in `errs`; the call answers 0. */
export function addToPhysmapBatch(v: Vcpu, cmd: u64, argGva: u64): i64 {
  if (!readBatch(v, argGva)) return -EFAULT;
  const b = Batch.get();
  if (b.space == <u32>XENMAPSPACE_GMFN_RANGE) return -EOPNOTSUPP;
  const found = findDomain(v, b.domid);
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (looksPv(v, d)) return -EACCES;
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  const start = cmd >> MEMOP_EXTENT_SHIFT;
  if (start > <u64>b.size) return -EILSEQ;
  for (let i = <u32>start; i < b.size; i++) {
    if (i - <u32>start >= WORK_PER_CALL) {
      return continueWith(v, ((<u64>i) << MEMOP_EXTENT_SHIFT) | (cmd & 63), argGva, 0);
    }
    const error = batchItem(v, d, b, i);
    if (error != OK) return error;
  }
  return OK;
}

/** {domid u16, gpfn ulong}. The page stays owned; only the mapping goes. */
export function removeFromPhysmap(v: Vcpu, argGva: u64): i64 {
  const arg = Scratch.at;
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, arg, argGva, is64 ? 16 : 8) != 0) return -EFAULT;
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (looksPv(v, d)) return -EACCES;
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  const gfn = ulong(v, arg + (is64 ? 8 : 4));
  const type = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
  if (P2mType.isShared(type)) return -ENOENT;
  if (type == <u32>P2M_MAP_FOREIGN) return P2m.clear(d, gfn, 0);
  if (!P2mType.isRam(type) || d.lookupMfn == INVALID_MFN) return -ENOENT;
  return physmapRemove(d, gfn, d.lookupMfn);
}
