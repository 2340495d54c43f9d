/**
 * What a device behind an ioreq server looks like: two functions of its slab. Neither keeps anything outside the slab.
 * Offsets are relative to the start of the device's range; a value is two halves of 32 bits.
 */
import type { DeviceContext } from "./context.ts";

/** Field of every device's slab: upper half of the value of an 8-byte read. Cleared before each read. */
export const READ_HIGH = 8;

export interface DeviceModel {
  /** @returns the low 32 bits; an 8-byte read leaves the high ones in READ_HIGH. */
  read(context: DeviceContext, slab: number, offset: number, size: number): number;
  write(context: DeviceContext, slab: number, offset: number, size: number, low: number, high: number): void;
}
