/**
 * Hypercalls with safe arguments. Direct arguments are either plain numbers, which are said to be so, or safe buffers; a number that
 * happens to be an address does not compile. Handle fields of a structure know the element and the direction they want.
 */
import { type Dom0, hypercall } from "../dom0.ts";
import type { AnyElement } from "./element.ts";
import { type Direction, Safe, type Writable } from "./safe.ts";
import type { SafeStruct, StructType } from "./struct.ts";

declare const plainBrand: unique symbol;
/** A number that is no address: an operation, a domain, a count. */
export type Plain = number & { readonly [plainBrand]: true };
export const plain = (value: number): Plain => value as Plain;

// biome-ignore lint/suspicious/noExplicitAny: any element and direction may be a direct argument
export type Argument = Plain | Safe<any, any> | null;

/** One hypercall; null is the explicit NULL pointer. @returns its result: a value or a negative errno. */
export function safeHypercall(dom0: Dom0, number: Plain, ...args: readonly Argument[]): number {
  const raw = args.map((a) => (a === null ? 0 : a instanceof Safe ? Number(a.gpa()) : a));
  return hypercall(dom0, number, raw[0] ?? 0, raw[1], raw[2], raw[3], raw[4]);
}

/** Which buffers a handle of direction D takes: one that is read and written serves both. */
type Serves<D extends Direction> = D extends "inout" ? "inout" : D | "inout";

/** A guest handle: eight bytes of one kind of structure that hold the address of elements. */
export interface HandleField<Name extends string, E extends AnyElement, D extends Direction> {
  readonly structure: StructType<Name>;
  readonly offset: number;
  readonly element: E;
  readonly direction: D;
}

export const handleField = <Name extends string, E extends AnyElement, D extends Direction>(
  structure: StructType<Name>,
  offset: number,
  element: E,
  direction: D,
): HandleField<Name, E, D> => ({ structure, offset, element, direction });

/**
 * Writes the address of `buffer` into a handle field of `structure`; null is the explicit NULL handle.
 * @throws HvError EINVAL when the buffer has fewer than `neededCount` elements, EFAULT when it was freed.
 */
export function setHandle<Name extends string, E extends AnyElement, D extends Direction>(
  structure: SafeStruct<Name, Writable>,
  field: HandleField<NoInfer<Name>, E, D>,
  buffer: Safe<NoInfer<E>, Serves<NoInfer<D>>> | null,
  neededCount = 1,
): void {
  structure.setU64(field.offset, buffer === null ? 0n : buffer.gpa(neededCount * field.element.bytes));
}
