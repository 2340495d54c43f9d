/**
 * Views of linear memory that tell which bytes are looked at and written: for the parts of a step, and for the invariants, that are
 * TypeScript. Only the operations that this code base uses on views exist here; anything else throws, so that no access is missed.
 */
import type { Core } from "../core.ts";

type Views = Pick<Core, "u8" | "u16" | "u32" | "view">;
type Note = (address: number, bytes: number, isStore: boolean) => void;
type Numbers = Uint8Array | Uint16Array | Uint32Array;

function watchedArray<T extends Numbers>(array: T, note: Note): T {
  const size = array.BYTES_PER_ELEMENT;
  const length = array.length;
  const methods: Readonly<Record<string, unknown>> = {
    length,
    buffer: array.buffer,
    set(values: ArrayLike<number>, offset = 0) {
      note(offset * size, values.length * size, true);
      array.set(values, offset);
    },
    fill(value: number, start = 0, end = length) {
      if (end > start) note(start * size, (end - start) * size, true);
      array.fill(value, start, end);
    },
    copyWithin(target: number, start: number, end = length) {
      note(start * size, (end - start) * size, false);
      note(target * size, (end - start) * size, true);
      array.copyWithin(target, start, end);
    },
    slice(start = 0, end = length) {
      note(start * size, (end - start) * size, false);
      return array.slice(start, end);
    },
    /** A copy: what is written to it would be lost, so it is for reading. */
    subarray(start = 0, end = length) {
      note(start * size, (end - start) * size, false);
      return array.slice(start, end);
    },
  };
  return new Proxy(array, {
    get(_, name) {
      if (typeof name === "string") {
        const index = Number(name);
        if (Number.isInteger(index)) {
          note(index * size, size, false);
          return array[index];
        }
        if (Object.hasOwn(methods, name)) return methods[name];
      }
      throw new Error(`a watched view has no ${String(name)}: add it to watched-views.ts`);
    },
    set(_, name, value) {
      const index = Number(name);
      note(index * size, size, true);
      array[index] = value as number;
      return true;
    },
  });
}

const BYTES: Readonly<Record<string, number>> = {
  Int8: 1,
  Uint8: 1,
  Int16: 2,
  Uint16: 2,
  Int32: 4,
  Uint32: 4,
  Float32: 4,
  Float64: 8,
  BigInt64: 8,
  BigUint64: 8,
};

function watchedDataView(view: DataView, note: Note): DataView {
  return new Proxy(view, {
    get(_, name) {
      const match = /^(get|set)(\w+)$/.exec(String(name));
      const bytes = match ? BYTES[match[2]!] : undefined;
      if (bytes === undefined) throw new Error(`a watched view has no ${String(name)}: add it to watched-views.ts`);
      const method = view[name as "getUint8"] as (...args: unknown[]) => unknown;
      return (at: number, ...rest: unknown[]) => {
        note(at, bytes, match![1] === "set");
        return method.call(view, at, ...rest);
      };
    },
  });
}

export function watchedViews(raw: Views, note: Note): Views {
  return {
    u8: watchedArray(raw.u8, note),
    u16: watchedArray(raw.u16, note),
    u32: watchedArray(raw.u32, note),
    view: watchedDataView(raw.view, note),
  };
}
