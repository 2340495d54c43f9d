/**
 * The only places where another processor may run inside hypervisor code (docs/architecture.md section 5).
 * In release and debug a window is nothing at all; in race it suspends the whole continuation.
 */
import { suspend } from "./env";

export const ACCESS_READ: u32 = 0;
export const ACCESS_WRITE: u32 = 1;

export class Window {
  /** A named place between two steps. `addr` is the shared state the next step looks at. */
  @inline static at(window: i32, addr: usize, kind: u32): void {
    if (isDefined(RACE)) suspend(window, <u32>addr, kind);
  }
}
