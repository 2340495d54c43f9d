/**
 * XENMEM_acquire_resource: a device model's domain maps pages that belong to no guest, here those of ioreq servers and of grant tables
 * (spec 08 section 8.2, 03 section 3.3).
 */
import { EFAULT, EINVAL, EIO, EOPNOTSUPP, EPERM, ESRCH, OK } from "../../abi/errno";
import { XENMEM_RESOURCE_GRANT_TABLE } from "../../abi/grant";
import { DOMID_SELF, XENMEM_RESOURCE_IOREQ_SERVER } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { GrantMapFrame } from "../grant/physmap-frame";
import { IOREQ_RESOURCE_FRAMES, ioreqResourceMfn } from "../ioreq/resource";
import { mapForeignFrame } from "../p2m/add-to-physmap";
import { Vcpu } from "../vcpu";
import { xsmDmPriv } from "../xsm/dummy";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

const RESOURCE_VMTRACE_BUF: u32 = 2;
const MAX_FRAMES: u32 = 64;

@unmanaged
class Acquire {
  list: u64;
  frame: u64;
  domid: u32;
  type: u32;
  id: u32;
  count: u32;
  padding: u32;
  private _pad: u32;

  @inline static get(): Acquire {
    return changetype<Acquire>(Scratch.at + 0x100);
  }
}

/** {domid u16, type u16, id u32, nr_frames u32, pad u32, frame u64, frame_list}: 32 bytes, 28 from 32-bit code. */
function read(v: Vcpu, argGva: u64): bool {
  const raw = Scratch.at;
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, raw, argGva, is64 ? 32 : 28) != 0) return false;
  const a = Acquire.get();
  a.domid = load<u16>(raw);
  a.type = load<u16>(raw, 2);
  a.id = load<u32>(raw, 4);
  a.count = load<u32>(raw, 8);
  a.padding = load<u32>(raw, 12);
  a.frame = load<u64>(raw, 16);
  a.list = is64 ? load<u64>(raw, 24) : load<u32>(raw, 24);
  return true;
}

/** Frames the resource has; 0 and an error of its own for those this machine does not have. */
function checkType(type: u32): i32 {
  if (type == <u32>XENMEM_RESOURCE_IOREQ_SERVER) return OK;
  if (type == <u32>XENMEM_RESOURCE_GRANT_TABLE) return OK;
  if (type == RESOURCE_VMTRACE_BUF) return -EINVAL;
  return -EOPNOTSUPP;
}

function frameOf(v: Vcpu, d: Domain, a: Acquire, frame: u64): i64 {
  if (a.type == <u32>XENMEM_RESOURCE_GRANT_TABLE) return GrantMapFrame.ofResource(d, a.id, frame);
  return ioreqResourceMfn(d, v.domid, a.id, frame);
}

/** One frame: found, and mapped at the gfn that the caller's list names. */
function mapOne(v: Vcpu, d: Domain, a: Acquire, i: u32): i32 {
  const mfn = frameOf(v, d, a, a.frame + i);
  if (mfn < 0) return <i32>mfn;
  const size: u32 = v.hypercall64 != 0 ? 8 : 4;
  store<u64>(Scratch.at, 0);
  if (copyFromGuest(v, Scratch.at, a.list + i * size, size) != 0) return -EFAULT;
  const error = mapForeignFrame(v.domain, load<u64>(Scratch.at), <u32>mfn);
  return error == OK ? OK : -EIO;
}

/** {.., nr_frames out}: with no list the call only says how many frames there are. */
function sizeQuery(v: Vcpu, d: Domain, a: Acquire, argGva: u64): i32 {
  const isGrant = a.type == <u32>XENMEM_RESOURCE_GRANT_TABLE;
  store<u32>(Scratch.at, isGrant ? GrantMapFrame.resourceSize(d, a.id) : IOREQ_RESOURCE_FRAMES);
  return copyToGuest(v, argGva + 8, Scratch.at, 4) != 0 ? -EFAULT : OK;
}

export function acquireResource(v: Vcpu, argGva: u64): i64 {
  if (!read(v, argGva)) return -EFAULT;
  const a = Acquire.get();
  if (a.padding != 0) return -EINVAL;
  if (a.domid == <u32>DOMID_SELF) return -ESRCH;
  if (a.domid == v.domid) return -EPERM;
  const found = findOtherDomain(a.domid);
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmDmPriv(v.domain, d);
  if (denied != OK) return denied;
  const unknown = checkType(a.type);
  if (unknown != OK) return unknown;
  if (a.list == 0) return a.count == 0 && a.frame == 0 ? sizeQuery(v, d, a, argGva) : -EINVAL;
  if (a.count == 0 || a.frame >> 32 != 0) return -EINVAL;
  for (let i: u32 = 0; i < a.count && i < MAX_FRAMES; i++) {
    const error = mapOne(v, d, a, i);
    if (error != OK) return error;
  }
  return a.count > MAX_FRAMES ? -EINVAL : OK;
}
