/** Event channels of the toolstack and the device models (spec 08 section 8.4). */
import {
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_BIND_VIRQ,
  EVTCHNOP_CLOSE,
  HC_EVENT_CHANNEL_OP,
} from "../../../hv-core/abi/hypercalls.ts";
import { plain, safeHypercall } from "../buffers/call.ts";
import { struct } from "../buffers/element.ts";
import { allocStruct, type SafeStruct } from "../buffers/struct.ts";
import { type Dom0, unbindActor } from "../dom0.ts";
import { type CallArguments, check } from "../errors.ts";
import { type DomId, Port } from "../ids.ts";

const EVTCHN_ALLOC_UNBOUND = struct("evtchn_alloc_unbound", 8);
const EVTCHN_BIND_INTERDOMAIN = struct("evtchn_bind_interdomain", 12);
const EVTCHN_BIND_VIRQ = struct("evtchn_bind_virq", 12);
const EVTCHN_CLOSE = struct("evtchn_close", 4);

function evtchnOp(
  dom0: Dom0,
  name: string,
  op: number,
  argument: SafeStruct<string, "inout">,
  args: CallArguments,
): void {
  check(safeHypercall(dom0, plain(HC_EVENT_CHANNEL_OP), plain(op), argument), name, { arguments: args });
}

/** A new port in `domid` that `remote` may bind. */
export function evtchnAllocUnbound(dom0: Dom0, domid: DomId, remote: DomId): Port {
  using op = allocStruct(dom0.arena, EVTCHN_ALLOC_UNBOUND, "inout");
  op.setU16(0, domid);
  op.setU16(2, remote);
  evtchnOp(dom0, "EVTCHNOP_alloc_unbound", EVTCHNOP_ALLOC_UNBOUND, op, { domid, remote });
  return Port(op.u32(4));
}

/** A local port connected to port `remotePort` of `domid`. */
export function evtchnBindInterdomain(dom0: Dom0, domid: DomId, remotePort: Port): Port {
  using op = allocStruct(dom0.arena, EVTCHN_BIND_INTERDOMAIN, "inout");
  op.setU16(0, domid);
  op.setU32(4, remotePort);
  evtchnOp(dom0, "EVTCHNOP_bind_interdomain", EVTCHNOP_BIND_INTERDOMAIN, op, { domid, remotePort });
  return Port(op.u32(8));
}

export function evtchnBindVirq(dom0: Dom0, virq: number): Port {
  using op = allocStruct(dom0.arena, EVTCHN_BIND_VIRQ, "inout");
  op.setU32(0, virq);
  evtchnOp(dom0, "EVTCHNOP_bind_virq", EVTCHNOP_BIND_VIRQ, op, { virq });
  return Port(op.u32(8));
}

export function evtchnClose(dom0: Dom0, port: Port): void {
  using op = allocStruct(dom0.arena, EVTCHN_CLOSE, "inout");
  op.setU32(0, port);
  evtchnOp(dom0, "EVTCHNOP_close", EVTCHNOP_CLOSE, op, { port });
}

/** Closes a port of dom0 and forgets the actor that listened to it. */
export function closePort(dom0: Dom0, port: Port): void {
  unbindActor(dom0, port);
  evtchnClose(dom0, port);
}
