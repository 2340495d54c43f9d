/** Events of the timeline as the trace ring has them, 32 bytes each, in the order in which they happened. */
import { TRACE_BASE, TRACE_HEADER_SIZE, TRACE_RECORD_SIZE, TRACE_RECORDS } from "../../../hv-core/abi/layout.ts";
import { TRACE_EVENT, TRACE_NEXT, TRACE_TIME, TRC_EXIT } from "../../../hv-core/abi/trace-events.ts";
import type { Core } from "../core.ts";
import { decodeRecord, eventName } from "../trace/decode.ts";
import type { TimelineEvent } from "./types.ts";

const BLOCK_RECORDS = 4096;
const BLOCK_BYTES = BLOCK_RECORDS * TRACE_RECORD_SIZE;

export interface EventStore {
  readonly length: number;
  /** More events came than may be kept, or than the ring could hold between two looks. */
  readonly isCut: boolean;
  /** Takes what the ring has that is not here yet. */
  drain(core: Core): void;
  /** Forgets what the ring of the machine, which has gone back, does not have. */
  rewind(core: Core): void;
  get(number: number): TimelineEvent;
  timeOf(number: number): number;
  eventOf(number: number): number;
  /** Number of the first event that is after `time`; length when there is none. */
  after(time: number): number;
  /** Numbers of the exits. */
  readonly exits: readonly number[];
}

/** @param isFromFirst whether what the ring has already belongs to it. */
export function createEventStore(core: Core, limit: number, isFromFirst = false): EventStore {
  const blocks: DataView[] = [];
  let length = 0;
  let isCut = false;
  const ringNext = (c: Core): number => c.view.getUint32(TRACE_BASE + TRACE_NEXT, true);
  /** Index in the ring, modulo 2^32, of event 0, and of the one that comes next. */
  const first = isFromFirst ? (ringNext(core) - Math.min(ringNext(core), TRACE_RECORDS)) >>> 0 : ringNext(core);
  let next = first;
  const exits: number[] = [];

  const view = (number: number): [view: DataView, at: number] => [
    blocks[Math.floor(number / BLOCK_RECORDS)]!,
    (number % BLOCK_RECORDS) * TRACE_RECORD_SIZE,
  ];
  function timeOf(number: number): number {
    const [block, at] = view(number);
    return Number(block.getBigUint64(at + TRACE_TIME, true));
  }
  function eventOf(number: number): number {
    const [block, at] = view(number);
    return block.getUint16(at + TRACE_EVENT, true);
  }

  return {
    get length() {
      return length;
    },
    get isCut() {
      return isCut;
    },
    exits,
    drain(c) {
      const end = ringNext(c);
      const count = (end - next) >>> 0;
      if (isCut) return;
      isCut = count > TRACE_RECORDS || length + count > limit;
      const fitting = count > TRACE_RECORDS ? 0 : Math.min(count, limit - length);
      for (let i = 0; i < fitting; i++) {
        const from = TRACE_BASE + TRACE_HEADER_SIZE + (((next + i) >>> 0) % TRACE_RECORDS) * TRACE_RECORD_SIZE;
        if (length % BLOCK_RECORDS === 0 && blocks.length * BLOCK_RECORDS === length)
          blocks.push(new DataView(new ArrayBuffer(BLOCK_BYTES)));
        const [block, at] = view(length);
        new Uint8Array(block.buffer, at, TRACE_RECORD_SIZE).set(c.u8.subarray(from, from + TRACE_RECORD_SIZE));
        if (eventOf(length) === TRC_EXIT) exits.push(length);
        length++;
      }
      next = (next + fitting) >>> 0;
    },
    rewind(c) {
      const keep = Math.min(length, (ringNext(c) - first) >>> 0);
      if (keep < length) isCut = false;
      length = keep;
      blocks.length = Math.ceil(length / BLOCK_RECORDS);
      while (exits.length > 0 && exits.at(-1)! >= length) exits.pop();
      if (!isCut) next = ringNext(c);
    },
    timeOf,
    eventOf,
    get(number) {
      const [block, at] = view(number);
      const record = decodeRecord(block, at, number);
      return { ...record, number, at: Number(record.time), name: eventName(record.event) };
    },
    after(time) {
      let low = 0;
      let high = length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (timeOf(middle) > time) high = middle;
        else low = middle + 1;
      }
      return low;
    },
  };
}
