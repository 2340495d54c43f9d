/** HVM parameters and remote shutdown (spec 08 section 8.3). */
import {
  DOMID_FIRST_RESERVED,
  HC_HVM_OP,
  HC_SCHED_OP,
  HVMOP_GET_PARAM,
  HVMOP_SET_PARAM,
  SCHEDOP_REMOTE_SHUTDOWN,
} from "../../../hv-core/abi/hypercalls.ts";
import { type Dom0, hypercall, withBuffer } from "../dom0.ts";
import { check } from "../errors.ts";
import type { DomId } from "../ids.ts";

export function hvmSetParam(dom0: Dom0, domid: DomId, index: number, value: number): void {
  withBuffer(dom0, 16, ({ gpa, at }) => {
    const { view } = dom0.core;
    view.setUint16(at, domid, true);
    view.setUint32(at + 4, index, true);
    view.setUint32(at + 8, value % 2 ** 32, true);
    view.setUint32(at + 12, Math.floor(value / 2 ** 32), true);
    check(hypercall(dom0, HC_HVM_OP, HVMOP_SET_PARAM, gpa), `HVMOP_set_param(${index})`);
  });
}

export function hvmGetParam(dom0: Dom0, domid: DomId, index: number): number {
  return withBuffer(dom0, 16, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    dom0.core.view.setUint32(at + 4, index, true);
    check(hypercall(dom0, HC_HVM_OP, HVMOP_GET_PARAM, gpa), `HVMOP_get_param(${index})`);
    return dom0.core.view.getUint32(at + 8, true) + dom0.core.view.getUint32(at + 12, true) * 2 ** 32;
  });
}

/** Shuts another domain down with SHUTDOWN_*: what a device model does for a guest's power button. */
export function remoteShutdown(dom0: Dom0, domid: DomId, reason: number): void {
  if (domid >= DOMID_FIRST_RESERVED) throw new RangeError(`not a domain: ${domid}`);
  withBuffer(dom0, 8, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    dom0.core.view.setUint32(at + 4, reason, true);
    check(hypercall(dom0, HC_SCHED_OP, SCHEDOP_REMOTE_SHUTDOWN, gpa), "SCHEDOP_remote_shutdown");
  });
}
