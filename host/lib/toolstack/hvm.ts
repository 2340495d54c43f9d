/** HVM parameters and remote shutdown (spec 08 section 8.3). */
import {
  DOMID_FIRST_RESERVED,
  HC_HVM_OP,
  HC_SCHED_OP,
  HVMOP_GET_PARAM,
  HVMOP_SET_PARAM,
  SCHEDOP_REMOTE_SHUTDOWN,
} from "../../../hv-core/abi/hypercalls.ts";
import { plain, safeHypercall } from "../buffers/call.ts";
import { struct } from "../buffers/element.ts";
import { allocStruct } from "../buffers/struct.ts";
import type { Dom0 } from "../dom0.ts";
import { check } from "../errors.ts";
import type { DomId } from "../ids.ts";

const XEN_HVM_PARAM = struct("xen_hvm_param", 16);
const SCHED_REMOTE_SHUTDOWN = struct("sched_remote_shutdown", 8);

/** @param index HVM_PARAM_* */
export function hvmSetParam(dom0: Dom0, domid: DomId, index: number, value: number): void {
  using op = allocStruct(dom0.arena, XEN_HVM_PARAM, "in");
  op.setU16(0, domid);
  op.setU32(4, index);
  op.setU64(8, value);
  const result = safeHypercall(dom0, plain(HC_HVM_OP), plain(HVMOP_SET_PARAM), op);
  check(result, "HVMOP_set_param", { arguments: { domid, index, value } });
}

export function hvmGetParam(dom0: Dom0, domid: DomId, index: number): number {
  using op = allocStruct(dom0.arena, XEN_HVM_PARAM, "inout");
  op.setU16(0, domid);
  op.setU32(4, index);
  const result = safeHypercall(dom0, plain(HC_HVM_OP), plain(HVMOP_GET_PARAM), op);
  check(result, "HVMOP_get_param", { arguments: { domid, index } });
  return Number(op.u64(8));
}

/** Shuts another domain down with SHUTDOWN_*: what a device model does for a guest's power button. */
export function remoteShutdown(dom0: Dom0, domid: DomId, reason: number): void {
  if (domid >= DOMID_FIRST_RESERVED) throw new RangeError(`not a domain: ${domid}`);
  using op = allocStruct(dom0.arena, SCHED_REMOTE_SHUTDOWN, "in");
  op.setU16(0, domid);
  op.setU32(4, reason);
  const result = safeHypercall(dom0, plain(HC_SCHED_OP), plain(SCHEDOP_REMOTE_SHUTDOWN), op);
  check(result, "SCHEDOP_remote_shutdown", { arguments: { domid, reason } });
}
