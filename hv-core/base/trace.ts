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

if (TRACE_VCPU != TRACE_EVENT + 2 || TRACE_A != TRACE_EVENT + 4) ERROR("event, vcpu and a are one word");

export class Trace {
  /** Records one event of the vCPU in slot `vcpu` (or TRACE_NO_VCPU), unless its class is masked. */
  @inline static event(event: u32, vcpu: u32, a: u32, b: u64, c: u64): void {
    if ((Knobs.get(KNOB_TRACE_MASK) >> (event >> 8)) & 1) Trace.write(event, vcpu, a, b, c);
  }

  static write(event: u32, vcpu: u32, a: u32, b: u64, c: u64): void {
    const next = load<u32>(TRACE_BASE, TRACE_NEXT);
    const at: usize = TRACE_BASE + TRACE_HEADER_SIZE + (next % TRACE_RECORDS) * TRACE_RECORD_SIZE;
    const time = Machine.get().now;
    // One store for three fields: it is hashed as a word, and reading it back from its parts would stall the processor.
    const word = <u64>(event & 0xffff) | ((<u64>(vcpu & 0xffff)) << 16) | ((<u64>a) << 32);
    store<u64>(at, time, TRACE_TIME);
    store<u64>(at, word, TRACE_EVENT);
    store<u64>(at, b, TRACE_B);
    store<u64>(at, c, TRACE_C);
    store<u32>(TRACE_BASE, next + 1, TRACE_NEXT);
    let hash = load<u64>(TRACE_BASE, TRACE_HASH);
    hash = Trace.mix(hash, time);
    hash = Trace.mix(hash, word);
    hash = Trace.mix(hash, b);
    hash = Trace.mix(hash, c);
    store<u64>(TRACE_BASE, hash, TRACE_HASH);
  }

  /** One round of a multiply-rotate hash over 64-bit words. */
  @inline static mix(hash: u64, word: u64): u64 {
    return rotl<u64>((hash ^ word) * 0x9e3779b97f4a7c15, 29);
  }
}
