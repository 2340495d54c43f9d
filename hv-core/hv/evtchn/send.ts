/**
 * Sending an event over a port, by a guest or by the hypervisor. What the far end does with it: evtchn/pending.ts, or, where
 * that end is the hypervisor itself, `xenPortNotified`.
 */
import { EINVAL, OK } from "../../abi/errno";
import { EVTCHNSTAT_INTERDOMAIN, EVTCHNSTAT_IPI, EVTCHNSTAT_UNBOUND } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { vcpuClear } from "../domain/vcpu-state";
import { Vcpu, VPF_BLOCKED_IN_XEN } from "../vcpu";
import { vmEventResponses } from "../vm-event/response";
import { evtchnSetPending } from "./pending";
import { isPortValid, Port, portAt } from "./port";

/** An event for the hypervisor on behalf of `v`: whatever it waits for in here is looked at again. */
export function xenPortNotified(v: Vcpu): void {
  vcpuClear(v, VPF_BLOCKED_IN_XEN);
}

function raiseRemote(near: Port): void {
  const found = Domain.find(near.remoteDomid);
  if (found == 0) return;
  const remote = changetype<Domain>(found);
  if (!isPortValid(remote, near.remotePort)) return;
  const far = portAt(remote, near.remotePort);
  const v = Vcpu.at(remote.firstVcpu + far.vcpuId);
  if (far.isXen > 1) vmEventResponses(remote, far.isXen - 1);
  else if (far.isXen != 0) xenPortNotified(v);
  else evtchnSetPending(remote, v, near.remotePort);
}

/** EVTCHNOP_send. Unbound ports swallow the event; free and hypervisor-owned ones are -EINVAL. */
export function evtchnSend(d: Domain, port: u32): i32 {
  if (!isPortValid(d, port)) return -EINVAL;
  const p = portAt(d, port);
  if (p.isXen != 0) return -EINVAL;
  switch (<i32>p.state) {
    case EVTCHNSTAT_INTERDOMAIN:
      raiseRemote(p);
      return OK;
    case EVTCHNSTAT_IPI:
      evtchnSetPending(d, Vcpu.at(d.firstVcpu + p.vcpuId), port);
      return OK;
    case EVTCHNSTAT_UNBOUND:
      return OK;
    default:
      return -EINVAL;
  }
}

/** The hypervisor's end sends: the other domain gets the event. */
export function notifyViaXenPort(d: Domain, port: u32): void {
  if (!isPortValid(d, port)) return;
  const p = portAt(d, port);
  if (p.state == EVTCHNSTAT_INTERDOMAIN) raiseRemote(p);
}
