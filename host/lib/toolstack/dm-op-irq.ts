/** Device-model operations that raise interrupts and events in a guest (spec 03 section 3.2, operations 8 to 10, 13, 14, 20). */
import {
  DMOP_INJECT_EVENT,
  DMOP_INJECT_MSI,
  DMOP_NR_VCPUS,
  DMOP_SET_ISA_IRQ_LEVEL,
  DMOP_SET_PCI_INTX_LEVEL,
  DMOP_SET_PCI_LINK_ROUTE,
} from "../../../hv-core/abi/hypercalls.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { dmOp } from "./dm-op.ts";
import { nothing } from "./domctl-call.ts";

export function dmNrVcpus(dom0: Dom0, domid: DomId): number {
  const read = (view: DataView, at: number): number => view.getUint32(at, true);
  return dmOp(dom0, domid, "XEN_DMOP_nr_vcpus", DMOP_NR_VCPUS, nothing, read);
}

/** INTA to INTD of a device on bus 0 of PCI segment 0. @param intx 0 to 3 */
export function dmSetPciIntxLevel(dom0: Dom0, domid: DomId, device: number, intx: number, level: boolean): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint8(at + 3, device);
    view.setUint8(at + 4, intx);
    view.setUint8(at + 5, level ? 1 : 0);
  };
  const args = { device, intx, level };
  dmOp(dom0, domid, "XEN_DMOP_set_pci_intx_level", DMOP_SET_PCI_INTX_LEVEL, fill, nothing, undefined, args);
}

/** @param irq 0 to 15 */
export function dmSetIsaIrqLevel(dom0: Dom0, domid: DomId, irq: number, level: boolean): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint8(at, irq);
    view.setUint8(at + 1, level ? 1 : 0);
  };
  const args = { irq, level };
  dmOp(dom0, domid, "XEN_DMOP_set_isa_irq_level", DMOP_SET_ISA_IRQ_LEVEL, fill, nothing, undefined, args);
}

/** @param link 0 to 3 @param irq the ISA line it goes to, 0 = none */
export function dmSetPciLinkRoute(dom0: Dom0, domid: DomId, link: number, irq: number): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint8(at, link);
    view.setUint8(at + 1, irq);
  };
  dmOp(dom0, domid, "XEN_DMOP_set_pci_link_route", DMOP_SET_PCI_LINK_ROUTE, fill, nothing, undefined, { link, irq });
}

/** @param address and data as a device would write them */
export function dmInjectMsi(dom0: Dom0, domid: DomId, address: bigint, data: number): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, data, true);
    view.setBigUint64(at + 8, address, true);
  };
  dmOp(dom0, domid, "XEN_DMOP_inject_msi", DMOP_INJECT_MSI, fill, nothing, undefined, { address, data });
}

export interface InjectedEvent {
  readonly vector: number;
  /** X86_EVENTTYPE_*. */
  readonly type: number;
  readonly instructionLength?: number;
  /** Undefined: the event has no error code. */
  readonly errorCode?: number;
  readonly cr2?: bigint;
}

/** @throws HvError EINVAL for a bad vCPU, EBUSY when one is pending */
export function dmInjectEvent(dom0: Dom0, domid: DomId, vcpu: number, event: InjectedEvent): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, vcpu, true);
    view.setUint8(at + 4, event.vector);
    view.setUint8(at + 5, event.type);
    view.setUint8(at + 6, event.instructionLength ?? 0);
    view.setUint32(at + 8, event.errorCode ?? 0xffff_ffff, true);
    view.setBigUint64(at + 16, event.cr2 ?? 0n, true);
  };
  const args = { vcpu, vector: event.vector, type: event.type };
  dmOp(dom0, domid, "XEN_DMOP_inject_event", DMOP_INJECT_EVENT, fill, nothing, undefined, args);
}
