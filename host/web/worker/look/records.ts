/** The binary trace, as it is in the ring. */
import { TRACE_BASE, TRACE_HEADER_SIZE, TRACE_RECORD_SIZE, TRACE_RECORDS } from "../../../../hv-core/abi/layout.ts";
import type { Core } from "../../../lib/core.ts";
import { traceEnd } from "../../model/records.ts";

/** Records from index `from` on that the ring still holds. */
export function takeRecords(core: Core, from: number): { readonly first: number; readonly bytes: Uint8Array } {
  const end = traceEnd(core.view);
  const first = Math.max(from, end - TRACE_RECORDS, 0);
  const count = Math.max(0, end - first);
  const bytes = new Uint8Array(count * TRACE_RECORD_SIZE);
  const ring = TRACE_BASE + TRACE_HEADER_SIZE;
  const start = first % TRACE_RECORDS;
  const head = Math.min(count, TRACE_RECORDS - start);
  const at = ring + start * TRACE_RECORD_SIZE;
  bytes.set(core.u8.subarray(at, at + head * TRACE_RECORD_SIZE));
  bytes.set(core.u8.subarray(ring, ring + (count - head) * TRACE_RECORD_SIZE), head * TRACE_RECORD_SIZE);
  return { first, bytes };
}
