/**
 * Locks: one u32 word, 0 = free, otherwise owner (vCPU slot + 1, or 0xffff for a hypercall by the host's dom0) | depth << 16.
 * In a build without windows a lock held by somebody else can only be a bug, so it asserts; in race the continuation waits.
 */
import { CTR_LOCKS_CONTENDED, CTR_LOCKS_TAKEN } from "../abi/counters";
import { W_LOCK } from "../abi/windows";
import { Hv } from "./assert";
import { Count } from "./counters";
import { suspend } from "./env";
import { LockOrder } from "./lock-order";
import { Machine } from "./machine";

const SITE_LOCK_HELD: u32 = 1;
const SITE_LOCK_NOT_OWNED: u32 = 2;
const SITE_LOCK_ORDER: u32 = 3;

export class Lock {
  @inline static me(): u32 {
    const current = Machine.get().currentVcpu;
    return current == 0 ? 0xffff : current;
  }

  /** Takes the lock at `word`, recursively if this processor already owns it. */
  static acquire(word: usize): void {
    const me = Lock.me();
    let value = load<u32>(word);
    if (isDefined(DEBUG)) Hv.assert((value & 0xffff) == me || LockOrder.allows(word, me), SITE_LOCK_ORDER);
    if (isDefined(RACE) && (value == 0 || (value & 0xffff) != me)) {
      // Taking a lock that one has already is seen by nobody: no window.
      suspend(W_LOCK, <u32>word, 1);
      value = load<u32>(word);
      while (value != 0) {
        Count.one(CTR_LOCKS_CONTENDED);
        suspend(W_LOCK, <u32>word, 1);
        value = load<u32>(word);
      }
    }
    Hv.assertAlways(value == 0 || (value & 0xffff) == me, SITE_LOCK_HELD);
    Count.one(CTR_LOCKS_TAKEN);
    store<u32>(word, value == 0 ? me | 0x10000 : value + 0x10000);
  }

  /** How often its owner has taken the lock at `word`. */
  @inline static depth(word: usize): u32 {
    return load<u32>(word) >> 16;
  }

  /** Whether the running code holds the lock at `word`. */
  @inline static isMine(word: usize): bool {
    return (load<u32>(word) & 0xffff) == Lock.me();
  }

  static release(word: usize): void {
    const value = load<u32>(word);
    Hv.assert((value & 0xffff) == Lock.me(), SITE_LOCK_NOT_OWNED);
    store<u32>(word, value >> 16 == 1 ? 0 : value - 0x10000);
  }
}
