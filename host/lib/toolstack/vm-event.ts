/** vm_event, paging and page access of the toolstack (spec 04 sections 4.4 to 4.6): one typed function per call. */
import { DOMCTL_VM_EVENT_OP } from "../../../hv-core/abi/domctl.ts";
import { EBUSY, ENOENT } from "../../../hv-core/abi/errno.ts";
import { HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION } from "../../../hv-core/abi/hypercalls.ts";
import {
  ACCESS_GET,
  ACCESS_SET,
  PAGING_EVICT,
  PAGING_NOMINATE,
  PAGING_PREP,
  VM_EVENT_DISABLE,
  VM_EVENT_ENABLE,
  VM_EVENT_RESUME,
  XENMEM_ACCESS_OP,
  XENMEM_PAGING_OP,
} from "../../../hv-core/abi/vm-event.ts";
import { handleField, plain, safeHypercall, setHandle } from "../buffers/call.ts";
import { struct, U64 } from "../buffers/element.ts";
import { allocSafe } from "../buffers/safe.ts";
import { allocStruct } from "../buffers/struct.ts";
import type { Dom0 } from "../dom0.ts";
import { check, HvError } from "../errors.ts";
import { type DomId, Port } from "../ids.ts";
import { domctl, nothing } from "./domctl-call.ts";

const PAGING_OP = struct("xen_mem_paging_op", 24);
const PAGE = struct("page", 4096);
const BUFFER = handleField(PAGING_OP, 8, PAGE, "in");
const ACCESS_OP = struct("xen_mem_access_op", 32);
const RESERVATION = struct("xen_memory_reservation", 32);
const EXTENTS = handleField(RESERVATION, 0, U64, "inout");

function vmEventOp<T>(dom0: Dom0, name: string, op: number, mode: number, domid: DomId, read: (port: number) => T): T {
  return domctl(
    dom0,
    name,
    DOMCTL_VM_EVENT_OP,
    domid,
    (view, at) => {
      view.setUint32(at, op, true);
      view.setUint32(at + 4, mode, true);
    },
    (view, at) => read(view.getUint32(at + 8, true)),
    { mode },
  );
}

/** Starts listening on a ring (VM_EVENT_MODE_*). @returns the domain's port. @throws HvError EBUSY, EOPNOTSUPP, ENOENT, EINVAL, ENOSPC, ENOSYS, EXDEV */
export const vmEventEnable = (dom0: Dom0, domid: DomId, mode: number): Port =>
  vmEventOp(dom0, "VM_EVENT_ENABLE", VM_EVENT_ENABLE, mode, domid, Port);

/** @throws HvError EINVAL (nobody listens), EBUSY (vCPUs wait for a slot) */
export const vmEventDisable = (dom0: Dom0, domid: DomId, mode: number): void =>
  vmEventOp(dom0, "VM_EVENT_DISABLE", VM_EVENT_DISABLE, mode, domid, nothing);

/** Takes the responses on the ring, as its event would. @throws HvError ENODEV, EINVAL (the ring's index counts answers nobody asked for) */
export const vmEventResume = (dom0: Dom0, domid: DomId, mode: number): void =>
  vmEventOp(dom0, "VM_EVENT_RESUME", VM_EVENT_RESUME, mode, domid, nothing);

function pagingOp(dom0: Dom0, domid: DomId, op: number, gfn: number, data?: Uint8Array): number {
  using page = allocStruct(dom0.arena, PAGE, "in");
  using arg = allocStruct(dom0.arena, PAGING_OP, "inout");
  arg.setU8(0, op);
  arg.setU16(2, domid);
  arg.setU64(16, gfn);
  if (data) page.set(0, data);
  setHandle(arg, BUFFER, data ? page : null);
  return safeHypercall(dom0, plain(HC_MEMORY_OP), plain(XENMEM_PAGING_OP), arg);
}

/** @returns false when the page cannot be paged out now (-EBUSY). */
export function pagingNominate(dom0: Dom0, domid: DomId, gfn: number): boolean {
  const rc = pagingOp(dom0, domid, PAGING_NOMINATE, gfn);
  return rc === -EBUSY ? false : check(rc, "mem_paging_nominate", { arguments: { domid, gfn } }) === 0;
}

/** @returns false when somebody touched the page since, or refers to it (-EBUSY). */
export function pagingEvict(dom0: Dom0, domid: DomId, gfn: number): boolean {
  const rc = pagingOp(dom0, domid, PAGING_EVICT, gfn);
  return rc === -EBUSY ? false : check(rc, "mem_paging_evict", { arguments: { domid, gfn } }) === 0;
}

/** Brings a page back with `data`, or (undefined) one that kept its frame. @returns false when it is not out any more (-ENOENT). */
export function pagingPrep(dom0: Dom0, domid: DomId, gfn: number, data?: Uint8Array): boolean {
  const rc = pagingOp(dom0, domid, PAGING_PREP, gfn, data);
  return rc === -ENOENT ? false : check(rc, "mem_paging_prep", { arguments: { domid, gfn } }) === 0;
}

function accessOp(dom0: Dom0, domid: DomId, op: number, access: number, first: number, count: number): number {
  using arg = allocStruct(dom0.arena, ACCESS_OP, "inout");
  arg.setU8(0, op);
  arg.setU8(1, access);
  arg.setU16(2, domid);
  arg.setU32(4, count);
  arg.setU64(8, first);
  check(safeHypercall(dom0, plain(HC_MEMORY_OP), plain(XENMEM_ACCESS_OP), arg), "mem_access_op", {
    arguments: { domid, gfn: first, count, access },
  });
  return arg.u8(1);
}

/** Sets the access (P2M_ACCESS_*) of `count` pages from gfn `first` on. @throws HvError ENODEV (nobody monitors), EINVAL */
export function memAccessSet(dom0: Dom0, domid: DomId, access: number, first: number, count = 1): void {
  accessOp(dom0, domid, ACCESS_SET, access, first, count);
}

/** @throws HvError ESRCH (no page), EINVAL */
export const memAccessGet = (dom0: Dom0, domid: DomId, gfn: number): number =>
  accessOp(dom0, domid, ACCESS_GET, 0, gfn, 1);

/** Takes a page out of a domain's physical memory; its frame goes when nobody else refers to it. */
export function decreaseReservation(dom0: Dom0, domid: DomId, gfn: number): void {
  using extents = allocSafe(dom0.arena, U64, "inout", 1, "extents");
  extents.set(0, BigInt(gfn));
  using arg = allocStruct(dom0.arena, RESERVATION, "inout");
  setHandle(arg, EXTENTS, extents);
  arg.setU64(8, 1);
  arg.setU16(24, domid);
  const done = check(
    safeHypercall(dom0, plain(HC_MEMORY_OP), plain(XENMEM_DECREASE_RESERVATION), arg),
    "XENMEM_decrease_reservation",
  );
  if (done !== 1)
    throw new HvError("EINVAL", "XENMEM_decrease_reservation", {
      arguments: { domid, gfn },
      hint: "there is no page of the domain's own",
    });
}
