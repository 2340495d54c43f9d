/** Which ports, machine frames and interrupt lines a domain may use (spec 05 section 5.3, spec 06 section 6.1). */
import {
  DOMCTL_IOMEM_PERMISSION,
  DOMCTL_IOPORT_PERMISSION,
  DOMCTL_IRQ_PERMISSION,
} from "../../../hv-core/abi/domctl.ts";
import type { Dom0 } from "../dom0.ts";
import type { DomId } from "../ids.ts";
import { domctl, nothing } from "./domctl-call.ts";

/** @throws HvError EINVAL for an empty or too large range, EPERM when the caller does not have it all */
export function domainIoportPermission(dom0: Dom0, domid: DomId, first: number, count: number, allow: boolean): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, first, true);
    view.setUint32(at + 4, count, true);
    view.setUint8(at + 8, allow ? 1 : 0);
  };
  const args = { first, count, allow };
  domctl(dom0, "DOMCTL_ioport_permission", DOMCTL_IOPORT_PERMISSION, domid, fill, nothing, args);
}

/** @param first machine frame number @throws HvError EINVAL when the range wraps, EPERM when the caller does not have it all */
export function domainIomemPermission(dom0: Dom0, domid: DomId, first: bigint, count: bigint, allow: boolean): void {
  const fill = (view: DataView, at: number): void => {
    view.setBigUint64(at, first, true);
    view.setBigUint64(at + 8, count, true);
    view.setUint8(at + 16, allow ? 1 : 0);
  };
  const args = { first, count, allow };
  domctl(dom0, "DOMCTL_iomem_permission", DOMCTL_IOMEM_PERMISSION, domid, fill, nothing, args);
}

/** @throws HvError EINVAL when there is no such line, EPERM when the caller does not have it */
export function domainIrqPermission(dom0: Dom0, domid: DomId, pirq: number, allow: boolean): void {
  const fill = (view: DataView, at: number): void => {
    view.setUint32(at, pirq, true);
    view.setUint8(at + 4, allow ? 1 : 0);
  };
  domctl(dom0, "DOMCTL_irq_permission", DOMCTL_IRQ_PERMISSION, domid, fill, nothing, { pirq, allow });
}
