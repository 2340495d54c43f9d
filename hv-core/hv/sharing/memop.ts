/**
 * XENMEM_sharing_op: the table of sharing's operations (spec 04 section 4.2). Structure, 48 bytes: op u8@0, domain u16@2, union@8.
 *
 * Before: hypercall/memory-op.ts. After: nominate.ts, share.ts, add-shared.ts, range-share.ts, debug-info.ts, audit.ts, fork.ts.
 * Knob sharing.era: the numbers of 2012, and -ENODEV for a domain without sharing; since 2020 the first call enables it.
 */
import { EACCES, EFAULT, EINVAL, ENODEV, ENOSYS, EOPNOTSUPP, EPERM, ERESTART, ESRCH, OK } from "../../abi/errno";
import {
  SHARING_OP_2012_ADD_PHYSMAP,
  SHARING_OP_2012_AUDIT,
  SHARING_OP_2012_DEBUG_GFN,
  SHARING_OP_2012_DEBUG_GREF,
  SHARING_OP_2012_DEBUG_MFN,
  SHARING_OP_2012_RESUME,
  SHARING_OP_ADD_PHYSMAP,
  SHARING_OP_AUDIT,
  SHARING_OP_DEBUG_GFN,
  SHARING_OP_DEBUG_GREF,
  SHARING_OP_DEBUG_MFN,
  SHARING_OP_FORK,
  SHARING_OP_FORK_RESET,
  SHARING_OP_NOMINATE_GFN,
  SHARING_OP_NOMINATE_GREF,
  SHARING_OP_RANGE_SHARE,
  SHARING_OP_SHARE,
  XENMEM_SHARING_OP,
} from "../../abi/hypercalls";
import { KNOB_SHARING_ERA, KNOB_XSM, SHARING_ERA_2012, XSM_POLICY } from "../../abi/knobs";
import { VM_EVENT_MODE_SHARING } from "../../abi/vm-event";
import { Knobs } from "../../base/machine";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { continueWith } from "../hypercall/continuation";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { vmEventResponses } from "../vm-event/response";
import { xsmDmPriv } from "../xsm/dummy";
import { addShared } from "./add-shared";
import { audit } from "./audit";
import { isSharingBuilt, sharingControl } from "./control";
import { debugGfn, debugMfn } from "./debug-info";
import { forkOp, forkReset } from "./fork";
import { GREF_BIT, grefToGfn } from "./grant-ref";
import { GREF_REFERENCES, nominate } from "./nominate";
import { rangeCheck, rangeShare } from "./range-share";
import { share } from "./share";

const OP_BYTES: u32 = 48;
const UNION: usize = 8;
/** Offsets in the union. */
const HANDLE: usize = 8;
const SOURCE_HANDLE: usize = 8;
const CLIENT_GFN: usize = 16;
const CLIENT_HANDLE: usize = 24;
const CLIENT_DOMAIN: usize = 32;
const RANGE_LAST: usize = 8;
const RANGE_CURSOR: usize = 16;
const RANGE_CLIENT: usize = 24;
const RANGE_PAD: usize = 26;
/** Results of small steps, behind the structure in scratch memory. */
const GFN_A: usize = 64;
const GFN_B: usize = 72;
const HANDLES: usize = 80;

function isOld(): bool {
  return Knobs.get(KNOB_SHARING_ERA) == <u32>SHARING_ERA_2012;
}

