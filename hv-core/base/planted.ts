/**
 * A slow-down on purpose, in one build that no one runs (target "planted"): the bench must find it, and only it
 * (test/bench/planted.long.test.ts). In every other build this is nothing.
 */
import { MAILBOX_BASE } from "../abi/layout";

/** About 5 % of a store to an in-core device. */
const TURNS = 13;

export class Planted {
  @inline static delay(): void {
    if (isDefined(PLANTED)) {
      let x = load<u32>(MAILBOX_BASE);
      for (let i = 0; i < TURNS; i++) x = x * 1664525 + (x >> 16);
      store<u32>(MAILBOX_BASE, x);
    }
  }
}
