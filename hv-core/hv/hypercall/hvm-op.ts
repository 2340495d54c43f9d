/** HYPERVISOR_hvm_op (spec 08 section 8.3). Operations that moved to dm_op or memory_op long ago are -ENOSYS. */
import { EFAULT, EINVAL, ENOENT, ENOSYS, EOPNOTSUPP, ESRCH, OK } from "../../abi/errno";
import {
  HVMOP_FLUSH_TLBS,
  HVMOP_GET_MEM_TYPE,
  HVMOP_GET_PARAM,
  HVMOP_GET_TIME,
  HVMOP_SET_EVTCHN_UPCALL_VECTOR,
  HVMOP_SET_PARAM,
} from "../../abi/hypercalls";
import {
  HVMMEM_IOREQ_SERVER,
  HVMMEM_MMIO_DM,
  HVMMEM_RAM_RO,
  HVMMEM_RAM_RW,
  P2M_IOREQ_SERVER,
} from "../../abi/p2m-types";
import { MONITOR_GUEST_REQUEST, REASON_GUEST_REQUEST } from "../../abi/vm-event";
import { Domain } from "../domain";
import { findDomain, findVcpu, looksPv } from "../domain/find";
import { lapicUpcall } from "../irq/lapic";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { systemTime } from "../time/time";
import { Vcpu } from "../vcpu";
import { DomainEvents } from "../vm-event/domain-events";
import { vmEventMonitor } from "../vm-event/request";
import { xsmTarget } from "../xsm/dummy";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";
import { paramGet, paramSet } from "./hvm-params";
import { isUpcallPending } from "./shared-info";

const HVMOP_PAGETABLE_DYING = 9;
const HVMOP_XENTRACE = 11;
const HVMOP_GUEST_REQUEST_VM_EVENT = 24;
const HVMOP_ALTP2M = 25;
const MAX_TRACE_BYTES: u16 = 28;
const FIRST_USABLE_VECTOR: u32 = 16;

/** {domid u16, pad, index u32, value u64}. */
function param(v: Vcpu, cmd: u32, argGva: u64): i32 {
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, 16) != 0) return -EFAULT;
  const index = load<u32>(arg, 4);
  if (index >= 39) return -EINVAL;
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (looksPv(v, d)) return -EINVAL;
  if (cmd == <u32>HVMOP_SET_PARAM) return paramSet(v, d, index, load<u64>(arg, 8));
  const error = paramGet(v, d, index);
  if (error != OK) return error;
  store<u64>(arg, d.param(index), 8);
  return copyToGuest(v, argGva, arg, 16) != 0 ? -EFAULT : OK;
}

/** {ns u64}: system time. */
function getTime(v: Vcpu, argGva: u64): i32 {
  store<u64>(Scratch.at, systemTime());
  return copyToGuest(v, argGva, Scratch.at, 8) != 0 ? -EFAULT : OK;
}

/** All vCPUs of the domain. The argument must be NULL. */
function flushTlbs(v: Vcpu, argGva: u64): i32 {
  if (argGva != 0) return -EINVAL;
  P2m.flush(v.domain);
  return OK;
}

/** {domid u16, pad, gpa u64}: a hint for shadow paging, which this machine does not have. */
function pagetableDying(v: Vcpu, argGva: u64): i32 {
  return copyFromGuest(v, Scratch.at, argGva, 16) != 0 ? -EFAULT : -EINVAL;
}

/** {event u16, extra_bytes u16, extra[28]}: the record is checked and dropped, because no trace buffer is switched on. */
function xentrace(v: Vcpu, argGva: u64): i32 {
  if (copyFromGuest(v, Scratch.at, argGva, 32) != 0) return -EFAULT;
  return load<u16>(Scratch.at, 2) > MAX_TRACE_BYTES ? -EINVAL : OK;
}

function publicMemType(type: u32): u32 {
  if (P2mType.isMmio(type)) return HVMMEM_MMIO_DM;
  if (type == <u32>P2M_IOREQ_SERVER) return HVMMEM_IOREQ_SERVER;
  if (P2mType.isReadOnly(type)) return HVMMEM_RAM_RO;
  if (P2mType.isRam(type)) return HVMMEM_RAM_RW;
  return HVMMEM_MMIO_DM;
}

/** {domid u16, mem_type u16 out, pad u32, pfn u64}. */
function getMemType(v: Vcpu, argGva: u64): i32 {
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, 16) != 0) return -EFAULT;
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  if (looksPv(v, d)) return -EINVAL;
  store<u16>(arg, <u16>publicMemType(P2m.lookup(d, load<u64>(arg, 8), 0)), 2);
  return copyToGuest(v, argGva, arg, 16) != 0 ? -EFAULT : OK;
}

/** {vcpu u32, vector u8}: events of this vCPU arrive as a LAPIC interrupt. */
function setUpcallVector(v: Vcpu, argGva: u64): i32 {
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, 8) != 0) return -EFAULT;
  const vector: u32 = load<u8>(arg, 4);
  if (vector < FIRST_USABLE_VECTOR) return -EINVAL;
  const found = findVcpu(v.domain, load<u32>(arg));
  if (found == 0) return -ENOENT;
  const target = changetype<Vcpu>(found);
  target.upcallVector = vector;
  if (isUpcallPending(target)) lapicUpcall(target, vector);
  return OK;
}

/** The guest wants to be looked at: an event for the monitor, if it has asked for such. */
function guestRequest(v: Vcpu): i32 {
  const d = v.domain;
  if (!DomainEvents.reports(d, MONITOR_GUEST_REQUEST)) return OK;
  vmEventMonitor(v, REASON_GUEST_REQUEST, DomainEvents.of(d).guestRequestSync != 0, 0, 0, 0, 0);
  return OK;
}

export function hvmOp(v: Vcpu, cmd: u32, arg: u64): i64 {
  switch (cmd) {
    case HVMOP_SET_PARAM:
    case HVMOP_GET_PARAM:
      return param(v, cmd, arg);
    case HVMOP_FLUSH_TLBS:
      return flushTlbs(v, arg);
    case HVMOP_PAGETABLE_DYING:
      return pagetableDying(v, arg);
    case HVMOP_GET_TIME:
      return getTime(v, arg);
    case HVMOP_XENTRACE:
      return xentrace(v, arg);
    case HVMOP_GET_MEM_TYPE:
      return getMemType(v, arg);
    case HVMOP_SET_EVTCHN_UPCALL_VECTOR:
      return setUpcallVector(v, arg);
    case HVMOP_GUEST_REQUEST_VM_EVENT:
      return arg == 0 ? guestRequest(v) : -EINVAL;
    case HVMOP_ALTP2M:
      return -EOPNOTSUPP;
    default:
      return -ENOSYS;
  }
}