/** Numbers of 2012 as today's; -1 when they are none. The ring's resume had a number among these. */
function modernOp(op: u32): u32 {
  if (!isOld()) return op;
  switch (op) {
    case SHARING_OP_NOMINATE_GFN:
    case SHARING_OP_NOMINATE_GREF:
    case SHARING_OP_SHARE:
      return op;
    case SHARING_OP_2012_DEBUG_GFN:
      return SHARING_OP_DEBUG_GFN;
    case SHARING_OP_2012_DEBUG_MFN:
      return SHARING_OP_DEBUG_MFN;
    case SHARING_OP_2012_DEBUG_GREF:
      return SHARING_OP_DEBUG_GREF;
    case SHARING_OP_2012_ADD_PHYSMAP:
      return SHARING_OP_ADD_PHYSMAP;
    case SHARING_OP_2012_AUDIT:
      return SHARING_OP_AUDIT;
    case SHARING_OP_2012_RESUME:
      return RESUME_2012;
    default:
      return UNKNOWN;
  }
}

const UNKNOWN: u32 = 0xffff_ffff;
const RESUME_2012: u32 = 0xffff_fffe;

/** A domain that is alive and not the caller's: OK, -ESRCH, -EPERM (itself), -EINVAL (dying). It is at `found`. */
class Remote {
  @inline static get found(): usize {
    return load<u32>(Scratch.at + 96);
  }

  static find(v: Vcpu, domid: u32): i32 {
    const at = findOtherDomain(domid);
    if (at == 0) return -ESRCH;
    const d = changetype<Domain>(at);
    if (d.slot == v.domainSlot) return -EPERM;
    if (d.state != DOMAIN_ALIVE) return -EINVAL;
    store<u32>(Scratch.at + 96, <u32>at);
    return OK;
  }
}

/** The security module: -EPERM by the dummy one, -EACCES by a policy. */
function mayShare(v: Vcpu, d: Domain): i32 {
  if (xsmDmPriv(v.domain, d) == OK) return OK;
  return Knobs.get(KNOB_XSM) == <u32>XSM_POLICY ? -EACCES : -EPERM;
}

/** @returns the result of the operation; the structure goes back to the caller after success. */
export function sharingMemop(v: Vcpu, argGva: u64): i64 {
  if (!isSharingBuilt()) return -ENOSYS;
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, OP_BYTES) != 0) return -EFAULT;
  const op = modernOp(load<u8>(arg));
  if (op == <u32>SHARING_OP_AUDIT) return auditOp();
  const rc = Remote.find(v, load<u16>(arg, 2));
  if (rc != OK) return rc;
  const d = changetype<Domain>(Remote.found);
  const denied = mayShare(v, d);
  if (denied != OK) return denied;
  const disabled = enable(d);
  if (disabled != OK) return disabled;
  const result = operate(v, d, op, arg + UNION);
  const isRange = op == <u32>SHARING_OP_RANGE_SHARE; // its cursor goes back after a failure, too
  if (result != OK && result != -ERESTART && !isRange) return result;
  if (copyToGuest(v, argGva, arg, OP_BYTES) != 0) return -EFAULT;
  if (result < 0 && result != -ERESTART) return result;
  return result == OK ? OK : continueWith(v, XENMEM_SHARING_OP, argGva, 0);
}

/** Only debug builds have it. */
function auditOp(): i64 {
  if (isDefined(DEBUG)) return audit();
  return isOld() ? -ENOSYS : -EOPNOTSUPP;
}

/** 2012: sharing must have been enabled; today the first operation does it. */
function enable(d: Domain): i32 {
  if (d.sharingEnabled != 0) return OK;
  return isOld() ? -ENODEV : sharingControl(d, true, false);
}

function operate(v: Vcpu, d: Domain, op: u32, u: usize): i64 {
  switch (op) {
    case SHARING_OP_NOMINATE_GFN:
      return nominate(d, load<u64>(u), 0, u + HANDLE);
    case SHARING_OP_NOMINATE_GREF:
      return nominateGref(d, u);
    case SHARING_OP_SHARE:
      return shareOp(v, d, u);
    case SHARING_OP_DEBUG_GFN:
      return debugGfn(d, load<u64>(u));
    case SHARING_OP_DEBUG_MFN:
      return debugMfn(load<u64>(u));
    case SHARING_OP_DEBUG_GREF:
      return debugGref(d, u);
    case SHARING_OP_ADD_PHYSMAP:
      return addOp(v, d, u);
    case SHARING_OP_RANGE_SHARE:
      return rangeOp(v, d, u);
    case SHARING_OP_FORK:
      return forkOp(v, d, u);
    case SHARING_OP_FORK_RESET:
      return forkReset(d, u);
    case RESUME_2012:
      vmEventResponses(d, VM_EVENT_MODE_SHARING);
      return OK; // also without a ring: that was no error
    default:
      return -ENOSYS;
  }
}

