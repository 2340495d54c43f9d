/**
 * What an event does, step by step as in the 2-level ABI (spec 08 section 8.4): pending bit, mask, selector bit, then the upcall
 * (evtchn/upcall.ts). Each step is one atomic operation on memory that the guest also writes. A domain that has given a control block
 * has FIFO channels instead: fifo-send.ts.
 */
import { CTR_EVTCHN_SENDS } from "../../abi/counters";
import { TRC_EVTCHN_PENDING } from "../../abi/trace-events";
import { Count } from "../../base/counters";
import { Trace } from "../../base/trace";
import { Domain } from "../domain";
import { SharedInfo, VCPU_INFO_SEL_32, VCPU_INFO_SEL_64, vcpuInfoHost } from "../hypercall/shared-info";
import { Vcpu } from "../vcpu";
import { fifoClearPending, fifoSetPending, fifoUnmask, isFifoPending } from "./fifo-send";
import { markEventsPending, wakePollers } from "./upcall";

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

/** Selector bit of a port that is pending and not masked. */
function select(d: Domain, v: Vcpu, port: u32): void {
  const info = vcpuInfoHost(v);
  if (info == 0) return;
  const is64 = d.is64 != 0;
  const selector = info + (is64 ? VCPU_INFO_SEL_64 : VCPU_INFO_SEL_32);
  if (!Bits.testAndSet(selector, is64 ? port >> 6 : port >> 5)) markEventsPending(v);
}

/** Raises `port` of `d` for vCPU `v`. Ports above the layout's limit are dropped, as their bit does not exist. */
export function evtchnSetPending(d: Domain, v: Vcpu, port: u32): void {
  if (d.evtchnFifo != 0) {
    Count.one(CTR_EVTCHN_SENDS);
    fifoSetPending(d, v, port);
    return;
  }
  if (port >= (d.is64 != 0 ? <u32>4096 : <u32>1024) || d.sharedInfoMfn == 0) return;
  Count.one(CTR_EVTCHN_SENDS);
  if (Bits.testAndSet(SharedInfo.pending(d), port)) return;
  Trace.event(TRC_EVTCHN_PENDING, v.slot, d.domid, port, 0);
  if (!Bits.test(SharedInfo.mask(d), port)) select(d, v, port);
  wakePollers(d, port);
}

/** Clears the mask; a port that was pending behind it is raised now. */
export function evtchnUnmaskPort(d: Domain, v: Vcpu, port: u32): void {
  if (d.evtchnFifo != 0) {
    fifoUnmask(d, v, port);
    return;
  }
  Bits.clear(SharedInfo.mask(d), port);
  if (Bits.test(SharedInfo.pending(d), port)) select(d, v, port);
}

export function evtchnClearPending(d: Domain, port: u32): void {
  if (d.evtchnFifo != 0) {
    fifoClearPending(d, port);
    return;
  }
  Bits.clear(SharedInfo.pending(d), port);
}

export function isEvtchnPending(d: Domain, port: u32): bool {
  if (d.evtchnFifo != 0) return isFifoPending(d, port);
  return Bits.test(SharedInfo.pending(d), port);
}
