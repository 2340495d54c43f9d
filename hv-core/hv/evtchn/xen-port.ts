/** Ports whose local end is the hypervisor: a device model's domain connects to them and both sides notify each other. */
import { KNOB_SEND_LOCK, SEND_LOCK_EVENTS } from "../../abi/knobs";
import { Lock } from "../../base/lock";
import { Variant } from "../../base/variant";
import { Domain } from "../domain";
import { evtchnAllocUnbound, evtchnClose } from "./bind";
import { portAt } from "./port";
import { notifyViaXenPort } from "./send";

/** Who gets the events of such a port: a vCPU that waits in the hypervisor, or (with its mode) a vm_event ring. */
export const XEN_PORT_VCPU: u32 = 0;

/**
 * A port of `d` that `remoteDomid` may bind; events to it go to `consumer`: XEN_PORT_VCPU = `xenPortNotified` of vCPU `vcpuId`, or
 * VM_EVENT_MODE_*. Port or -errno.
 */
export function evtchnAllocXen(d: Domain, vcpuId: u32, remoteDomid: u32, consumer: u32): i32 {
  const port = evtchnAllocUnbound(d, remoteDomid);
  if (port < 0) return port;
  const p = portAt(d, port);
  p.isXen = <u8>(1 + consumer);
  p.vcpuId = <u16>vcpuId;
  return port;
}

export function evtchnFree(d: Domain, port: u32): void {
  evtchnClose(d, port, false);
}

/**
 * Raises the event at the other end. Its channel is the hypervisor's own, so no lock is needed. Variant C-13: until 2015 there was one
 * lock for all channels of a domain (de6acb78bf), and it was taken here, under whatever the caller held.
 */
export function evtchnNotifyXenPort(d: Domain, port: u32): void {
  const isLocked = Variant.is(KNOB_SEND_LOCK, SEND_LOCK_EVENTS);
  const lock = changetype<usize>(d) + offsetof<Domain>("evtchnLock");
  if (isLocked) Lock.acquire(lock);
  notifyViaXenPort(d, port);
  if (isLocked) Lock.release(lock);
}
