/**
 * Poison: in debug and race builds freed memory is filled with Xen's scrub pattern. Whoever still reads it gets nonsense that soon
 * breaks something; whoever still writes to it is found out when the memory is handed out again, or at the end of a race
 * (host/lib/explore/frames.ts).
 */
import { Hv } from "./assert";

/** As SCRUB_BYTE_PATTERN of a debug build of Xen. */
export const POISON_BYTE: u8 = 0xc2;
export const POISON: u64 = 0xc2c2_c2c2_c2c2_c2c2;

export class Poison {
  @inline static fill(at: usize, bytes: usize): void {
    if (isDefined(DEBUG)) memory.fill(at, POISON_BYTE, bytes);
  }

  /** Nobody has written to it since it was freed. `bytes` is a multiple of 8. */
  @inline static check(at: usize, bytes: usize, site: u32): void {
    if (isDefined(DEBUG)) {
      for (let i: usize = 0; i < bytes; i += 8) Hv.assert(load<u64>(at + i) == POISON, site);
    }
  }
}
