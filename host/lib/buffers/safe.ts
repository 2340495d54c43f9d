/**
 * Hypercall-safe buffers. A Safe<E, D> is the only thing that a handle field or a pointer argument takes, and only the arena makes
 * one: a raw address, the wrong element type or the wrong direction does not compile. What types cannot see (use after free, sizes)
 * is checked at run time.
 *
 *   using map = allocSafe(arena, U64, "out", 1, "cpu map");   // freed at the end of the scope
 *
 * Directions are the hypervisor's view of an argument: "in" is read by it, "out" is written by it.
 */

import { HvError } from "../errors.ts";
import { type Arena, addressOf, allocBlock, type Block, checkLive, freeBlock, gpaOfBlock } from "./arena.ts";
import type { AnyElement, ValueOf } from "./element.ts";

export type Direction = "in" | "out" | "inout";
export type Readable = "out" | "inout";
export type Writable = "in" | "inout";

/** @see allocSafe */
export class Safe<E extends AnyElement, D extends Direction> {
  readonly element: E;
  readonly direction: D;
  readonly count: number;
  readonly #arena: Arena;
  readonly #block: Block;

  /** @throws RangeError when the block does not have room for as many elements. */
  constructor(arena: Arena, block: Block, element: E, direction: D, count: number) {
    if (!Number.isInteger(count) || count < 0 || count * element.bytes > block.bytes)
      throw new RangeError(
        `hypercall buffer "${block.label}": ${count} elements of ${element.bytes} bytes in ${block.bytes}`,
      );
    this.#arena = arena;
    this.#block = block;
    this.element = element;
    this.direction = direction;
    this.count = count;
  }

  get label(): string {
    return this.#block.label;
  }

  /** Element `i`, as the hypervisor left it. Only for buffers that it writes. */
  get(this: Safe<E, Readable>, i = 0): ValueOf<E> {
    return this.element.read(this.#arena.core.view, this.#at(i)) as ValueOf<E>;
  }

  /** All elements. */
  values(this: Safe<E, Readable>): ValueOf<E>[] {
    return Array.from({ length: this.count }, (_, i) => this.get(i));
  }

  /** Only for buffers that the hypervisor reads. */
  set(this: Safe<E, Writable>, i: number, value: ValueOf<E>): void {
    this.element.write(this.#arena.core.view, this.#at(i), value);
  }

  /** Guest-physical address for the hypercall, after the checks that only run time can make. */
  gpa(neededBytes = 1): bigint {
    checkLive(this.#arena, this.#block);
    if (!Number.isInteger(neededBytes) || neededBytes < 0)
      throw new RangeError(`hypercall buffer "${this.label}": ${neededBytes} bytes needed`);
    if (neededBytes > this.#block.bytes)
      throw new HvError("EINVAL", `hypercall buffer "${this.label}"`, {
        hint: `the call needs ${neededBytes} bytes, the buffer has ${this.#block.bytes}`,
      });
    return BigInt(gpaOfBlock(this.#arena, this.#block));
  }

  /** All bytes, as the hypervisor left them. */
  bytes(this: Safe<E, Readable>): Uint8Array {
    const at = this.#at(0);
    return this.#arena.core.u8.slice(at, at + this.#block.bytes);
  }

  /** Fills the buffer from its start on. */
  setBytes(this: Safe<E, Writable>, data: Uint8Array): void {
    if (data.length > this.#block.bytes)
      throw new RangeError(
        `hypercall buffer "${this.label}": ${data.length} bytes do not fit its ${this.#block.bytes}`,
      );
    this.#arena.core.u8.set(data, this.#at(0));
  }

  /** Linear address of `bytes` bytes from `offset` on, valid until the next call; for struct.ts. */
  protected place(offset: number, bytes: number): number {
    if (!Number.isInteger(offset) || offset < 0 || offset + bytes > this.#block.bytes)
      throw new RangeError(
        `hypercall buffer "${this.label}": bytes ${offset} to ${offset + bytes - 1} of ${this.#block.bytes}`,
      );
    return this.#at(0) + offset;
  }

  /** A view of the memory as it is now; for struct.ts. */
  protected get view(): DataView {
    return this.#arena.core.view;
  }

  #at(i: number): number {
    checkLive(this.#arena, this.#block);
    if (!Number.isInteger(i) || i < 0 || i >= this.count)
      throw new RangeError(`hypercall buffer "${this.label}": element ${i} of ${this.count}`);
    return addressOf(this.#arena, this.#block) + i * this.element.bytes;
  }

  [Symbol.dispose](): void {
    freeBlock(this.#arena, this.#block);
  }
}

/** A buffer of `count` elements, zeroed. Use it with `using`. @throws HvError ENOMEM */
export function allocSafe<E extends AnyElement, D extends Direction>(
  arena: Arena,
  element: E,
  direction: D,
  count = 1,
  label: string = element.name,
): Safe<E, D> {
  if (!Number.isInteger(count)) throw new RangeError(`hypercall buffer "${label}": ${count} elements`);
  return new Safe(arena, allocBlock(arena, element.bytes * count, label), element, direction, count);
}

/** Buffers of one kind, freed together. */
export class SafeArray<E extends AnyElement, D extends Direction> {
  readonly #buffers: readonly Safe<E, D>[];

  constructor(buffers: readonly Safe<E, D>[]) {
    this.#buffers = buffers;
  }

  get length(): number {
    return this.#buffers.length;
  }

  at(i: number): Safe<E, D> {
    const buffer = this.#buffers[i];
    if (!buffer) throw new RangeError(`hypercall buffer ${i} of ${this.#buffers.length}`);
    return buffer;
  }

  [Symbol.dispose](): void {
    for (const buffer of this.#buffers) buffer[Symbol.dispose]();
  }
}

/** Buffers of the given sizes (in elements). @throws HvError ENOMEM, with none of them left allocated. */
export function allocSafeArray<E extends AnyElement, D extends Direction>(
  arena: Arena,
  element: E,
  direction: D,
  counts: readonly number[],
  label: string = element.name,
): SafeArray<E, D> {
  const buffers: Safe<E, D>[] = [];
  try {
    for (const [i, count] of counts.entries())
      buffers.push(allocSafe(arena, element, direction, count, `${label}[${i}]`));
  } catch (error) {
    for (const buffer of buffers) buffer[Symbol.dispose]();
    throw error;
  }
  return new SafeArray(buffers);
}
