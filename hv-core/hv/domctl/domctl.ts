/**
 * HYPERVISOR_domctl: what toolstacks do to domains. This file is the envelope (spec 05 section 5.1): copy in, interface version,
 * find the domain, privilege, lock, dispatch, copy out. The order of these checks is visible to callers.
 * The operations: settings, resources, info, affinity, page-info, tsc, vcpu-context, hvm-context, create; absent.ts has those of
 * features this machine does not have.
 *
 * Structure, 144 bytes: cmd u32, interface_version u32, domain u16, pad, union of 128 bytes at 16.
 */
import {
  DOMCTL_ASSIGN_DEVICE,
  DOMCTL_AUDIT_P2M,
  DOMCTL_DEASSIGN_DEVICE,
  DOMCTL_GET_ADDRESS_SIZE,
  DOMCTL_GET_CPU_POLICY,
  DOMCTL_GET_EXT_VCPUCONTEXT,
  DOMCTL_GETHVMCONTEXT_PARTIAL,
  DOMCTL_GETNODEAFFINITY,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_GETTSCINFO,
  DOMCTL_GETVCPUAFFINITY,
  DOMCTL_GETVCPUCONTEXT,
  DOMCTL_GETVCPUEXTSTATE,
  DOMCTL_IOMEM_PERMISSION,
  DOMCTL_IOPORT_PERMISSION,
  DOMCTL_IRQ_PERMISSION,
  DOMCTL_SCHEDULER_OP,
  DOMCTL_SENDTRIGGER,
  DOMCTL_SET_ACCESS_REQUIRED,
  DOMCTL_SET_ADDRESS_SIZE,
  DOMCTL_SET_BROKEN_PAGE_P2M,
  DOMCTL_SET_CPU_POLICY,
  DOMCTL_SET_TARGET,
  DOMCTL_SET_VIRQ_HANDLER,
  DOMCTL_SETDEBUGGING,
  DOMCTL_SETNODEAFFINITY,
  DOMCTL_SETTIMEOFFSET,
  DOMCTL_SETTSCINFO,
  DOMCTL_SETVCPUAFFINITY,
  DOMCTL_SETVCPUCONTEXT,
  DOMCTL_SIZE,
  DOMCTL_SOFT_RESET,
  DOMCTL_SOFT_RESET_CONT,
  DOMCTL_SUBSCRIBE,
  DOMCTL_TEST_ASSIGN_DEVICE,
  DOMCTL_UNION,
} from "../../abi/domctl";
import { EACCES, EFAULT, EINVAL, EOPNOTSUPP, EPERM, ERESTART, ESRCH, OK } from "../../abi/errno";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GET_PAGING_MEMPOOL_SIZE,
  DOMCTL_GETDOMAININFO,
  DOMCTL_GETHVMCONTEXT,
  DOMCTL_GETVCPUINFO,
  DOMCTL_HYPERCALL_INIT,
  DOMCTL_MAX_MEM,
  DOMCTL_MAX_VCPUS,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_RESUMEDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SETDOMAINHANDLE,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_SHADOW_OP,
  DOMCTL_UNPAUSEDOMAIN,
  DOMID_IO,
} from "../../abi/hypercalls";
import { DEFECT_SELF_PAUSE } from "../../abi/knobs";
import { Defects } from "../../base/defects";
import { Domain } from "../domain";
import { domainDestroy } from "../domain/destroy";
import { findOtherDomain } from "../domain/find";
import { controllerPause, controllerUnpause } from "../domain/pause";
import { continueWith } from "../hypercall/continuation";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { hypercallPageFill } from "../hypercall/hypercall-page";
import { iomemPermission, ioportPermission, irqPermission } from "../iocap/permission";
import { shadowOp } from "../logdirty/shadow-op";
import { Vcpu } from "../vcpu";
import { xsmDomctl } from "../xsm/domctl";
import { xsmPriv } from "../xsm/dummy";
import { absentFeature } from "./absent";
import { getNodeAffinity, getVcpuAffinity, schedulerOp, setNodeAffinity, setVcpuAffinity } from "./affinity";
import { getCpuPolicy, setCpuPolicy } from "./cpu-policy";
import { createDomain } from "./create";
import { DomctlEra } from "./era-0a/era";
import { hasOutput0a, operate0a, SHARED } from "./era-0a/operations";
import { getHvmContext, getHvmContextPartial, setHvmContext } from "./hvm-context";
import { findInfoDomain, getDomainInfo, getVcpuInfo } from "./info";
import { domctlLockTry, domctlUnlock, isUnlocked } from "./lock";
import { auditP2m, getPageFrameInfo, setBrokenPage } from "./page-info";
import { getPagingPool, setMaxMem, setMaxVcpus, setPagingPool } from "./resources";
import {
  addressSize,
  resumeDomain,
  sendTrigger,
  setDebugging,
  setHandle,
  setTarget,
  setTimeOffset,
  softReset,
  subscribe,
  takeVirq,
} from "./settings";
import { getTscInfo, setTscInfo } from "./tsc";
import { getVcpuContext, setVcpuContext } from "./vcpu-context";

