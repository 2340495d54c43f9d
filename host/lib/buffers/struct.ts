/**
 * A structure of the hypercall interface in safe memory. Fields are read and written by byte offset, little-endian; each access looks
 * at the structure's bounds and at the memory as it is then. Handles are set with setHandle (call.ts), never as numbers.
 */
import { type Arena, allocBlock } from "./arena.ts";
import type { Element } from "./element.ts";
import { type Direction, type Readable, Safe, type Writable } from "./safe.ts";

/** The type of a structure: its name tells it apart from others of the same size. */
export type StructType<Name extends string> = Element<Uint8Array, Name>;

/** @see allocStruct */
export class SafeStruct<Name extends string, D extends Direction> extends Safe<StructType<Name>, D> {
  /** A view of the structure's bytes and no others, for both directions. It is good until the next allocation or hypercall: never keep it. */
  fields(this: SafeStruct<Name, "inout">): DataView {
    const { buffer } = this.view;
    return new DataView(buffer, this.place(0, this.element.bytes), this.element.bytes);
  }

  u8(this: SafeStruct<Name, Readable>, offset: number): number {
    return this.view.getUint8(this.place(offset, 1));
  }
  u16(this: SafeStruct<Name, Readable>, offset: number): number {
    return this.view.getUint16(this.place(offset, 2), true);
  }
  u32(this: SafeStruct<Name, Readable>, offset: number): number {
    return this.view.getUint32(this.place(offset, 4), true);
  }
  u64(this: SafeStruct<Name, Readable>, offset: number): bigint {
    return this.view.getBigUint64(this.place(offset, 8), true);
  }
  setU8(this: SafeStruct<Name, Writable>, offset: number, value: number): void {
    this.view.setUint8(this.place(offset, 1), value);
  }
  setU16(this: SafeStruct<Name, Writable>, offset: number, value: number): void {
    this.view.setUint16(this.place(offset, 2), value, true);
  }
  setU32(this: SafeStruct<Name, Writable>, offset: number, value: number): void {
    this.view.setUint32(this.place(offset, 4), value, true);
  }
  setU64(this: SafeStruct<Name, Writable>, offset: number, value: bigint | number): void {
    this.view.setBigUint64(this.place(offset, 8), BigInt(value), true);
  }
}

/** A structure, zeroed. Use it with `using`. @throws HvError ENOMEM */
export function allocStruct<Name extends string, D extends Direction>(
  arena: Arena,
  type: StructType<Name>,
  direction: D,
): SafeStruct<Name, D> {
  return new SafeStruct(arena, allocBlock(arena, type.bytes, type.name), type, direction, 1);
}
