/**
 * XENMEM_access_op: set, get and set_multi (spec 04 section 4.5). Long ranges are done in pieces; the index to go on from, always a multiple
 * of 64, travels in the command word above the operation's six bits, not shifted.
 */
import { EFAULT, EINVAL, ENODEV, ENOSYS, EPERM, ERANGE, ESRCH, OK } from "../../abi/errno";
import { KNOB_MEM_ACCESS, MEM_ACCESS_SVM } from "../../abi/knobs";
import { P2M_ACCESS_R_PW, P2M_ALLOC } from "../../abi/p2m-types";
import {
  ACCESS_GET,
  ACCESS_SET,
  ACCESS_SET_MULTI,
  VM_EVENT_MODE_MONITOR,
  XENMEM_ACCESS_DEFAULT,
} from "../../abi/vm-event";
import { Knobs } from "../../base/machine";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { findOtherDomain, looksPv } from "../domain/find";
import { continueWith, countWork } from "../hypercall/continuation";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { INVALID_MFN, P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { vmEventHasRing } from "../vm-event/ring";
import { xsmDmPriv } from "../xsm/dummy";

const SIZE: u32 = 32;
const SIZE_32: u32 = 24;
const OP_MASK: u64 = 63;
/** Pages between two places where the call may be preempted. */
const PAGES_PER_CALL: u32 = 1024;
const DEFAULT_PFN: u64 = 0xffff_ffff_ffff_ffff;
const BAD_ACCESS: u32 = 0xffff_ffff;

/** p2m access of a public one; BAD_ACCESS when there is no such. */
function toP2m(d: Domain, access: u32): u32 {
  if (access == <u32>XENMEM_ACCESS_DEFAULT) return d.p2mDefaultAccess;
  return access <= <u32>P2M_ACCESS_R_PW ? access : BAD_ACCESS;
}

/** One page, 4 KiB: a superpage around it is split. */
function setOne(d: Domain, gfn: u64, access: u32): i32 {
  const type = P2m.lookup(d, gfn, P2M_ALLOC);
  return P2m.set(d, gfn, d.lookupMfn, 0, type, access);
}

/** Whether [pfn, pfn + nr) wraps or ends beyond the last page ever mapped; `start` is where a preempted call goes on. */
function isBadRange(d: Domain, pfn: u64, nr: u64, start: u64): bool {
  const last = pfn + nr - 1;
  return nr < start || last < pfn || last > d.p2mMaxMapped;
}

function setRange(v: Vcpu, d: Domain, cmd: u64, argGva: u64, pfn: u64, nr: u64, access: u32): i64 {
  const start = cmd & ~OP_MASK;
  if (pfn != DEFAULT_PFN && isBadRange(d, pfn, nr, start)) return -EINVAL;
  const wanted = toP2m(d, access);
  if (wanted == BAD_ACCESS) return -EINVAL;
  if (pfn == DEFAULT_PFN) {
    d.p2mDefaultAccess = wanted;
    return OK;
  }
  P2m.lock(d);
  let rc: i32 = OK;
  let done = start;
  while (done < nr && rc == OK && done - start < <u64>PAGES_PER_CALL) rc = setOne(d, pfn + done++, wanted);
  P2m.unlock(d);
  countWork(<u32>(done - start));
  if (rc != OK || done >= nr) return rc;
  return continueWith(v, (cmd & OP_MASK) | done, argGva, 0);
}

/** The lists lie in the caller's memory: each pfn and access is read once. */
function setMulti(v: Vcpu, d: Domain, cmd: u64, argGva: u64, nr: u64, pfns: u64, accesses: u64): i64 {
  const start = cmd & ~OP_MASK;
  if (nr < start) return -EINVAL;
  const at = Scratch.at + 0x80;
  let done = start;
  for (; done < nr && done - start < <u64>PAGES_PER_CALL; done++) {
    if (copyFromGuest(v, at, accesses + done, 1) != 0) return -EFAULT;
    const access = toP2m(d, load<u8>(at));
    if (copyFromGuest(v, at, pfns + done * 8, 8) != 0) return -EFAULT;
    const pfn = load<u64>(at);
    if (access == BAD_ACCESS || pfn > d.p2mMaxMapped) return -EINVAL;
    P2m.lock(d);
    const rc = setOne(d, pfn, access);
    P2m.unlock(d);
    if (rc != OK) return rc;
  }
  countWork(<u32>(done - start));
  return done >= nr ? OK : continueWith(v, (cmd & OP_MASK) | done, argGva, 0);
}

function get(v: Vcpu, d: Domain, argGva: u64, pfn: u64): i64 {
  if (pfn > d.p2mMaxMapped && pfn != DEFAULT_PFN) return -EINVAL;
  let access = d.p2mDefaultAccess;
  if (pfn != DEFAULT_PFN) {
    P2m.lock(d);
    P2m.lookup(d, pfn, 0);
    const mfn = d.lookupMfn;
    access = d.lookupAccess;
    P2m.unlock(d);
    if (mfn == INVALID_MFN) return -ESRCH;
    if (access > <u32>P2M_ACCESS_R_PW) return -ERANGE;
  }
  store<u8>(Scratch.at, <u8>access, 1);
  return copyToGuest(v, argGva + 1, Scratch.at + 1, 1) != 0 ? -EFAULT : OK;
}

/**
 * @returns OK; -EFAULT, -EPERM (oneself, no rights over it), -ESRCH (no such domain; get: no page), -EINVAL (dying, not HVM on VMX with
 * HAP, bad range or access), -ENODEV (no monitor ring), -ENOSYS (operation), -ENOMEM (no table to split into).
 */
export function accessOp(v: Vcpu, cmd: u64, argGva: u64): i64 {
  const arg = Scratch.at;
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, arg, argGva, is64 ? SIZE : SIZE_32) != 0) return -EFAULT;
  const domid: u32 = load<u16>(arg, 2);
  if (domid == v.domid) return -EPERM;
  const found = findOtherDomain(domid);
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (d.state != DOMAIN_ALIVE) return -EINVAL;
  const denied = xsmDmPriv(v.domain, d);
  if (denied != OK) return denied;
  if (looksPv(v, d) || Knobs.get(KNOB_MEM_ACCESS) == <u32>MEM_ACCESS_SVM) return -EINVAL;
  if (!vmEventHasRing(d, VM_EVENT_MODE_MONITOR)) return -ENODEV;
  const nr: u64 = load<u32>(arg, 4);
  const pfn = load<u64>(arg, 8);
  const pfns = is64 ? load<u64>(arg, 16) : <u64>load<u32>(arg, 16);
  const accesses = is64 ? load<u64>(arg, 24) : <u64>load<u32>(arg, 20);
  switch (<u32>load<u8>(arg)) {
    case ACCESS_SET:
      return setRange(v, d, cmd, argGva, pfn, nr, load<u8>(arg, 1));
    case ACCESS_GET:
      return (cmd & ~OP_MASK) != 0 ? -ENOSYS : get(v, d, argGva, pfn);
    case ACCESS_SET_MULTI:
      return setMulti(v, d, cmd, argGva, nr, pfns, accesses);
    default:
      return -ENOSYS;
  }
}
