/**
 * Exact operation counters (journal). Indices: abi/counters.ts. The race build counts nothing: its states go back and forth, and a
 * count that the compiler keeps in a local would make suspended continuations differ that are the same.
 */
import { COUNTERS_BASE } from "../abi/layout";

export class Count {
  @inline static add(counter: i32, n: u64): void {
    if (isDefined(RACE)) return;
    const at: usize = COUNTERS_BASE + (counter << 3);
    store<u64>(at, load<u64>(at) + n);
  }

  @inline static get(counter: i32): u64 {
    return load<u64>(COUNTERS_BASE + (counter << 3));
  }

  @inline static set(counter: i32, value: u64): void {
    store<u64>(COUNTERS_BASE + (counter << 3), value);
  }

  @inline static one(counter: i32): void {
    Count.add(counter, 1);
  }
}
