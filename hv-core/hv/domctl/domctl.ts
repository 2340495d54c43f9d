/**
 * HYPERVISOR_domctl: what toolstacks do to domains. This file is the envelope (spec 05 section 5.1): copy in, interface version,
 * find the domain, privilege, dispatch, copy out. The order of these checks is visible to callers.
 *
 * Structure, 144 bytes: cmd u32, interface_version u32, domain u16, pad, union of 128 bytes at 16.
 */
import { EACCES, EFAULT, EINVAL, ENOSYS, ERESTART, ESRCH, OK } from "../../abi/errno";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GET_PAGING_MEMPOOL_SIZE,
  DOMCTL_GETDOMAININFO,
  DOMCTL_GETHVMCONTEXT,
  DOMCTL_GETVCPUINFO,
  DOMCTL_HYPERCALL_INIT,
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_RESUMEDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SETDOMAINHANDLE,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_SHADOW_OP,
  DOMCTL_UNPAUSEDOMAIN,
} from "../../abi/hypercalls";
import { Domain } from "../domain";
import { domainDestroy } from "../domain/destroy";
import { findOtherDomain } from "../domain/find";
import { controllerPause, controllerUnpause, domainPause, domainUnpause } from "../domain/pause";
import { domainResume } from "../domain/shutdown";
import { continueWith } from "../hypercall/continuation";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { hypercallPageFill } from "../hypercall/hypercall-page";
import { shadowOp } from "../logdirty/shadow-op";
import { Vcpu } from "../vcpu";
import { xsmPriv } from "../xsm/dummy";
import { createDomain } from "./create";
import { getHvmContext, setHvmContext } from "./hvm-context";
import { getDomainInfo, getVcpuInfo } from "./info";
import { getPagingPool, setMaxMem, setMaxVcpus, setPagingPool } from "./resources";

const DOMCTL_SIZE: u32 = 144;
/** Offset of the union. */
export const DOMCTL_U: usize = 16;
const DOMCTL_SOFT_RESET_CONT = 23;

/** Operations that a domain may not do to itself. */
function isNotForSelf(cmd: u32): bool {
  switch (cmd) {
    case DOMCTL_DESTROYDOMAIN:
    case DOMCTL_PAUSEDOMAIN:
    case DOMCTL_UNPAUSEDOMAIN:
    case DOMCTL_MAX_VCPUS:
    case DOMCTL_RESUMEDOMAIN:
    case DOMCTL_GETHVMCONTEXT:
    case DOMCTL_SETHVMCONTEXT:
      return true;
    default:
      return false;
  }
}

function resume(d: Domain): i32 {
  domainPause(d);
  if (d.isShutDown != 0) domainResume(d);
  domainUnpause(d);
  return OK;
}

function setHandle(d: Domain, u: usize): i32 {
  d.handle0 = load<u64>(u);
  d.handle1 = load<u64>(u, 8);
  return OK;
}

function operate(v: Vcpu, d: Domain, cmd: u32, u: usize, isResuming: bool): i32 {
  if (d.slot == v.domainSlot && isNotForSelf(cmd)) return -EINVAL;
  switch (cmd) {
    case DOMCTL_DESTROYDOMAIN:
      return domainDestroy(d);
    case DOMCTL_PAUSEDOMAIN:
      return controllerPause(d);
    case DOMCTL_UNPAUSEDOMAIN:
      return controllerUnpause(d);
    case DOMCTL_SHADOW_OP:
      return shadowOp(v, d, u, isResuming);
    case DOMCTL_MAX_MEM:
      return setMaxMem(d, load<u64>(u));
    case DOMCTL_GETVCPUINFO:
      return getVcpuInfo(d, u);
    case DOMCTL_MAX_VCPUS:
      return setMaxVcpus(d, load<u32>(u));
    case DOMCTL_SETDOMAINHANDLE:
      return setHandle(d, u);
    case DOMCTL_HYPERCALL_INIT:
      return hypercallPageFill(d, load<u64>(u));
    case DOMCTL_SOFT_RESET_CONT:
      return -EINVAL; // internal to the hypervisor
    case DOMCTL_RESUMEDOMAIN:
      return resume(d);
    case DOMCTL_GETHVMCONTEXT:
      return getHvmContext(v, d, u);
    case DOMCTL_SETHVMCONTEXT:
      return setHvmContext(v, d, u);
    case DOMCTL_GET_PAGING_MEMPOOL_SIZE:
      return getPagingPool(d, u);
    case DOMCTL_SET_PAGING_MEMPOOL_SIZE:
      return setPagingPool(d, load<u64>(u));
    default:
      return -ENOSYS;
  }
}

/** Whether the structure goes back to the caller after success (or, for a query, after a short buffer). */
function hasOutput(cmd: u32): bool {
  switch (cmd) {
    case DOMCTL_CREATEDOMAIN:
    case DOMCTL_GETDOMAININFO:
    case DOMCTL_GETVCPUINFO:
    case DOMCTL_GETHVMCONTEXT:
    case DOMCTL_GET_PAGING_MEMPOOL_SIZE:
    case DOMCTL_SHADOW_OP:
      return true;
    default:
      return false;
  }
}

function run(v: Vcpu, op: usize, isResuming: bool): i32 {
  const cmd = load<u32>(op);
  if (cmd == <u32>DOMCTL_CREATEDOMAIN || cmd == <u32>DOMCTL_GETDOMAININFO) {
    const denied = xsmPriv(v.domain);
    if (denied != OK) return denied;
    return cmd == <u32>DOMCTL_CREATEDOMAIN ? createDomain(op) : getDomainInfo(op);
  }
  const found = findOtherDomain(load<u16>(op, 8));
  if (found == 0) return v.domain.isPrivileged != 0 ? -ESRCH : xsmPriv(v.domain);
  const denied = xsmPriv(v.domain);
  if (denied != OK) return denied;
  return operate(v, changetype<Domain>(found), cmd, op + DOMCTL_U, isResuming);
}

/** Second argument of a call that goes on where -ERESTART stopped it; the operations do not trust it. */
const RESUMING: u64 = 0x7265_7375;

export function domctl(v: Vcpu, argGva: u64, resuming: u64): i64 {
  const op = Scratch.at;
  if (copyFromGuest(v, op, argGva, DOMCTL_SIZE) != 0) return -EFAULT;
  if (load<u32>(op, 4) != <u32>DOMCTL_INTERFACE_VERSION_4_17) return -EACCES;
  const cmd = load<u32>(op);
  const result = run(v, op, resuming == RESUMING);
  if (result == -ERESTART) return continueWith(v, argGva, RESUMING, 0);
  if (result == OK && hasOutput(cmd) && copyToGuest(v, argGva, op, DOMCTL_SIZE) != 0) return -EFAULT;
  return result;
}
