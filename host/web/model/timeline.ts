/** The timeline as arithmetic: which lane a trace record belongs to, what a picture column holds, where the keyboard goes next. */
import {
  TRACE_CLASS_DOMAIN,
  TRACE_CLASS_EXIT,
  TRACE_CLASS_HYPERCALL,
  TRACE_CLASS_INTERRUPT,
  TRACE_CLASS_IOREQ,
  TRACE_CLASS_P2M,
  TRACE_CLASS_SHARING,
  TRACE_CLASS_VM_EVENT,
  TRC_ENTRY,
} from "../../../hv-core/abi/trace-events.ts";

export const LANES = ["exits", "ioreq", "p2m", "hypercalls", "events", "other"] as const;
export type LaneName = (typeof LANES)[number];

/** -1: shown in no lane. An entry says only that the exit before it is over. */
export function laneOf(event: number): number {
  if (event === TRC_ENTRY) return -1;
  switch (event >> 8) {
    case TRACE_CLASS_EXIT:
      return 0;
    case TRACE_CLASS_IOREQ:
      return 1;
    case TRACE_CLASS_P2M:
    case TRACE_CLASS_SHARING:
      return 2;
    case TRACE_CLASS_HYPERCALL:
      return 3;
    case TRACE_CLASS_INTERRUPT:
    case TRACE_CLASS_VM_EVENT:
      return 4;
    case TRACE_CLASS_DOMAIN:
      return 5;
    default:
      return 5;
  }
}

/** What of the records is seen: `from` may be a fraction while it is dragged. */
export interface TimeWindow {
  readonly from: number;
  readonly count: number;
}

/** The window kept inside 0..total and not smaller than `least`. */
export function clampWindow({ from, count }: TimeWindow, total: number, least = 20): TimeWindow {
  const size = Math.min(Math.max(count, Math.min(least, total)), Math.max(total, 1));
  return { from: Math.min(Math.max(0, from), Math.max(0, total - size)), count: size };
}

/** Zoomed by `factor` (below 1: nearer) around the record at `place` (0..1 of the window). */
export function zoomWindow(window: TimeWindow, factor: number, place: number, total: number): TimeWindow {
  const count = window.count * factor;
  return clampWindow({ from: window.from + window.count * place - count * place, count }, total);
}

/**
 * Counts of records by lane and column: what is drawn when there are more records than columns. `laneAt(i)` gives the lane of record i.
 * @returns one number for each lane and column, lane by lane.
 */
export function binColumns(
  laneAt: (index: number) => number,
  total: number,
  { from, count }: TimeWindow,
  columns: number,
): Uint32Array {
  const bins = new Uint32Array(LANES.length * columns);
  const first = Math.max(0, Math.floor(from));
  const end = Math.min(total, Math.ceil(from + count));
  const scale = columns / count;
  for (let i = first; i < end; i++) {
    const lane = laneAt(i);
    if (lane < 0) continue;
    const column = Math.min(columns - 1, Math.max(0, Math.floor((i - from) * scale)));
    bins[lane * columns + column]!++;
  }
  return bins;
}

/** The next record after (or before) `at` that has a lane; `at` when there is none. */
export function nextShown(
  laneAt: (index: number) => number,
  total: number,
  at: number,
  step: 1 | -1,
  lane?: number,
): number {
  for (let i = at + step; i >= 0 && i < total; i += step) {
    const here = laneAt(i);
    if (here >= 0 && (lane === undefined || here === lane)) return i;
  }
  return at;
}