/** Operations that a domain may not do to itself: they pause it, or take away what it stands on. */
function isNotForSelf(cmd: u32): bool {
  switch (cmd) {
    case DOMCTL_RESUMEDOMAIN:
    case DOMCTL_GETTSCINFO:
    case DOMCTL_SETTSCINFO:
      // Missing in 2014: XSA-127.
      return !Defects.has(DEFECT_SELF_PAUSE);
    case DOMCTL_DESTROYDOMAIN:
    case DOMCTL_PAUSEDOMAIN:
    case DOMCTL_UNPAUSEDOMAIN:
    case DOMCTL_MAX_VCPUS:
    case DOMCTL_SETDEBUGGING:
    case DOMCTL_SOFT_RESET:
    case DOMCTL_GETHVMCONTEXT:
    case DOMCTL_SETHVMCONTEXT:
    case DOMCTL_GETHVMCONTEXT_PARTIAL:
      return true;
    default:
      return false;
  }
}

/** Life and resources of a domain. */
function operate(v: Vcpu, d: Domain, cmd: u32, u: usize, isResuming: bool): i32 {
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
    case DOMCTL_MAX_VCPUS:
      return setMaxVcpus(d, load<u32>(u));
    case DOMCTL_HYPERCALL_INIT:
      return hypercallPageFill(d, load<u64>(u));
    case DOMCTL_SOFT_RESET_CONT:
      return -EINVAL; // internal to the hypervisor
    case DOMCTL_RESUMEDOMAIN:
      return resumeDomain(v, d);
    case DOMCTL_GET_PAGING_MEMPOOL_SIZE:
      return getPagingPool(d, u);
    case DOMCTL_SET_PAGING_MEMPOOL_SIZE:
      return setPagingPool(d, load<u64>(u));
    default:
      return operateOnVcpu(v, d, cmd, u);
  }
}

/** State of the vCPUs and of the pages. */
function operateOnVcpu(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  switch (cmd) {
    case DOMCTL_SETVCPUAFFINITY:
      return setVcpuAffinity(v, d, u);
    case DOMCTL_SETVCPUCONTEXT:
      return setVcpuContext(v, d, u);
    case DOMCTL_GETVCPUCONTEXT:
      return getVcpuContext(v, d, u);
    case DOMCTL_GETVCPUINFO:
      return getVcpuInfo(d, u);
    case DOMCTL_GETVCPUAFFINITY:
      return getVcpuAffinity(v, d, u);
    case DOMCTL_SENDTRIGGER:
      return sendTrigger(d, u);
    case DOMCTL_GETHVMCONTEXT:
      return getHvmContext(v, d, u);
    case DOMCTL_SETHVMCONTEXT:
      return setHvmContext(v, d, u);
    case DOMCTL_GETHVMCONTEXT_PARTIAL:
      return getHvmContextPartial(v, d, u);
    case DOMCTL_GETPAGEFRAMEINFO3:
      return getPageFrameInfo(v, d, u);
    case DOMCTL_SET_BROKEN_PAGE_P2M:
      return setBrokenPage(d, u);
    case DOMCTL_AUDIT_P2M:
      return auditP2m(d, u);
    default:
      return configure(v, d, cmd, u);
  }
}