function nominateGref(d: Domain, u: usize): i64 {
  const rc = grefToGfn(d, load<u32>(u), Scratch.at + GFN_A);
  return rc != OK ? rc : nominate(d, load<u64>(Scratch.at + GFN_A), GREF_REFERENCES, u + HANDLE);
}

function debugGref(d: Domain, u: usize): i64 {
  const rc = grefToGfn(d, load<u32>(u), Scratch.at + GFN_A);
  return rc != OK ? rc : debugGfn(d, load<u64>(Scratch.at + GFN_A));
}

/** The client of a call: OK and the domain is at Remote.found; else why not. */
function findClient(v: Vcpu, domid: u32): i32 {
  const rc = Remote.find(v, domid);
  if (rc != OK) return rc;
  const client = changetype<Domain>(Remote.found);
  const denied = mayShare(v, client);
  if (denied != OK) return denied;
  return client.sharingEnabled != 0 ? OK : -EINVAL;
}

/** A gfn field: a gfn, or with bit 62 a grant reference of the domain. The gfn goes to `to`. */
function resolve(d: Domain, field: u64, to: usize): i32 {
  store<u64>(to, field);
  return (field & GREF_BIT) == 0 ? OK : grefToGfn(d, field & ~GREF_BIT, to);
}

function shareOp(v: Vcpu, d: Domain, u: usize): i64 {
  const rc = findClient(v, load<u16>(u, CLIENT_DOMAIN));
  if (rc != OK) return rc;
  const client = changetype<Domain>(Remote.found);
  const source = resolve(d, load<u64>(u), Scratch.at + GFN_A);
  if (source != OK) return source;
  const target = resolve(client, load<u64>(u, CLIENT_GFN), Scratch.at + GFN_B);
  if (target != OK) return target;
  const gfn = load<u64>(Scratch.at + GFN_A);
  const clientGfn = load<u64>(Scratch.at + GFN_B);
  return share(d, gfn, load<u64>(u, SOURCE_HANDLE), client, clientGfn, load<u64>(u, CLIENT_HANDLE));
}

function addOp(v: Vcpu, d: Domain, u: usize): i64 {
  const rc = findClient(v, load<u16>(u, CLIENT_DOMAIN));
  if (rc != OK) return rc;
  const client = changetype<Domain>(Remote.found);
  const gfn = load<u64>(u);
  if ((gfn & GREF_BIT) != 0) return -EINVAL; // the page of a reference could go while it is added
  return addShared(d, gfn, load<u64>(u, SOURCE_HANDLE), client, load<u64>(u, CLIENT_GFN));
}

/** The cursor is in the structure: the caller sees how far a call got that ran out of memory. */
function rangeOp(v: Vcpu, d: Domain, u: usize): i64 {
  if ((<u32>load<u16>(u, RANGE_PAD) | load<u32>(u, RANGE_PAD + 2)) != 0) return -EINVAL;
  const rc = findClient(v, load<u16>(u, RANGE_CLIENT));
  if (rc != OK) return rc;
  const client = changetype<Domain>(Remote.found);
  const first = load<u64>(u);
  const last = load<u64>(u, RANGE_LAST);
  const checked = rangeCheck(d, client, first, last, load<u64>(u, RANGE_CURSOR));
  return checked != OK ? checked : rangeShare(d, client, first, last, u + RANGE_CURSOR, Scratch.at + HANDLES);
}
