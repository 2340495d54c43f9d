/**
 * Breakpoints and watches, as far as every layer sees them: is anything watched, does a hit wait, note a hit. Layout: abi/watch.ts.
 *
 * A run that meets a hit ends at the next boundary of instructions exactly as if its budget had ended there, so nothing that a guest could see
 * depends on watches. The race build has none: there every access is a place where another processor may come in.
 *
 * Matching of accesses: hw/watch-access.ts; of code: hw/watch-code.ts.
 */
import { WATCH_BASE } from "../abi/layout";
import {
  MAX_WATCH_HITS,
  WATCH_ACTIVE,
  WATCH_CODE,
  WATCH_ENTRIES,
  WATCH_ENTRY_SIZE,
  WATCH_EXIT_BITS,
  WATCH_EXITS,
  WATCH_HIT_EXIT,
  WATCH_HIT_P2M,
  WATCH_HIT_RECORDS,
  WATCH_HIT_SIZE,
  WATCH_HITS,
  WATCH_IS_P2M,
  WATCH_P2M,
  WATCH_PASSING,
  WATCH_STOP,
  WATCH_TOLD,
  WATCH_TRAP,
} from "../abi/watch";

const NO_SLOT: u32 = 0xffff_ffff;

@unmanaged
export class WatchEntry {
  access: u32;
  id: u32;
  who: u32;
  private _pad: u32;
  first: u64;
  last: u64;

  @inline static at(index: u32): WatchEntry {
    return changetype<WatchEntry>(WATCH_BASE + WATCH_ENTRIES + <usize>index * WATCH_ENTRY_SIZE);
  }
}

@unmanaged
class WatchHit {
  kind: u32;
  id: u32;
  slot: u32;
  size: u32;
  linear: u64;
  gpa: u64;
}

export class Watch {
  /** Entries that are watched now. */
  @inline static active(): u32 {
    return isDefined(RACE) ? 0 : load<u32>(WATCH_BASE, WATCH_ACTIVE);
  }

  @inline static isOn(): bool {
    return Watch.active() != 0;
  }

  /** A hit waits to be told: whoever runs something stops at the next boundary. */
  @inline static isStopping(): bool {
    return !isDefined(RACE) && load<u32>(WATCH_BASE, WATCH_STOP) != 0;
  }

  static stopped(): void {
    store<u32>(WATCH_BASE, 0, WATCH_STOP);
  }

  /** Instructions are stopped before an access that is watched; otherwise it is only noted. */
  @inline static isTrapping(): bool {
    return load<u32>(WATCH_BASE, WATCH_TRAP) != 0;
  }

  static trap(isOn: bool): void {
    store<u32>(WATCH_BASE, isOn ? 1 : 0, WATCH_TRAP);
  }

  @inline static hasCode(): bool {
    return !isDefined(RACE) && load<u32>(WATCH_BASE, WATCH_CODE) != 0 && load<u32>(WATCH_BASE, WATCH_PASSING) == 0;
  }

  static passing(isOn: bool): void {
    store<u32>(WATCH_BASE, isOn ? 1 : 0, WATCH_PASSING);
  }

  /** A breakpoint of this vCPU, reached after `retired` instructions, has been told: it goes on from there. */
  static isTold(slot: u32, retired: u64): bool {
    return load<u64>(WATCH_BASE + WATCH_TOLD + ((<usize>slot) << 3)) == retired;
  }

  /** Notes a hit; the same access a second time is one. */
  static hit(kind: u32, id: u32, slot: u32, size: u32, linear: u64, gpa: u64): void {
    const count = load<u32>(WATCH_BASE, WATCH_HITS);
    store<u32>(WATCH_BASE, 1, WATCH_STOP);
    if (count == MAX_WATCH_HITS) return;
    const records: usize = WATCH_BASE + WATCH_HIT_RECORDS;
    if (count != 0) {
      const last = changetype<WatchHit>(records + (<usize>count - 1) * WATCH_HIT_SIZE);
      if (last.kind == kind && last.id == id && last.slot == slot && last.linear == linear && last.gpa == gpa) return;
    }
    const h = changetype<WatchHit>(records + <usize>count * WATCH_HIT_SIZE);
    h.kind = kind;
    h.id = id;
    h.slot = slot;
    h.size = size;
    h.linear = linear;
    h.gpa = gpa;
    store<u32>(WATCH_BASE, count + 1, WATCH_HITS);
  }

  /** The instruction did not happen: it raised an exception. */
  static forget(hits: u32): void {
    store<u32>(WATCH_BASE, hits, WATCH_HITS);
    if (hits == 0) Watch.stopped();
  }

  @inline static hits(): u32 {
    return load<u32>(WATCH_BASE, WATCH_HITS);
  }

  /** An exit was handled; `counter` is its index among the counters. */
  @inline static exit(slot: u32, reason: u32, counter: u32): void {
    if (!isDefined(RACE) && load<u32>(WATCH_BASE, WATCH_EXITS) != 0) Watch.noteExit(slot, reason, counter);
  }

  private static noteExit(slot: u32, reason: u32, counter: u32): void {
    if (((load<u32>(WATCH_BASE + WATCH_EXIT_BITS + ((<usize>counter >> 5) << 2)) >> (counter & 31)) & 1) == 0) return;
    Watch.hit(WATCH_HIT_EXIT, 0, slot, reason, 0, 0xffff_ffff_ffff_ffff);
  }

  /** An entry of a p2m was stored. */
  @inline static p2m(domid: u32, gfn: u64, order: u32): void {
    if (!isDefined(RACE) && load<u32>(WATCH_BASE, WATCH_P2M) != 0) Watch.noteP2m(domid, gfn, order);
  }

  private static noteP2m(domid: u32, gfn: u64, order: u32): void {
    const last = gfn + ((<u64>1) << order) - 1;
    for (let i: u32 = 0; i < Watch.active(); i++) {
      const w = WatchEntry.at(i);
      if ((w.access & WATCH_IS_P2M) == 0 || (w.who != 0 && w.who != domid + 1)) continue;
      if (w.first <= last && gfn <= w.last) Watch.hit(WATCH_HIT_P2M, w.id, NO_SLOT, 1 << order, 0, gfn << 12);
    }
  }
}

if (offsetof<WatchEntry>() != WATCH_ENTRY_SIZE) ERROR("WatchEntry is 32 bytes");
if (offsetof<WatchHit>() != WATCH_HIT_SIZE) ERROR("WatchHit is 32 bytes");
