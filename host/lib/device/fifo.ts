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

/** The oldest byte, or -1. */
export function fifoTake(core: Core, at: number): number {
  if (fifoLength(core, at) === 0) return -1;
  const tail = getField(core, at, 4);
  setField(core, at, 4, tail + 1);
  return core.u8[at + 8 + (tail % FIFO_BYTES)]!;
}
