/** A ring of bytes inside an actor's slab: {head u32, tail u32} free-running, then 2^n bytes. Used for console input. */
import { getField, setField } from "../actors.ts";
import type { Core } from "../core.ts";

export const FIFO_BYTES = 1024;
export const FIFO_SIZE = 8 + FIFO_BYTES;

export function fifoLength(core: Core, at: number): number {
  return (getField(core, at, 0) - getField(core, at, 4)) >>> 0;
}

/** @returns false when the ring is full: the byte is lost, as on a real line. */
export function fifoPut(core: Core, at: number, byte: number): boolean {
  if (fifoLength(core, at) >= FIFO_BYTES) return false;
  const head = getField(core, at, 0);
  core.u8[at + 8 + (head % FIFO_BYTES)] = byte;
  setField(core, at, 0, head + 1);
  return true;
}

/** The oldest byte, which stays; -1 when there is none. */
export function fifoFirst(core: Core, at: number): number {
  return fifoLength(core, at) === 0 ? -1 : core.u8[at + 8 + (getField(core, at, 4) % FIFO_BYTES)]!;
}

/** Removes the oldest byte. */
export function fifoDrop(core: Core, at: number): void {
  if (fifoLength(core, at) > 0) setField(core, at, 4, getField(core, at, 4) + 1);
}

/** Removes and returns the oldest byte, or -1. */
export function fifoTake(core: Core, at: number): number {
  const byte = fifoFirst(core, at);
  fifoDrop(core, at);
  return byte;
}
