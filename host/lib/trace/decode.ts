/** Reads the binary trace ring (abi/trace-events.ts) into records. 64-bit fields stay bigint: a trace is read once, after the run. */
import { TRACE_BASE, TRACE_HEADER_SIZE, TRACE_RECORD_SIZE, TRACE_RECORDS } from "../../../hv-core/abi/layout.ts";
import * as events from "../../../hv-core/abi/trace-events.ts";
import type { Core } from "../core.ts";
import { UsageError } from "../errors.ts";

export interface TraceRecord {
  /** Index since the machine was created, modulo 2^32. */
  readonly index: number;
  /** Virtual time in TSC ticks. */
  readonly time: bigint;
  readonly event: number;
  /** Slot of the vCPU, -1 = none (a hypercall of the host's dom0, for instance). */
  readonly vcpu: number;
  readonly a: number;
  readonly b: bigint;
  readonly c: bigint;
}

const names = new Map<number, string>();
for (const [name, value] of Object.entries(events)) {
  if (name.startsWith("TRC_")) names.set(value, name.slice("TRC_".length).toLowerCase());
}

/** "ioreq_state" for TRC_IOREQ_STATE. */
export const eventName = (event: number): string => names.get(event) ?? `event_${event.toString(16)}`;

const numbers = new Map([...names].map(([value, name]) => [name, value]));

/** The event of a name as eventName gives it. @throws UsageError when there is none. */
export function eventNumber(name: string): number {
  const value = numbers.get(name);
  if (value === undefined)
    throw new UsageError(`"${name}" is no event of the trace: ${[...numbers.keys()].join(", ")}`);
  return value;
}

const NO_VCPU = 0xffff;

/** One record at byte `at` of a view. */
export function decodeRecord(view: DataView, at: number, index: number): TraceRecord {
  const vcpu = view.getUint16(at + events.TRACE_VCPU, true);
  return {
    index,
    time: view.getBigUint64(at + events.TRACE_TIME, true),
    event: view.getUint16(at + events.TRACE_EVENT, true),
    vcpu: vcpu === NO_VCPU ? -1 : vcpu,
    a: view.getUint32(at + events.TRACE_A, true),
    b: view.getBigUint64(at + events.TRACE_B, true),
    c: view.getBigUint64(at + events.TRACE_C, true),
  };
}

/** Records still in the ring, oldest first; at most the `last` newest ones. */
export function readTrace(core: Core, last = TRACE_RECORDS): TraceRecord[] {
  const next = core.view.getUint32(TRACE_BASE + events.TRACE_NEXT, true);
  const count = Math.min(next, TRACE_RECORDS, last);
  const records: TraceRecord[] = [];
  for (let i = next - count; i < next; i++) {
    const at = TRACE_BASE + TRACE_HEADER_SIZE + (i % TRACE_RECORDS) * TRACE_RECORD_SIZE;
    records.push(decodeRecord(core.view, at, i));
  }
  return records;
}
