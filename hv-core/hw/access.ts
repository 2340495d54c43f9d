/**
 * Memory as instructions see it: the door through which every load and store of a guest goes.
 *
 * Before: the executor has a final linear address. Here: the TLB compare, and on a hit the load or store itself; nothing else runs.
 * A miss, a refused right, a page border or a page with decoded code goes on in hw/access-slow.ts.
 * After each call the executor looks at `c.fault`; when it is set, the instruction is abandoned and nothing has been changed.
 */
import { AccessSlow } from "./access-slow";
import { Cpu } from "./cpu";
import { DENY_SUPER_FETCH, DENY_USER_FETCH, TLB_PAGE_MASK, Tlb } from "./tlb";

export class Mem {
  @inline static read8(c: Cpu, lin: u64, seg: u32): u32 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.readMask) == (lin & TLB_PAGE_MASK)) return load<u8>(<usize>(e.delta + <u32>lin));
    return <u32>AccessSlow.read(c, lin, seg, 1);
  }

  @inline static read16(c: Cpu, lin: u64, seg: u32): u32 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.readMask) == ((lin + 1) & TLB_PAGE_MASK)) return load<u16>(<usize>(e.delta + <u32>lin));
    return <u32>AccessSlow.read(c, lin, seg, 2);
  }

  @inline static read32(c: Cpu, lin: u64, seg: u32): u32 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.readMask) == ((lin + 3) & TLB_PAGE_MASK)) return load<u32>(<usize>(e.delta + <u32>lin));
    return <u32>AccessSlow.read(c, lin, seg, 4);
  }

  @inline static read64(c: Cpu, lin: u64, seg: u32): u64 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.readMask) == ((lin + 7) & TLB_PAGE_MASK)) return load<u64>(<usize>(e.delta + <u32>lin));
    return AccessSlow.read(c, lin, seg, 8);
  }

  @inline static write8(c: Cpu, lin: u64, seg: u32, value: u32): void {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == (lin & TLB_PAGE_MASK)) store<u8>(<usize>(e.delta + <u32>lin), <u8>value);
    else AccessSlow.write(c, lin, seg, 1, value);
  }

  @inline static write16(c: Cpu, lin: u64, seg: u32, value: u32): void {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == ((lin + 1) & TLB_PAGE_MASK)) store<u16>(<usize>(e.delta + <u32>lin), <u16>value);
    else AccessSlow.write(c, lin, seg, 2, value);
  }

  @inline static write32(c: Cpu, lin: u64, seg: u32, value: u32): void {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == ((lin + 3) & TLB_PAGE_MASK)) store<u32>(<usize>(e.delta + <u32>lin), value);
    else AccessSlow.write(c, lin, seg, 4, value);
  }

  @inline static write64(c: Cpu, lin: u64, seg: u32, value: u64): void {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == ((lin + 7) & TLB_PAGE_MASK)) store<u64>(<usize>(e.delta + <u32>lin), value);
    else AccessSlow.write(c, lin, seg, 8, value);
  }

  // The read half of a read-modify-write: the write permission is checked (and the page made dirty) before anything is read.

  @inline static readForWrite8(c: Cpu, lin: u64, seg: u32): u32 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == (lin & TLB_PAGE_MASK)) return load<u8>(<usize>(e.delta + <u32>lin));
    return <u32>AccessSlow.readForWrite(c, lin, seg, 1);
  }

  @inline static readForWrite16(c: Cpu, lin: u64, seg: u32): u32 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == ((lin + 1) & TLB_PAGE_MASK)) return load<u16>(<usize>(e.delta + <u32>lin));
    return <u32>AccessSlow.readForWrite(c, lin, seg, 2);
  }

  @inline static readForWrite32(c: Cpu, lin: u64, seg: u32): u32 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == ((lin + 3) & TLB_PAGE_MASK)) return load<u32>(<usize>(e.delta + <u32>lin));
    return <u32>AccessSlow.readForWrite(c, lin, seg, 4);
  }

  @inline static readForWrite64(c: Cpu, lin: u64, seg: u32): u64 {
    const e = Tlb.entry(c, lin);
    if ((e.tag & c.writeMask) == ((lin + 7) & TLB_PAGE_MASK)) return load<u64>(<usize>(e.delta + <u32>lin));
    return AccessSlow.readForWrite(c, lin, seg, 8);
  }

  // Implicit supervisor accesses: descriptor tables, TSS.

  static sysRead8(c: Cpu, lin: u64): u32 {
    return <u32>AccessSlow.sysRead(c, lin, 1);
  }

  static sysRead16(c: Cpu, lin: u64): u32 {
    return <u32>AccessSlow.sysRead(c, lin, 2);
  }

  static sysRead32(c: Cpu, lin: u64): u32 {
    return <u32>AccessSlow.sysRead(c, lin, 4);
  }

  static sysRead64(c: Cpu, lin: u64): u64 {
    return AccessSlow.sysRead(c, lin, 8);
  }

  static sysWrite8(c: Cpu, lin: u64, value: u32): void {
    AccessSlow.sysWrite(c, lin, 1, value);
  }

  static sysWrite16(c: Cpu, lin: u64, value: u32): void {
    AccessSlow.sysWrite(c, lin, 2, value);
  }

  static sysWrite32(c: Cpu, lin: u64, value: u32): void {
    AccessSlow.sysWrite(c, lin, 4, value);
  }

  static sysWrite64(c: Cpu, lin: u64, value: u64): void {
    AccessSlow.sysWrite(c, lin, 8, value);
  }

  /** Host address of the instruction byte at `lin`, valid to the end of its page; 0 with c.fault set when it cannot be fetched. */
  @inline static fetchHost(c: Cpu, lin: u64): u32 {
    const e = Tlb.entry(c, lin);
    const mask = TLB_PAGE_MASK | (c.cpl == 3 ? DENY_USER_FETCH : DENY_SUPER_FETCH);
    if ((e.tag & mask) == (lin & TLB_PAGE_MASK)) return e.delta + <u32>lin;
    return AccessSlow.fetch(c, lin);
  }

  /**
   * Host address of `lin` when bulk access to the rest of its page is a plain hit, after trying to fill the TLB; otherwise 0,
   * without a fault. For writes a page with decoded code is no plain hit.
   */
  static probe(c: Cpu, lin: u64, isWrite: bool): u32 {
    const e = Tlb.entry(c, lin);
    const mask = isWrite ? c.writeMask : c.readMask;
    return (e.tag & mask) == (lin & TLB_PAGE_MASK) ? e.delta + <u32>lin : 0;
  }

  /** Checks that `size` (1..4096) bytes at `lin` can be written, with the faults that the write would have; fills the TLB. */
  static probeWrite(c: Cpu, lin: u64, seg: u32, size: u32): void {
    AccessSlow.probeWrite(c, lin, seg, size);
  }
}
