/**
 * Hypercall 41, dm_op: what a device model's domain asks about the domain it serves (spec 03 section 3.2). This file is the
 * envelope: buffers, checks in Xen's order, copy in, dispatch, copy out.
 *
 * bufs[0] is struct dm_op: op u32 @0, pad u32 @4, union @8. The handlers work on a copy of it in hypervisor memory.
 * Handlers: dm-op-servers.ts, dm-op-memory.ts, dm-op-dirty.ts, dm-op-vcpu.ts.
 */
import { E2BIG, EFAULT, EINVAL, ENODATA, EOPNOTSUPP, EPERM, ERESTART, ESRCH, OK } from "../../abi/errno";
import {
  DMOP_CREATE_IOREQ_SERVER,
  DMOP_DESTROY_IOREQ_SERVER,
  DMOP_GET_IOREQ_SERVER_INFO,
  DMOP_INJECT_EVENT,
  DMOP_INJECT_MSI,
  DMOP_LAST,
  DMOP_MAP_IO_RANGE_TO_IOREQ_SERVER,
  DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
  DMOP_MODIFIED_MEMORY,
  DMOP_NR_VCPUS,
  DMOP_PIN_MEMORY_CACHEATTR,
  DMOP_RELOCATE_MEMORY,
  DMOP_REMOTE_SHUTDOWN,
  DMOP_SET_IOREQ_SERVER_STATE,
  DMOP_SET_ISA_IRQ_LEVEL,
  DMOP_SET_MEM_TYPE,
  DMOP_SET_PCI_INTX_LEVEL,
  DMOP_SET_PCI_LINK_ROUTE,
  DMOP_TRACK_DIRTY_VRAM,
  DMOP_UNMAP_IO_RANGE_FROM_IOREQ_SERVER,
} from "../../abi/hypercalls";
import { Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { xsmDmPriv } from "../xsm/dummy";
import { dmModifiedMemory, dmTrackDirtyVram } from "./dm-op-dirty";
import { dmInjectMsi, dmIsaIrqLevel, dmPciIntxLevel, dmPciLinkRoute } from "./dm-op-irq";
import { dmPinMemory, dmRelocateMemory } from "./dm-op-layout";
import { dmMapMemType, dmSetMemType } from "./dm-op-memory";
import { dmCreate, dmDestroy, dmInfo, dmMapRange, dmSetState, dmUnmapRange } from "./dm-op-servers";
import { dmInjectEvent, dmNrVcpus, dmRemoteShutdown } from "./dm-op-vcpu";

const MAX_BUFS: u32 = 2;
const HEADER_SIZE: u32 = 8;
/** Where the descriptors and the operation stand in Scratch.dm. */
const BUFS_AT: usize = 0;
const OP_AT: usize = 64;

/** @returns 0 or more; -errno; -ERESTART when the same call is to be made again (its buffer says how far it got). */
export function dmOp(v: Vcpu, domid: u32, nrBufs: u32, bufsGva: u64): i64 {
  if (nrBufs == 0) return -ENODATA;
  if (nrBufs > MAX_BUFS) return -E2BIG;
  const bufSize: u32 = v.hypercall64 != 0 ? 16 : 8;
  const bufs = Scratch.dm + BUFS_AT;
  if (copyFromGuest(v, bufs, bufsGva, bufSize * nrBufs) != 0) return -EFAULT;
  const found = findOtherDomain(domid);
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (d.slot == v.domainSlot) return -EPERM;
  if (d.isHvm == 0) return -EINVAL;
  const allowed = xsmDmPriv(v.domain, d);
  if (allowed != OK) return allowed;
  return run(v, d, nrBufs, bufferGva(v, 0), bufferSize(v, 0));
}

/** Address of a buffer of the running call, which has at least `index` + 1 of them. */
function bufferGva(v: Vcpu, index: usize): u64 {
  const bufs = Scratch.dm + BUFS_AT;
  return v.hypercall64 != 0 ? load<u64>(bufs + 16 * index) : <u64>load<u32>(bufs + 8 * index);
}

function bufferSize(v: Vcpu, index: usize): u64 {
  const bufs = Scratch.dm + BUFS_AT;
  return v.hypercall64 != 0 ? load<u64>(bufs + 16 * index, 8) : <u64>load<u32>(bufs + 8 * index, 4);
}

function run(v: Vcpu, d: Domain, nrBufs: u32, handle: u64, size: u64): i64 {
  const at = Scratch.dm + OP_AT;
  if (size < <u64>HEADER_SIZE || copyFromGuest(v, at, handle, HEADER_SIZE) != 0) return -EFAULT;
  const op = load<u32>(at);
  if (op > <u32>DMOP_LAST) return -EOPNOTSUPP;
  const bytes = opSize(op);
  if (size < <u64>(HEADER_SIZE + bytes)) return -EFAULT;
  const args = at + HEADER_SIZE;
  if (copyFromGuest(v, args, handle + HEADER_SIZE, bytes) != 0) return -EFAULT;
  if (load<u32>(at, 4) != 0) return -EINVAL;
  const rc = dispatch(v, d, op, nrBufs, args);
  if ((rc == OK || rc == -ERESTART) && hasOutput(op)) {
    if (copyToGuest(v, handle + HEADER_SIZE, args, bytes) != 0) return -EFAULT;
  }
  return rc;
}

function dispatch(v: Vcpu, d: Domain, op: u32, nrBufs: u32, args: usize): i32 {
  const caller = v.domid;
  switch (op) {
    case DMOP_CREATE_IOREQ_SERVER:
      return dmCreate(d, caller, args);
    case DMOP_GET_IOREQ_SERVER_INFO:
      return dmInfo(d, caller, args);
    case DMOP_MAP_IO_RANGE_TO_IOREQ_SERVER:
      return dmMapRange(d, caller, args);
    case DMOP_UNMAP_IO_RANGE_FROM_IOREQ_SERVER:
      return dmUnmapRange(d, caller, args);
    case DMOP_SET_IOREQ_SERVER_STATE:
      return dmSetState(d, caller, args);
    case DMOP_DESTROY_IOREQ_SERVER:
      return dmDestroy(d, caller, args);
    case DMOP_SET_PCI_INTX_LEVEL:
      return dmPciIntxLevel(d, args);
    case DMOP_SET_ISA_IRQ_LEVEL:
      return dmIsaIrqLevel(d, args);
    case DMOP_SET_PCI_LINK_ROUTE:
      return dmPciLinkRoute(d, args);
    case DMOP_INJECT_MSI:
      return dmInjectMsi(d, args);
    case DMOP_RELOCATE_MEMORY:
      return dmRelocateMemory(d, args);
    case DMOP_PIN_MEMORY_CACHEATTR:
      return dmPinMemory(d, args);
    case DMOP_MODIFIED_MEMORY:
      return dmModifiedMemory(v, d, nrBufs, args, bufferGva(v, 1), bufferSize(v, 1));
    case DMOP_TRACK_DIRTY_VRAM:
      return dmTrackDirtyVram(v, d, nrBufs, args, bufferGva(v, 1), bufferSize(v, 1));
    case DMOP_SET_MEM_TYPE:
      return dmSetMemType(d, args);
    case DMOP_INJECT_EVENT:
      return dmInjectEvent(d, args);
    case DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER:
      return dmMapMemType(d, caller, args);
    case DMOP_REMOTE_SHUTDOWN:
      return dmRemoteShutdown(d, args);
    case DMOP_NR_VCPUS:
      return dmNrVcpus(d, args);
    default:
      return -EOPNOTSUPP;
  }
}

/** Bytes of the union that the operation uses. */
function opSize(op: u32): u32 {
  switch (op) {
    case 1:
    case 8:
      return 6;
    case 2:
    case 3:
    case 4:
    case 13:
    case 17:
    case 18:
      return 24;
    case 5:
    case 6:
    case 16:
    case 20:
      return 4;
    case 7:
    case 12:
    case 14:
    case 15:
      return 16;
    case 9:
    case 10:
      return 2;
    case 11:
      return 8;
    default:
      return 0;
  }
}

/** Operations whose structure goes back to the caller. */
function hasOutput(op: u32): bool {
  switch (op) {
    case DMOP_CREATE_IOREQ_SERVER:
    case DMOP_GET_IOREQ_SERVER_INFO:
    case DMOP_MODIFIED_MEMORY:
    case DMOP_SET_MEM_TYPE:
    case DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER:
    case DMOP_NR_VCPUS:
    case DMOP_RELOCATE_MEMORY:
      return true;
    default:
      return false;
  }
}
