/**
 * A list of pairs of strings inside an actor's slab: {first length u16, second length u16, first, second} one after the other,
 * kept sorted by the first string. Holds the tree (path, value) and the watches (path, token).
 */
import { getField, setField } from "../../actors.ts";
import type { Core } from "../../core.ts";
import { fromLatin1, latin1 } from "./protocol.ts";

export interface RecordArea {
  /** Linear address of the field that holds the bytes in use. */
  readonly usedAt: number;
  readonly at: number;
  readonly bytes: number;
}

export type StringPair = readonly [first: string, second: string];

export function readPairs(core: Core, area: RecordArea): StringPair[] {
  const pairs: StringPair[] = [];
  const end = area.at + getField(core, area.usedAt, 0);
  let at = area.at;
  while (at < end) {
    const first = core.view.getUint16(at, true);
    const second = core.view.getUint16(at + 2, true);
    pairs.push([
      latin1(core.u8.subarray(at + 4, at + 4 + first)),
      latin1(core.u8.subarray(at + 4 + first, at + 4 + first + second)),
    ]);
    at += 4 + first + second;
  }
  return pairs;
}

/** @returns false when they do not fit; nothing has changed then. */
export function writePairs(core: Core, area: RecordArea, pairs: readonly StringPair[]): boolean {
  const sorted = [...pairs].sort((a, b) => (a[0] < b[0] ? -1 : a[0] > b[0] ? 1 : 0));
  const size = sorted.reduce((sum, [a, b]) => sum + 4 + a.length + b.length, 0);
  if (size > area.bytes) return false;
  let at = area.at;
  for (const [first, second] of sorted) {
    core.view.setUint16(at, first.length, true);
    core.view.setUint16(at + 2, second.length, true);
    core.u8.set(fromLatin1(first), at + 4);
    core.u8.set(fromLatin1(second), at + 4 + first.length);
    at += 4 + first.length + second.length;
  }
  core.u8.fill(0, at, area.at + area.bytes);
  setField(core, area.usedAt, 0, size);
  return true;
}
