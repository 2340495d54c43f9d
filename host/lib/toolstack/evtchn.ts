/** Event channels of the toolstack and the device models (spec 08 section 8.4). */
import {
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_BIND_VIRQ,
  EVTCHNOP_CLOSE,
  HC_EVENT_CHANNEL_OP,
} from "../../../hv-core/abi/hypercalls.ts";
import { type Dom0, hypercall, unbindActor, withBuffer } from "../dom0.ts";
import { check } from "../errors.ts";
import { type DomId, Port } from "../ids.ts";

/** A new port in `domid` that `remote` may bind. */
export function evtchnAllocUnbound(dom0: Dom0, domid: DomId, remote: DomId): Port {
  return withBuffer(dom0, 8, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    dom0.core.view.setUint16(at + 2, remote, true);
    check(hypercall(dom0, HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, gpa), "EVTCHNOP_alloc_unbound");
    return Port(dom0.core.view.getUint32(at + 4, true));
  });
}

/** A local port connected to port `remotePort` of `domid`. */
export function evtchnBindInterdomain(dom0: Dom0, domid: DomId, remotePort: Port): Port {
  return withBuffer(dom0, 12, ({ gpa, at }) => {
    dom0.core.view.setUint16(at, domid, true);
    dom0.core.view.setUint32(at + 4, remotePort, true);
    check(hypercall(dom0, HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_INTERDOMAIN, gpa), "EVTCHNOP_bind_interdomain");
    return Port(dom0.core.view.getUint32(at + 8, true));
  });
}

export function evtchnBindVirq(dom0: Dom0, virq: number): Port {
  return withBuffer(dom0, 12, ({ gpa, at }) => {
    dom0.core.view.setUint32(at, virq, true);
    check(hypercall(dom0, HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_VIRQ, gpa), "EVTCHNOP_bind_virq");
    return Port(dom0.core.view.getUint32(at + 8, true));
  });
}

export function evtchnClose(dom0: Dom0, port: Port): void {
  withBuffer(dom0, 4, ({ gpa, at }) => {
    dom0.core.view.setUint32(at, port, true);
    check(hypercall(dom0, HC_EVENT_CHANNEL_OP, EVTCHNOP_CLOSE, gpa), "EVTCHNOP_close");
  });
}

/** Closes a port of dom0 and forgets the actor that listened to it. */
export function closePort(dom0: Dom0, port: Port): void {
  unbindActor(dom0, port);
  evtchnClose(dom0, port);
}
