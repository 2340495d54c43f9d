/**
 * Which accesses are watched. While anything is, entries of the TLB get a bit that sends accesses to the slow path (hw/tlb.ts, DENY_WATCH); here
 * they are looked at, and a page that no watch is about loses the bit again. So the fast path is the same code with watches and without.
 *
 * An instruction is stopped before a watched access (FAULT_WATCH), abandoned as for a fault, and then run alone (hw/run.ts): that way the machine
 * stops right after it.
 */
import { WATCH_IS_P2M, WATCH_IS_PHYSICAL } from "../abi/watch";
import { Watch, WatchEntry } from "../base/watch";
import { ACCESS_RWX, ACCESS_WRITE } from "./access-kind";
import { Cpu } from "./cpu";
import { FAULT_WATCH } from "./exceptions";
import { GuestWalk } from "./guest-walk";
import { DENY_WATCH, Tlb } from "./tlb";

const NOWHERE: u64 = 0xffff_ffff_ffff_ffff;

export class WatchAccess {
  /**
   * Looks at an access of an instruction: `size` bytes at `lin`, ACCESS_READ and ACCESS_WRITE in `access`.
   * @returns true when the instruction is to be abandoned: c.fault is set.
   */
  static stops(c: Cpu, lin: u64, size: u32, access: u32): bool {
    // Emulation: the exit that led to it came from the same access, which has been looked at.
    if (c.replay != 0) return false;
    const isTrapping = Watch.isTrapping();
    let isHit = WatchAccess.part(c, lin, min<u32>(size, WatchAccess.left(lin)), access, !isTrapping);
    if (size > WatchAccess.left(lin)) {
      const rest = size - WatchAccess.left(lin);
      isHit = WatchAccess.part(c, lin + WatchAccess.left(lin), rest, access, !isTrapping) || isHit;
    }
    if (!isHit || !isTrapping) return false;
    c.fault = FAULT_WATCH;
    return true;
  }

  /** An access that the processor makes by itself (descriptor tables, stacks of gates) is only noted. */
  static note(c: Cpu, lin: u64, size: u32, access: u32): void {
    if (c.replay == 0) WatchAccess.part(c, lin, min<u32>(size, WatchAccess.left(lin)), access, true);
  }

  @inline private static left(lin: u64): u32 {
    return 0x1000 - (<u32>lin & 0xfff);
  }

  /** Bytes inside one page. @returns whether a watch is about them. */
  private static part(c: Cpu, lin: u64, size: u32, access: u32, isNoted: bool): bool {
    const gpa = GuestWalk.translate(c, lin, false, c.cpl == 3);
    let isHit = false;
    let isPageWatched = false;
    for (let i: u32 = 0; i < Watch.active(); i++) {
      const w = WatchEntry.at(i);
      if (w.access & WATCH_IS_P2M) continue;
      const isPhysical = (w.access & WATCH_IS_PHYSICAL) != 0;
      const at = isPhysical ? gpa : lin;
      if (isPhysical ? w.who != c.eptRoot || gpa == NOWHERE : w.who != 0 && w.who != c.slot + 1) continue;
      if (w.first >> 12 > at >> 12 || w.last >> 12 < at >> 12) continue;
      const kinds = w.access & access & ACCESS_RWX;
      isPageWatched = true;
      if (kinds == 0 || w.first > at + size - 1 || w.last < at) continue;
      isHit = true;
      if (isNoted) Watch.hit(kinds & ACCESS_WRITE ? ACCESS_WRITE : kinds, w.id, c.slot, size, lin, gpa);
    }
    if (!isPageWatched) {
      const e = Tlb.entry(c, lin);
      if (Tlb.holds(e, lin)) e.tag &= ~DENY_WATCH;
    }
    return isHit;
  }
}