/** Settings. */
function configure(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  switch (cmd) {
    case DOMCTL_SCHEDULER_OP:
      return schedulerOp(d, u);
    case DOMCTL_SETDOMAINHANDLE:
      return setHandle(d, u);
    case DOMCTL_SETDEBUGGING:
      return setDebugging(v, d, u);
    case DOMCTL_SETTIMEOFFSET:
      return setTimeOffset(d, u);
    case DOMCTL_SOFT_RESET:
      return softReset(v, d);
    case DOMCTL_SUBSCRIBE:
      return subscribe(d, u);
    case DOMCTL_SET_ADDRESS_SIZE:
    case DOMCTL_GET_ADDRESS_SIZE:
      return addressSize(d, cmd, u);
    case DOMCTL_SET_TARGET:
      return setTarget(v, d, u);
    case DOMCTL_GETTSCINFO:
      return getTscInfo(v, d, u);
    case DOMCTL_SETTSCINFO:
      return setTscInfo(v, d, u);
    case DOMCTL_GET_CPU_POLICY:
      return getCpuPolicy(v, d, u);
    case DOMCTL_SET_CPU_POLICY:
      return setCpuPolicy(v, d, u);
    case DOMCTL_SET_ACCESS_REQUIRED:
      if (d.slot == v.domainSlot) return -EPERM;
      d.accessRequired = load<u8>(u);
      return OK;
    case DOMCTL_IOMEM_PERMISSION:
      return iomemPermission(v, d, u);
    case DOMCTL_IOPORT_PERMISSION:
      return ioportPermission(v, d, u);
    case DOMCTL_IRQ_PERMISSION:
      return irqPermission(v, d, u);
    case DOMCTL_SET_VIRQ_HANDLER:
      return takeVirq(d, u);
    case DOMCTL_SETNODEAFFINITY:
      return setNodeAffinity(v, d, u);
    case DOMCTL_GETNODEAFFINITY:
      return getNodeAffinity(v, d, u);
    default:
      return absentFeature(v, d, cmd, u);
  }
}

/** Whether the structure goes back to the caller after success. */
function hasOutput(cmd: u32): bool {
  switch (cmd) {
    case DOMCTL_CREATEDOMAIN:
    case DOMCTL_GETDOMAININFO:
    case DOMCTL_SETVCPUAFFINITY:
    case DOMCTL_GETVCPUINFO:
    case DOMCTL_GETVCPUAFFINITY:
    case DOMCTL_SCHEDULER_OP:
    case DOMCTL_GETHVMCONTEXT:
    case DOMCTL_GETHVMCONTEXT_PARTIAL:
    case DOMCTL_GET_ADDRESS_SIZE:
    case DOMCTL_GETTSCINFO:
    case DOMCTL_AUDIT_P2M:
    case DOMCTL_GET_PAGING_MEMPOOL_SIZE:
    case DOMCTL_GET_EXT_VCPUCONTEXT:
    case DOMCTL_GETVCPUEXTSTATE:
    case DOMCTL_SHADOW_OP:
    case DOMCTL_GET_CPU_POLICY:
      return true;
    default:
      return false;
  }
}

/** Device assignment: without an IOMMU every answer is the same, before the domain is looked at where one need not exist. */
function isAssignment(cmd: u32, domid: u32): bool {
  if (cmd == <u32>DOMCTL_TEST_ASSIGN_DEVICE) return true;
  if (cmd != <u32>DOMCTL_ASSIGN_DEVICE && cmd != <u32>DOMCTL_DEASSIGN_DEVICE) return false;
  return domid == <u32>DOMID_IO || Domain.find(domid) != 0;
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
  const found = findOtherDomain(domid);
  if (found == 0) return noDomain(v);
  const d = changetype<Domain>(found);
  const denied = xsmDomctl(v.domain, d, cmd, u);
  if (denied != OK) return denied;
  if (d.slot == v.domainSlot && isNotForSelf(cmd)) return -EINVAL;
  const old = DomctlEra.is0a ? operate0a(v, d, cmd, u) : SHARED;
  return old != SHARED ? old : operate(v, d, cmd, u, isResuming);
}

/** Whether the structure goes back to the caller after `result`. */
function goesBack(cmd: u32, result: i32): bool {
  if (result == -ERESTART) return cmd == <u32>DOMCTL_GETPAGEFRAMEINFO3;
  // A refused CPU policy says where it is wrong.
  if (cmd == <u32>DOMCTL_SET_CPU_POLICY) return result != OK && result != -EFAULT;
  if (result != OK) return false;
  if (!DomctlEra.is0a) return hasOutput(cmd);
  return hasOutput0a(cmd) || (hasOutput(cmd) && cmd != <u32>DOMCTL_GETTSCINFO && cmd != <u32>DOMCTL_SETVCPUAFFINITY);
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
  if (goesBack(cmd, result) && copyToGuest(v, argGva, op, DOMCTL_SIZE) != 0) return -EFAULT;
  return result == -ERESTART ? continueWith(v, argGva, RESUMING, 0) : result;
}
