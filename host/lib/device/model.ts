/**
 * What a device behind an ioreq server looks like: two functions of its slab. Neither keeps anything outside the slab.
 * Offsets are relative to the start of the device's range; a value is two halves of 32 bits.
 */
import { ACTOR_COUNTER, ACTOR_DEBUG_PORT, ACTOR_POST, ACTOR_TEST_EXIT, ACTOR_UART } from "../actors.ts";
import type { DeviceContext } from "./context.ts";
import { counter } from "./counter.ts";
import { debugPort } from "./debug-port.ts";
import { post } from "./post.ts";
import { testExit } from "./test-exit.ts";
import { uart } from "./uart.ts";

/** Field of every device's slab: upper half of the value of an 8-byte read. Cleared before each read. */
export const READ_HIGH = 8;

export interface DeviceModel {
  /** @returns the low 32 bits; an 8-byte read leaves the high ones in READ_HIGH. */
  read(context: DeviceContext, slab: number, offset: number, size: number): number;
  write(context: DeviceContext, slab: number, offset: number, size: number, low: number, high: number): void;
}

/** The model for an actor kind. A dense switch: no table of closures. */
export function modelOf(kind: number): DeviceModel | undefined {
  switch (kind) {
    case ACTOR_UART:
      return uart;
    case ACTOR_DEBUG_PORT:
      return debugPort;
    case ACTOR_POST:
      return post;
    case ACTOR_TEST_EXIT:
      return testExit;
    case ACTOR_COUNTER:
      return counter;
    default:
      return undefined;
  }
}
