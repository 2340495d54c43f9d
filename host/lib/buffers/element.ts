/** What a hypercall buffer holds: elements of a fixed size, with how one is read and written. The type tells them apart. */

/** `T` is the value in TypeScript, `Name` keeps codecs of the same value type apart. */
export interface Element<T, Name extends string = string> {
  readonly name: Name;
  readonly bytes: number;
  read(view: DataView, at: number): T;
  write(view: DataView, at: number, value: T): void;
}

export type ValueOf<E> = E extends Element<infer T> ? T : never;
// biome-ignore lint/suspicious/noExplicitAny: the value type of a codec is both read and written, so only any stands for all
export type AnyElement = Element<any>;

export const U8: Element<number, "u8"> = {
  name: "u8",
  bytes: 1,
  read: (view, at) => view.getUint8(at),
  write: (view, at, value) => view.setUint8(at, value),
};
export const U32: Element<number, "u32"> = {
  name: "u32",
  bytes: 4,
  read: (view, at) => view.getUint32(at, true),
  write: (view, at, value) => view.setUint32(at, value, true),
};
export const I32: Element<number, "i32"> = {
  name: "i32",
  bytes: 4,
  read: (view, at) => view.getInt32(at, true),
  write: (view, at, value) => view.setInt32(at, value, true),
};
export const U64: Element<bigint, "u64"> = {
  name: "u64",
  bytes: 8,
  read: (view, at) => view.getBigUint64(at, true),
  write: (view, at, value) => view.setBigUint64(at, value, true),
};

/** A structure of the hypercall interface: a view of its bytes. */
export function struct<Name extends string>(name: Name, bytes: number): Element<Uint8Array, Name> {
  return {
    name,
    bytes,
    read: (view, at) => new Uint8Array(view.buffer.slice(view.byteOffset + at, view.byteOffset + at + bytes)),
    write: (view, at, value) => new Uint8Array(view.buffer, view.byteOffset + at, bytes).set(value.subarray(0, bytes)),
  };
}
