/**
 * What an event does, step by step as in the 2-level ABI (spec 08 section 8.4): pending bit, mask, selector bit, upcall flag,
 * interrupt, pollers. Each step is one atomic operation on memory that the guest also writes.
 */
import { CTR_EVTCHN_SENDS } from "../../abi/counters";
import { TRC_EVTCHN_PENDING } from "../../abi/trace-events";
import { Count } from "../../base/counters";
import { ATTENTION_EVENT, Machine } from "../../base/machine";
import { Trace } from "../../base/trace";
import { Domain } from "../domain";
import { vcpuKick, vcpuWake } from "../domain/vcpu-state";
import {
  SharedInfo,
  VCPU_INFO_SEL_32,
  VCPU_INFO_SEL_64,
  VCPU_INFO_UPCALL_PENDING,
  vcpuInfoHost,
} from "../hypercall/shared-info";
import { lapicUpcall } from "../irq/lapic";
import { Vcpu, VPF_POLL } from "../vcpu";
import { CALLBACK_VIA_VECTOR, callbackType } from "./callback";

class Bits {
  /** Sets bit `n` of the bitmap; true when it was set before. */
  @inline static testAndSet(bitmap: usize, n: u32): bool {
    const at = bitmap + (n >> 3);
    const bit: u8 = <u8>((<u32>1) << (n & 7));
    const old = load<u8>(at);
    store<u8>(at, old | bit);
    return (old & bit) != 0;
  }

  @inline static test(bitmap: usize, n: u32): bool {
    return ((load<u8>(bitmap + (n >> 3)) >> (n & 7)) & 1) != 0;
  }

  @inline static clear(bitmap: usize, n: u32): void {
    const at = bitmap + (n >> 3);
    store<u8>(at, load<u8>(at) & ~(<u8>((<u32>1) << (n & 7))));
  }
}

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

/** Selector bit of a port that is pending and not masked. */
function select(d: Domain, v: Vcpu, port: u32): void {
  const info = vcpuInfoHost(v);
  if (info == 0) return;
  const is64 = d.is64 != 0;
  const selector = info + (is64 ? VCPU_INFO_SEL_64 : VCPU_INFO_SEL_32);
  if (!Bits.testAndSet(selector, is64 ? port >> 6 : port >> 5)) markEventsPending(v);
}

/** vCPUs in SCHEDOP_poll that wait for this port (or for more than one) look again. */
function wakePollers(d: Domain, port: u32): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if ((v.pauseFlags & VPF_POLL) != 0 && (v.pollPort < 0 || <u32>v.pollPort == port)) vcpuWake(v);
  }
}

/** Raises `port` of `d` for vCPU `v`. Ports above the layout's limit are dropped, as their bit does not exist. */
export function evtchnSetPending(d: Domain, v: Vcpu, port: u32): void {
  if (port >= (d.is64 != 0 ? <u32>4096 : <u32>1024) || d.sharedInfoMfn == 0) return;
  Count.one(CTR_EVTCHN_SENDS);
  if (Bits.testAndSet(SharedInfo.pending(d), port)) return;
  Trace.event(TRC_EVTCHN_PENDING, v.slot, d.domid, port, 0);
  if (!Bits.test(SharedInfo.mask(d), port)) select(d, v, port);
  wakePollers(d, port);
}

/** Clears the mask; a port that was pending behind it is raised now. */
export function evtchnUnmaskPort(d: Domain, v: Vcpu, port: u32): void {
  Bits.clear(SharedInfo.mask(d), port);
  if (Bits.test(SharedInfo.pending(d), port)) select(d, v, port);
}

export function evtchnClearPending(d: Domain, port: u32): void {
  Bits.clear(SharedInfo.pending(d), port);
}

export function isEvtchnPending(d: Domain, port: u32): bool {
  return Bits.test(SharedInfo.pending(d), port);
}
