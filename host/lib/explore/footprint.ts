/**
 * Footprints: which words of shared semantic memory something touched and which of them it changed. In the instrumented race build
 * (scripts/footprint.mjs) the core's loads and stores are recorded; what actors and invariants in TypeScript look at goes through the
 * core's views, which are watched meanwhile (watched-views.ts).
 *
 * A word that was stored to but has its old value in the end counts as touched only. So two critical sections that take the same lock
 * and give it back within one step do not conflict because of the lock itself.
 *
 * Before: continuations.ts. After: dpor.ts, automatic-windows.ts.
 */

import { NR_KNOBS } from "../../../hv-core/abi/knobs.ts";
import {
  CONTINUATIONS_BASE,
  DERIVED_BASE,
  FRAME_TABLE_BASE,
  FRAMES_BASE,
  MACHINE_BASE,
  MAILBOX_BASE,
  MAILBOX_SIZE,
} from "../../../hv-core/abi/layout.ts";
import type { Core } from "../core.ts";
import { ACCESS_STORE, type AccessListener, type Continuations, isRegister } from "./continuations.ts";
import { watchedViews } from "./watched-views.ts";

export interface Footprint {
  /** Numbers of 32-bit words (address / 4), sorted: everything read or written. */
  readonly touched: Int32Array;
  /** Those whose value is another one afterwards, sorted. */
  readonly changed: Int32Array;
}

export const NO_FOOTPRINT: Footprint = { touched: new Int32Array(0), changed: new Int32Array(0) };

export interface Recorder {
  /** Runs `work` and says what it touched. Recordings do not nest. */
  record<T>(work: () => T): {
    readonly result: T;
    readonly footprint: Footprint;
    /** Value of a touched word before; until the next recording. */
    was(word: number): number;
  };
}

/**
 * Words of the machine header that every step sets for itself and that no other step sees: the processor that runs, the time
 * (exploreEnter sets both), the mark of the decoded code.
 */
const PRIVATE_WORDS = new Set([28, 32, 36, 60].map((offset) => (MACHINE_BASE + offset) >> 2));
/** Knobs are written before the first step. */
const KNOBS_FROM = MACHINE_BASE + 0x1000;
const KNOBS_TO = KNOBS_FROM + NR_KNOBS * 4;

/** Whether a word is state that actors share: no continuation, nothing derived, no journal. */
function isShared(address: number): boolean {
  if (address < MACHINE_BASE) return false;
  if (address >= KNOBS_FROM && address < KNOBS_TO) return false;
  if (address >= CONTINUATIONS_BASE && address < FRAME_TABLE_BASE) return false;
  if (address >= DERIVED_BASE && address < MAILBOX_BASE + MAILBOX_SIZE) return false;
  if (address < FRAMES_BASE && isRegister(address)) return false;
  return !PRIVATE_WORDS.has(address >> 2);
}

const sorted = (words: number[]): Int32Array => Int32Array.from(words).sort();

/** Hears of every access of shared state, by the core and by TypeScript. */
export interface Tap {
  /** Runs `work` and tells `listener` what it does. Does not nest. */
  listen<T>(listener: AccessListener, work: () => T): T;
}

/** @returns undefined for a build that is not instrumented. */
export function createTap(continuations: Continuations): Tap | undefined {
  const { core, exports } = continuations;
  const recordAccesses = exports.recordAccesses;
  if (!recordAccesses) return undefined;
  const raw: Pick<Core, "u8" | "u16" | "u32" | "view"> = { u8: core.u8, u16: core.u16, u32: core.u32, view: core.view };
  const watched = watchedViews(raw, (address, bytes, isStore) => {
    if (bytes <= 0x1000 && !isShared(address) && !isShared(address + bytes - 1)) return;
    for (let at = address & ~3; at < address + bytes; at += 4)
      if (isShared(at)) continuations.listener?.note(-1, at, isStore ? ACCESS_STORE + 4 : 4);
  });
  return {
    listen(listener, work) {
      continuations.listener = {
        switchesAt: (id, address, size) => isShared(address) && listener.switchesAt(id, address, size),
        note: (id, address, size) => {
          if (isShared(address)) listener.note(id, address, size);
        },
      };
      Object.assign(core, watched);
      recordAccesses(1);
      try {
        return work();
      } finally {
        recordAccesses(0);
        Object.assign(core, raw);
        continuations.listener = undefined;
      }
    },
  };
}

export function createRecorder(core: Core, tap: Tap): Recorder {
  const { u32 } = core;
  /** Value of each touched word when it was first touched. */
  const before = new Map<number, number>();
  const stored = new Set<number>();
  const listener: AccessListener = {
    switchesAt: () => false,
    note(_, address, size) {
      const last = (address + (size & (ACCESS_STORE - 1)) - 1) >>> 2;
      for (let word = address >>> 2; word <= last; word++) {
        if (!before.has(word)) before.set(word, u32[word]!);
        if (size >= ACCESS_STORE) stored.add(word);
      }
    },
  };
  return {
    record(work) {
      before.clear();
      stored.clear();
      const result = tap.listen(listener, work);
      const changed: number[] = [];
      for (const word of stored) if (u32[word] !== before.get(word)) changed.push(word);
      return {
        result,
        footprint: { touched: sorted([...before.keys()]), changed: sorted(changed) },
        was: (word) => before.get(word) ?? 0,
      };
    },
  };
}

/** Whether two sorted lists have a word in common. */
export function intersect(a: Int32Array, b: Int32Array): boolean {
  if (a.length === 0 || b.length === 0 || a.at(-1)! < b[0]! || b.at(-1)! < a[0]!) return false;
  let i = 0;
  let j = 0;
  while (i < a.length && j < b.length) {
    const difference = a[i]! - b[j]!;
    if (difference === 0) return true;
    if (difference < 0) i++;
    else j++;
  }
  return false;
}

/** Whether the order of the two matters: one changed what the other touched. */
export const conflict = (a: Footprint, b: Footprint): boolean =>
  intersect(a.changed, b.touched) || intersect(b.changed, a.touched);

/** What both touched together. */
export function union(a: Footprint, b: Footprint): Footprint {
  const merge = (x: Int32Array, y: Int32Array): Int32Array =>
    y.length === 0 ? x : x.length === 0 ? y : sorted([...new Set([...x, ...y])]);
  return { touched: merge(a.touched, b.touched), changed: merge(a.changed, b.changed) };
}
