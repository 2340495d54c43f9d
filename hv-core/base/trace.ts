/**
 * The binary trace ring (journal): layout in abi/trace-events.ts. The running hash covers every record, so two runs can be
 * compared even when the ring has wrapped.
 */
import { KNOB_TRACE_MASK } from "../abi/knobs";
import { TRACE_BASE, TRACE_HEADER_SIZE, TRACE_RECORD_SIZE, TRACE_RECORDS } from "../abi/layout";
import {
  TRACE_A,
  TRACE_B,
  TRACE_C,
  TRACE_EVENT,
  TRACE_HASH,
  TRACE_NEXT,
  TRACE_TIME,
  TRACE_VCPU,
} from "../abi/trace-events";
import { Knobs, Machine } from "./machine";

export const TRACE_NO_VCPU: u32 = 0xffff;

export class Trace {
  /** Records one event of the vCPU in slot `vcpu` (or TRACE_NO_VCPU), unless its class is masked. */
  @inline static event(event: u32, vcpu: u32, a: u32, b: u64, c: u64): void {
    if ((Knobs.get(KNOB_TRACE_MASK) >> (event >> 8)) & 1) Trace.write(event, vcpu, a, b, c);
  }

  static write(event: u32, vcpu: u32, a: u32, b: u64, c: u64): void {
    const next = load<u32>(TRACE_BASE, TRACE_NEXT);
    const at: usize = TRACE_BASE + TRACE_HEADER_SIZE + (next % TRACE_RECORDS) * TRACE_RECORD_SIZE;
    const time = Machine.get().now;
    store<u64>(at, time, TRACE_TIME);
    store<u16>(at, <u16>event, TRACE_EVENT);
    store<u16>(at, <u16>vcpu, TRACE_VCPU);
    store<u32>(at, a, TRACE_A);
    store<u64>(at, b, TRACE_B);
    store<u64>(at, c, TRACE_C);
    store<u32>(TRACE_BASE, next + 1, TRACE_NEXT);
    let hash = load<u64>(TRACE_BASE, TRACE_HASH);
    hash = Trace.mix(hash, time);
    hash = Trace.mix(hash, load<u64>(at, TRACE_EVENT));
    hash = Trace.mix(hash, b);
    hash = Trace.mix(hash, c);
    store<u64>(TRACE_BASE, hash, TRACE_HASH);
  }

  /** One round of a multiply-rotate hash over 64-bit words. */
  @inline static mix(hash: u64, word: u64): u64 {
    return rotl<u64>((hash ^ word) * 0x9e3779b97f4a7c15, 29);
  }
}
