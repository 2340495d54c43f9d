/**
 * The translation look-aside buffer of one processor: linear page -> machine frame with permissions, direct-mapped.
 * Semantic state: a stale entry really is stale until it is flushed. Filled by hw/translate.ts, read by hw/access.ts.
 *
 *   tag   63..12 linear page   11 never  7 watch  6 SMC  5 UX  4 SX  3 UW  2 SW  1 UR  0 SR    (1 = this kind of access is refused)
 *   delta host address of a byte = delta + low 32 bits of its linear address (modulo 2^32)
 *   meta  0 global  1 from a large page of the guest  2 a frame of the bus: 13..8 the deny bits, 18..16 the memory type
 *
 * Because the deny bits stand in the tag, one masked compare decides hit, permission and "does not cross into the next page":
 * `((tag ^ (lin + size - 1)) & mask) == 0` with mask = page bits | deny bits of this access, where the deny bits of the address
 * have been cleared. An empty entry has every bit set.
 *
 * Two bits are derived, and a hash of the state leaves them out: SMC (the frame holds decoded code) and watch (something is watched: the access is
 * looked at on the slow path, hw/watch-access.ts).
 */
import { CTR_TLB_FILLS, CTR_TLB_FLUSHED_PAGES, CTR_TLB_FLUSHES } from "../abi/counters";
import { FRAMES_BASE, PAGE_SHIFT, TLB_ENTRY_SIZE, VCPU_TLB_OFFSET } from "../abi/layout";
import { Count } from "../base/counters";
import { Machine } from "../base/machine";
import { Cpu } from "./cpu";

export const TLB_PAGE_MASK: u64 = 0xffff_ffff_ffff_f000;

export const DENY_SUPER_READ: u64 = 1;
export const DENY_USER_READ: u64 = 2;
export const DENY_SUPER_WRITE: u64 = 4;
export const DENY_USER_WRITE: u64 = 8;
export const DENY_SUPER_FETCH: u64 = 16;
export const DENY_USER_FETCH: u64 = 32;
export const DENY_SMC: u64 = 64;
export const DENY_WATCH: u64 = 128;

export const TLB_EMPTY: u64 = 0xffff_ffff_ffff_ffff;

export const TLB_GLOBAL: u32 = 1;
export const TLB_LARGE: u32 = 2;
/** A frame of the bus: the tag refuses everything, so that each access is slow; the real rights stand in meta, and the memory type. */
export const TLB_BUS: u32 = 4;
export const TLB_BUS_DENY_SHIFT: u32 = 8;
export const TLB_BUS_TYPE_SHIFT: u32 = 16;
/** Every right refused. */
export const DENY_ALL: u64 = 63;

/** The smallest TLB there is (knob tlb.entries). */
const SMALLEST: u32 = 16;

@unmanaged
export class TlbEntry {
  tag: u64;
  delta: u32;
  meta: u32;
}

export class Tlb {
  /** The only entry that may hold the page of `lin`. */
  @inline static entry(c: Cpu, lin: u64): TlbEntry {
    return changetype<TlbEntry>(changetype<usize>(c) + VCPU_TLB_OFFSET + <usize>((<u32>(lin >> 12) & c.tlbMask) << 4));
  }

  @inline static at(c: Cpu, index: u32): TlbEntry {
    return changetype<TlbEntry>(changetype<usize>(c) + VCPU_TLB_OFFSET + ((<usize>index) << 4));
  }

  /** Whether the entry holds the page of `lin`, with whatever permissions. */
  @inline static holds(e: TlbEntry, lin: u64): bool {
    return ((e.tag ^ lin) & TLB_PAGE_MASK) == 0 && e.tag != TLB_EMPTY;
  }

  /** Machine frame a valid entry points to. */
  @inline static mfn(e: TlbEntry): u32 {
    return (e.delta + <u32>(e.tag & TLB_PAGE_MASK) - <u32>FRAMES_BASE) >> PAGE_SHIFT;
  }

  static fill(c: Cpu, lin: u64, deny: u64, mfn: u32, meta: u32): void {
    Count.one(CTR_TLB_FILLS);
    const e = Tlb.entry(c, lin);
    const page = lin & TLB_PAGE_MASK;
    e.tag = page | deny;
    e.delta = <u32>FRAMES_BASE + (mfn << PAGE_SHIFT) - <u32>page;
    e.meta = meta;
    if (meta & TLB_LARGE) c.tlbHasLarge = 1;
  }

  /** Sets the number of entries (a power of two, 16..1024) and empties the TLB. */
  static init(c: Cpu, entries: u32): void {
    c.tlbMask = entries - 1;
    Tlb.flushAll(c);
  }

  /** Forgets everything, global entries included. */
  static flushAll(c: Cpu): void {
    Count.one(CTR_TLB_FLUSHES);
    c.tlbHasLarge = 0;
    c.fetchPage = TLB_EMPTY;
    // A few empty entries, then copies of all that is empty so far: a third of the time of clearing one by one.
    for (let i: u32 = 0; i < SMALLEST; i++) Tlb.clear(Tlb.at(c, i));
    const first = changetype<usize>(Tlb.at(c, 0));
    const end = (c.tlbMask + 1) * TLB_ENTRY_SIZE;
    for (let done: u32 = SMALLEST * TLB_ENTRY_SIZE; done < end; done += done) memory.copy(first + done, first, done);
  }

  /** What a write to CR3 forgets: everything but global entries. */
  static flushNonGlobal(c: Cpu): void {
    Count.one(CTR_TLB_FLUSHES);
    c.fetchPage = TLB_EMPTY;
    for (let i: u32 = 0; i <= c.tlbMask; i++) {
      const e = Tlb.at(c, i);
      if ((e.meta & TLB_GLOBAL) == 0) Tlb.clear(e);
    }
  }

  /** INVLPG: the page of `lin`, global or not; when translations of large pages may be cached, everything. */
  static flushPage(c: Cpu, lin: u64): void {
    Count.one(CTR_TLB_FLUSHED_PAGES);
    if (c.tlbHasLarge) {
      Tlb.flushAll(c);
      return;
    }
    if (((c.fetchPage ^ lin) & TLB_PAGE_MASK) == 0) c.fetchPage = TLB_EMPTY;
    const e = Tlb.entry(c, lin);
    if (Tlb.holds(e, lin)) Tlb.clear(e);
  }

  /** Makes stores to a frame take the slow path in every processor: code has been decoded from it. */
  static protectCode(mfn: u32): void {
    const mark = Machine.get().vcpuMark;
    for (let slot: u32 = 0; slot < mark; slot++) {
      const c = Cpu.at(slot);
      for (let i: u32 = 0; i <= c.tlbMask; i++) {
        const e = Tlb.at(c, i);
        if (e.tag != TLB_EMPTY && Tlb.mfn(e) == mfn) e.tag |= DENY_SMC;
      }
    }
  }

  /** What is watched has changed: every access is looked at once more, or none is. */
  static watch(isOn: bool): void {
    const mark = Machine.get().vcpuMark;
    for (let slot: u32 = 0; slot < mark; slot++) {
      const c = Cpu.at(slot);
      for (let i: u32 = 0; i <= c.tlbMask; i++) {
        const e = Tlb.at(c, i);
        if (e.tag != TLB_EMPTY) e.tag = isOn ? e.tag | DENY_WATCH : e.tag & ~DENY_WATCH;
      }
    }
  }

  @inline private static clear(e: TlbEntry): void {
    e.tag = TLB_EMPTY;
    e.delta = 0;
    e.meta = 0;
  }
}
