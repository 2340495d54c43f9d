/**
 * HYPERVISOR_domctl: what toolstacks do to domains. This file is the envelope (spec 05 section 5.1): copy in, interface version,
 * find the domain, privilege, lock, dispatch, copy out. The order of these checks is visible to callers.
 * What each command does: life-ops.ts, vcpu-ops.ts, settings-ops.ts, devices-ops.ts in this order; absent.ts has those of features this
 * machine does not have. What is special about a command: traits.ts.
 *
 * Structure, 144 bytes: cmd u32, interface_version u32, domain u16, pad, union of 128 bytes at 16.
 */
import {
  DOMCTL_ASSIGN_DEVICE,
  DOMCTL_DEASSIGN_DEVICE,
  DOMCTL_SIZE,
  DOMCTL_TEST_ASSIGN_DEVICE,
  DOMCTL_UNION,
  DOMCTL_VM_EVENT_OP,
} from "../../abi/domctl";
import { EACCES, EFAULT, EINVAL, EOPNOTSUPP, EPERM, ERESTART, ESRCH, OK } from "../../abi/errno";
import { DOMCTL_CREATEDOMAIN, DOMCTL_GETDOMAININFO, DOMID_INVALID, DOMID_IO } from "../../abi/hypercalls";
import { KNOB_CALLER_MEMORY, KNOB_IO_IOMMU } from "../../abi/knobs";
import { W_COPY_OUT } from "../../abi/windows";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { continueWith } from "../hypercall/continuation";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { isVmEventVersion, vmEventVersion } from "../vm-event/domctl";
import { xsmDomctl } from "../xsm/domctl";
import { xsmPriv } from "../xsm/dummy";
import { createDomain } from "./create";
import { DomctlEra } from "./era-0a/era";
import { operate0a, SHARED } from "./era-0a/operations";
import { findInfoDomain, getDomainInfo } from "./info";
import { operate } from "./life-ops";
import { domctlLockTry, domctlUnlock, isUnlocked } from "./lock";
import { goesBack, isNotForSelf } from "./traits";

/** Device assignment: without an IOMMU every answer is the same, before the domain is looked at where one need not exist. */
function isAssignment(cmd: u32, domid: u32): bool {
  if (Knobs.get(KNOB_IO_IOMMU) != 0) return false;
  if (cmd == <u32>DOMCTL_TEST_ASSIGN_DEVICE) return true;
  if (cmd != <u32>DOMCTL_ASSIGN_DEVICE && cmd != <u32>DOMCTL_DEASSIGN_DEVICE) return false;
  return domid == <u32>DOMID_IO || Domain.find(domid) != 0;
}

/** DOMCTL_vm_event_op may name no domain when it only asks for the version. */
function isVersionQuestion(cmd: u32, domid: u32, u: usize): bool {
  return cmd == <u32>DOMCTL_VM_EVENT_OP && domid == <u32>DOMID_INVALID && isVmEventVersion(u);
}

/** The answer to a caller for whom the domain does not exist: only control domains may know. */
function noDomain(v: Vcpu): i32 {
  return v.domain.isPrivileged != 0 || DomctlEra.is0a ? -ESRCH : -EPERM;
}

function info(v: Vcpu, op: usize): i32 {
  const found = findInfoDomain(op);
  if (found == 0) return noDomain(v) == -ESRCH ? getDomainInfo(op, found) : -EPERM;
  const denied = xsmDomctl(v.domain, changetype<Domain>(found), DOMCTL_GETDOMAININFO, op + DOMCTL_UNION);
  return denied != OK ? denied : getDomainInfo(op, found);
}

function run(v: Vcpu, op: usize, isResuming: bool): i32 {
  const cmd = load<u32>(op);
  if (cmd == <u32>DOMCTL_GETDOMAININFO) return info(v, op);
  const u = op + DOMCTL_UNION;
  if (cmd == <u32>DOMCTL_CREATEDOMAIN) {
    const denied = xsmDomctl(v.domain, v.domain, cmd, u);
    return denied != OK ? denied : createDomain(op);
  }
  const domid: u32 = load<u16>(op, 8);
  if (isAssignment(cmd, domid)) {
    const denied = xsmPriv(v.domain);
    return denied != OK ? denied : -EOPNOTSUPP;
  }
  if (isVersionQuestion(cmd, domid, u)) {
    const denied = xsmPriv(v.domain);
    return denied != OK ? denied : vmEventVersion(u);
  }
  const found = findOtherDomain(domid);
  if (found == 0) return noDomain(v);
  const d = changetype<Domain>(found);
  const denied = xsmDomctl(v.domain, d, cmd, u);
  if (denied != OK) return denied;
  if (d.slot == v.domainSlot && isNotForSelf(cmd)) return -EINVAL;
  const old = DomctlEra.is0a ? operate0a(v, d, cmd, u) : SHARED;
  return old != SHARED ? old : operate(v, d, cmd, u, isResuming);
}

/** Second argument of a call that goes on where -ERESTART stopped it; the operations do not trust it. */
const RESUMING: u64 = 0x7265_7375;

export function domctl(v: Vcpu, argGva: u64, resuming: u64): i64 {
  const op = Scratch.at;
  if (copyFromGuest(v, op, argGva, DOMCTL_SIZE) != 0) return -EFAULT;
  if (load<u32>(op, 4) != DomctlEra.version) return -EACCES;
  const cmd = load<u32>(op);
  const isLocked = !isUnlocked(cmd, load<u32>(op + DOMCTL_UNION));
  if (isLocked && !domctlLockTry(v)) return continueWith(v, argGva, resuming, 0);
  const result = run(v, op, resuming == RESUMING);
  if (isLocked) domctlUnlock(v);
  const isAnswered = goesBack(cmd, result);
  // The work is done: what happens to the caller's page tables from here on makes an EFAULT of it.
  if (isAnswered && Variant.is(KNOB_CALLER_MEMORY, 1)) Window.at(W_COPY_OUT, <usize>argGva, ACCESS_WRITE);
  if (isAnswered && copyToGuest(v, argGva, op, DOMCTL_SIZE) != 0) return -EFAULT;
  return result == -ERESTART ? continueWith(v, argGva, RESUMING, 0) : result;
}
