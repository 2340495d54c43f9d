/** The end of an event's way, the same for both ABIs: the upcall flag of a vCPU, its interrupt, and those who poll. */
import { ATTENTION_EVENT, Machine } from "../../base/machine";
import { Domain } from "../domain";
import { vcpuKick, vcpuWake } from "../domain/vcpu-state";
import { VCPU_INFO_UPCALL_PENDING, vcpuInfoHost } from "../hypercall/shared-info";
import { lapicUpcall } from "../irq/lapic";
import { Vcpu, VPF_POLL } from "../vcpu";
import { CALLBACK_VIA_VECTOR, callbackType } from "./callback";

/** Tells the guest, or the host that plays dom0, that an upcall is pending. */
function assertUpcall(d: Domain, v: Vcpu): void {
  if (d.slot == 0) {
    Machine.get().hostAttention |= ATTENTION_EVENT;
    return;
  }
  if (v.upcallVector != 0) {
    lapicUpcall(v, v.upcallVector);
    vcpuKick(v);
  } else if (callbackType(d) == CALLBACK_VIA_VECTOR) {
    vcpuKick(v);
  }
}

/** evtchn_upcall_pending := 1; on the edge the upcall is asserted. */
export function markEventsPending(v: Vcpu): void {
  const info = vcpuInfoHost(v);
  if (info == 0 || load<u8>(info, VCPU_INFO_UPCALL_PENDING) != 0) return;
  store<u8>(info, 1, VCPU_INFO_UPCALL_PENDING);
  assertUpcall(v.domain, v);
}

/** vCPUs in SCHEDOP_poll that wait for this port (or for more than one) look again. */
export function wakePollers(d: Domain, port: u32): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if ((v.pauseFlags & VPF_POLL) != 0 && (v.pollPort < 0 || <u32>v.pollPort == port)) vcpuWake(v);
  }
}
