/**
 * A ring between a guest and a back end: free-running producer and consumer, masked by the size (spec 08 section 8.8).
 * The peer is not trusted: its index is copied once, and a ring that claims more than it can hold is refused.
 */
import type { Core } from "../core.ts";

export interface RingLayout {
  /** Offset of the bytes in the page, and their number (a power of two). */
  readonly data: number;
  readonly size: number;
  readonly cons: number;
  readonly prod: number;
}

/** Bytes waiting in the ring; -1 when the indices are impossible. */
export function ringPending(core: Core, page: number, ring: RingLayout): number {
  const prod = core.u32[(page + ring.prod) >> 2]!;
  const cons = core.u32[(page + ring.cons) >> 2]!;
  const pending = (prod - cons) >>> 0;
  return pending > ring.size ? -1 : pending;
}

/** Takes up to `max` bytes and advances the consumer. @returns how many; -1 when the indices are impossible. */
export function ringTake(
  core: Core,
  page: number,
  ring: RingLayout,
  max: number,
  each: (byte: number) => void,
): number {
  const pending = ringPending(core, page, ring);
  if (pending < 0) return -1;
  const count = Math.min(pending, max);
  const cons = core.u32[(page + ring.cons) >> 2]!;
  for (let i = 0; i < count; i++) each(core.u8[page + ring.data + ((cons + i) & (ring.size - 1))]!);
  core.u32[(page + ring.cons) >> 2] = cons + count;
  return count;
}

/** Puts one byte. @returns false when the ring is full or its indices are impossible. */
export function ringPut(core: Core, page: number, ring: RingLayout, byte: number): boolean {
  const pending = ringPending(core, page, ring);
  if (pending < 0 || pending === ring.size) return false;
  const prod = core.u32[(page + ring.prod) >> 2]!;
  core.u8[page + ring.data + (prod & (ring.size - 1))] = byte;
  core.u32[(page + ring.prod) >> 2] = prod + 1;
  return true;
}

/** Throws away what is in a ring whose indices are impossible. */
export function ringReset(core: Core, page: number, ring: RingLayout): void {
  core.u32[(page + ring.cons) >> 2] = core.u32[(page + ring.prod) >> 2]!;
}
