/** HYPERVISOR_memory_op: a table of its operations (spec 08 section 8.2). Bits above 5 of the command carry a continuation. */
import { EFAULT, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, ESRCH, OK } from "../../abi/errno";
import {
  XENMEM_ACQUIRE_RESOURCE,
  XENMEM_ADD_TO_PHYSMAP,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_CURRENT_RESERVATION,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_GET_POD_TARGET,
  XENMEM_GET_SHARING_FREED_PAGES,
  XENMEM_GET_SHARING_SHARED_PAGES,
  XENMEM_INCREASE_RESERVATION,
  XENMEM_MAXIMUM_GPFN,
  XENMEM_MAXIMUM_RAM_PAGE,
  XENMEM_MAXIMUM_RESERVATION,
  XENMEM_MEMORY_MAP,
  XENMEM_POPULATE_PHYSMAP,
  XENMEM_REMOVE_FROM_PHYSMAP,
  XENMEM_SET_MEMORY_MAP,
  XENMEM_SET_POD_TARGET,
  XENMEM_SHARING_OP,
} from "../../abi/hypercalls";
import { XENMEM_ACCESS_OP, XENMEM_PAGING_OP } from "../../abi/vm-event";
import { Machine } from "../../base/machine";
import { accessOp } from "../access/access-op";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { pagingOp } from "../paging/paging-op";
import { sharingMemop } from "../sharing/memop";
import { Sharing } from "../sharing/state";
import { Vcpu } from "../vcpu";
import { xsmTarget } from "../xsm/dummy";
import { acquireResource } from "./acquire-resource";
import { claimPages } from "./claim";
import { copyFromGuest, Scratch } from "./guest-copy";
import { machineMemoryMap, memoryMap, setMemoryMap } from "./memory-map";
import { addToPhysmap, addToPhysmapBatch, removeFromPhysmap } from "./physmap-op";
import { podTarget } from "./pod-target";
import { reservationOp } from "./reservation";

const XENMEM_MACHPHYS_MFN_LIST = 5;
const XENMEM_MACHINE_MEMORY_MAP = 10;
const XENMEM_CLAIM_PAGES = 24;
const XENMEM_EXCHANGE = 11;
const XENMEM_MACHPHYS_COMPAT_MFN_LIST = 25;
const XENMEM_GET_VNUMAINFO = 26;
const XENMEM_RESERVED_DEVICE_MEMORY_MAP = 27;
/** What is read of a structure before its operation is refused. */
const EXCHANGE_SIZE: u32 = 72;
const EXCHANGE_MAX_ORDER: u32 = 18;

function isReadable(v: Vcpu, argGva: u64, bytes: u32): bool {
  return copyFromGuest(v, Scratch.at, argGva, bytes) == 0;
}

/**
 * Two reservations and a count: frames against others, for PV domains. Sizes are checked first; then translated memory is refused.
 */
function exchange(v: Vcpu, argGva: u64): i64 {
  if (!isReadable(v, argGva, EXCHANGE_SIZE)) return -EFAULT;
  const inOrder = load<u32>(Scratch.at, 16);
  const outOrder = load<u32>(Scratch.at, 48);
  if (v.hypercall64 == 0) return -EOPNOTSUPP;
  if (inOrder > EXCHANGE_MAX_ORDER || outOrder > EXCHANGE_MAX_ORDER) return -EPERM;
  if (load<u64>(Scratch.at, 8) << inOrder != load<u64>(Scratch.at, 40) << outOrder) return -EINVAL;
  return -EOPNOTSUPP;
}

/** {flags u32, ..}: no device has reserved memory. Only bit 0 of the flags is known. */
function reservedDeviceMemory(v: Vcpu, argGva: u64): i64 {
  if (!isReadable(v, argGva, 4)) return -EFAULT;
  return (load<u32>(Scratch.at) & ~1) != 0 ? -EINVAL : OK;
}

/** 32-bit callers get at most the largest positive number. */
function maximumGpfn(v: Vcpu, d: Domain): i64 {
  const limit: u64 = v.hypercall64 != 0 ? 0x7fff_ffff_ffff_ffff : 0x7fff_ffff;
  return <i64>min<u64>(d.p2mMaxMapped, limit);
}

/** {domid u16}: one number about a domain. */
function quantity(v: Vcpu, op: u32, argGva: u64): i64 {
  if (copyFromGuest(v, Scratch.at, argGva, 2) != 0) return -EFAULT;
  const found = findDomain(v, load<u16>(Scratch.at));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  switch (op) {
    case XENMEM_CURRENT_RESERVATION:
      return d.totPages;
    case XENMEM_MAXIMUM_RESERVATION:
      return d.maxPages;
    default:
      return maximumGpfn(v, d);
  }
}

export function memoryOp(v: Vcpu, cmd: u64, arg: u64): i64 {
  const op = <u32>cmd & 63;
  switch (op) {
    case XENMEM_INCREASE_RESERVATION:
    case XENMEM_DECREASE_RESERVATION:
    case XENMEM_POPULATE_PHYSMAP:
      return reservationOp(v, cmd, arg);
    case XENMEM_MAXIMUM_RAM_PAGE:
      return Machine.get().frameCount - 1;
    case XENMEM_CURRENT_RESERVATION:
    case XENMEM_MAXIMUM_RESERVATION:
    case XENMEM_MAXIMUM_GPFN:
      return cmd >> 6 != 0 ? -EINVAL : quantity(v, op, arg);
    case XENMEM_ADD_TO_PHYSMAP:
      return addToPhysmap(v, cmd, arg);
    case XENMEM_MEMORY_MAP:
      return memoryMap(v, arg);
    case XENMEM_EXCHANGE:
      return exchange(v, arg);
    case XENMEM_CLAIM_PAGES:
      return cmd >> 6 != 0 ? -EINVAL : claimPages(v, arg);
    case XENMEM_MACHINE_MEMORY_MAP:
      return machineMemoryMap(v, arg);
    case XENMEM_MACHPHYS_MFN_LIST:
    case XENMEM_MACHPHYS_COMPAT_MFN_LIST:
    case XENMEM_GET_VNUMAINFO:
      return -EOPNOTSUPP;
    case XENMEM_SET_POD_TARGET:
    case XENMEM_GET_POD_TARGET:
      return podTarget(v, cmd, arg);
    case XENMEM_ACCESS_OP:
      return accessOp(v, cmd, arg);
    case XENMEM_PAGING_OP:
      return cmd >> 6 != 0 ? -ENOSYS : pagingOp(v, arg);
    case XENMEM_RESERVED_DEVICE_MEMORY_MAP:
      return reservedDeviceMemory(v, arg);
    case XENMEM_SET_MEMORY_MAP:
      return setMemoryMap(v, arg);
    case XENMEM_REMOVE_FROM_PHYSMAP:
      return cmd >> 6 != 0 ? -EINVAL : removeFromPhysmap(v, arg);
    case XENMEM_GET_SHARING_FREED_PAGES:
      return Sharing.get().nrSaved;
    case XENMEM_GET_SHARING_SHARED_PAGES:
      return Sharing.get().nrShared;
    case XENMEM_SHARING_OP:
      return cmd >> 6 != 0 ? -EINVAL : sharingMemop(v, arg);
    case XENMEM_ADD_TO_PHYSMAP_BATCH:
      return addToPhysmapBatch(v, cmd, arg);
    case XENMEM_ACQUIRE_RESOURCE:
      return cmd >> 6 != 0 ? -EINVAL : acquireResource(v, arg);
    default:
      return -ENOSYS;
  }
}
