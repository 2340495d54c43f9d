/** Trace records as bytes: how the page keeps a hundred thousand of them, and finds one. */
import { TRACE_BASE, TRACE_RECORD_SIZE } from "../../../hv-core/abi/layout.ts";
import { TRACE_NEXT } from "../../../hv-core/abi/trace-events.ts";
import { decodeRecord, type TraceRecord } from "../../lib/trace/decode.ts";

/** Records written so far. */
export const traceEnd = (core: DataView): number => core.getUint32(TRACE_BASE + TRACE_NEXT, true);

/** All records of a run from index `first` on; grows at the end, is cut when the run turns out differently. */
export class RecordStore {
  first = 0;
  private bytes = new Uint8Array(TRACE_RECORD_SIZE * 1024);
  private view = new DataView(this.bytes.buffer);
  private count = 0;

  /** One past the last index. */
  get end(): number {
    return this.first + this.count;
  }

  get length(): number {
    return this.count;
  }

  /** Adds records that begin at index `first`; those from there on are replaced. A gap starts the store anew. */
  put(first: number, bytes: Uint8Array): void {
    if (first > this.end || first < this.first) {
      this.first = first;
      this.count = 0;
    } else this.count = first - this.first;
    const added = Math.floor(bytes.length / TRACE_RECORD_SIZE);
    this.reserve(this.count + added);
    this.bytes.set(bytes.subarray(0, added * TRACE_RECORD_SIZE), this.count * TRACE_RECORD_SIZE);
    this.count += added;
  }

  /** Empty again, from index `first` on. */
  clear(first = 0): void {
    this.first = first;
    this.count = 0;
  }

  /** The n-th record kept. */
  at(n: number): TraceRecord {
    return decodeRecord(this.view, n * TRACE_RECORD_SIZE, this.first + n);
  }

  /** Only the event number of the n-th record: what drawing needs, without a bigint. */
  eventAt(n: number): number {
    return this.view.getUint16(n * TRACE_RECORD_SIZE + 8, true);
  }

  /** Field `a` of the n-th record: the exit reason of an exit. */
  fieldAt(n: number): number {
    return this.view.getUint32(n * TRACE_RECORD_SIZE + 12, true);
  }

  private reserve(records: number): void {
    const needed = records * TRACE_RECORD_SIZE;
    if (needed <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.bytes.length * 2));
    grown.set(this.bytes);
    this.bytes = grown;
    this.view = new DataView(grown.buffer);
  }
}
