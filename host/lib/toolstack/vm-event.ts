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
import { type Dom0, hypercall, withBuffer } from "../dom0.ts";
import { check } from "../errors.ts";
import { type DomId, Port } from "../ids.ts";
import { domctl, nothing } from "./domctl-call.ts";

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

function pagingOp(dom0: Dom0, domid: DomId, op: number, gfn: number, buffer = 0): number {
  return withBuffer(dom0, 24, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint8(at, op);
    view.setUint16(at + 2, domid, true);
    view.setUint32(at + 8, buffer, true);
    view.setUint32(at + 16, gfn, true);
    return hypercall(dom0, HC_MEMORY_OP, XENMEM_PAGING_OP, gpa);
  });
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
  const prep = (buffer: number): number => pagingOp(dom0, domid, PAGING_PREP, gfn, buffer);
  const rc = !data
    ? prep(0)
    : withBuffer(dom0, data.length, ({ gpa, at }) => {
        dom0.core.u8.set(data, at);
        return prep(gpa);
      });
  return rc === -ENOENT ? false : check(rc, "mem_paging_prep", { arguments: { domid, gfn } }) === 0;
}

function accessOp(dom0: Dom0, domid: DomId, op: number, access: number, first: number, count: number): number {
  return withBuffer(dom0, 32, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint8(at, op);
    view.setUint8(at + 1, access);
    view.setUint16(at + 2, domid, true);
    view.setUint32(at + 4, count, true);
    view.setUint32(at + 8, first, true);
    check(hypercall(dom0, HC_MEMORY_OP, XENMEM_ACCESS_OP, gpa), "mem_access_op", {
      arguments: { domid, gfn: first, count, access },
    });
    return dom0.core.view.getUint8(at + 1);
  });
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
  withBuffer(dom0, 40, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint32(at, gpa + 32, true);
    view.setUint32(at + 8, 1, true);
    view.setUint16(at + 24, domid, true);
    view.setUint32(at + 32, gfn, true);
    check(hypercall(dom0, HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, gpa), "XENMEM_decrease_reservation");
  });
}
