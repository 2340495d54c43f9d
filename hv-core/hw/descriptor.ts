/**
 * Descriptors in the GDT and LDT (SDM 3A, 3.4.5): where one lies, reading it, and taking it apart.
 *
 *   63..56      55 54  53 52   51..48       47 46..45 44 43..40  39..16      15..0
 *   base 31:24  G  D/B L  AVL  limit 19:16  P  DPL    S  type    base 23:0   limit 15:0
 */

import { SEG_LDTR } from "../abi/cpu";
import { ATTR_ACCESSED, ATTR_G, ATTR_S, ATTR_UNUSABLE } from "../abi/regs";
import { Mem } from "./access";
import { Cpu, Seg } from "./cpu";
import { Fault } from "./exceptions";

/** Attribute bits of Seg.attr that come straight from bits 55:40 of the descriptor. */
const ATTR_FROM_DESCRIPTOR: u32 = 0xf0ff;
const SELECTOR_TI: u32 = 4;

export class Descriptor {
  /** Selectors 0..3 name no descriptor. */
  @inline static isNull(selector: u32): bool {
    return (selector & 0xfffc) == 0;
  }

  @inline static base(raw: u64): u64 {
    return ((raw >> 16) & 0x00ff_ffff) | ((raw >> 32) & 0xff00_0000);
  }

  /** Limit in bytes. */
  static limit(raw: u64): u32 {
    const limit = <u32>(raw & 0xffff) | <u32>((raw >> 32) & 0xf_0000);
    return Descriptor.attr(raw) & ATTR_G ? (limit << 12) | 0xfff : limit;
  }

  @inline static attr(raw: u64): u32 {
    return <u32>(raw >> 40) & ATTR_FROM_DESCRIPTOR;
  }

  @inline static dpl(raw: u64): u32 {
    return <u32>(raw >> 45) & 3;
  }

  /**
   * Reads the descriptor of `selector` (not null). Beyond the end of its table: exception `vector` with the selector and `ext`
   * (the EXT bit) as error code. The caller looks at c.fault.
   */
  static read(c: Cpu, selector: u32, vector: u32, ext: u32): u64 {
    return Descriptor.readAt(c, selector, vector, ext, 8);
  }

  /** The same, making sure that all 16 bytes of a long-mode system descriptor lie in the table; returns the low half. */
  static readWide(c: Cpu, selector: u32, vector: u32, ext: u32): u64 {
    return Descriptor.readAt(c, selector, vector, ext, 16);
  }

  /** Bits 63:32 of the base of a long-mode system descriptor, in place. */
  static readBaseHigh(c: Cpu, selector: u32): u64 {
    return (<u64>Mem.sysRead32(c, Descriptor.address(c, selector) + 8)) << 32;
  }

  /** Linear address of the descriptor. */
  static address(c: Cpu, selector: u32): u64 {
    const offset = <u64>(selector & 0xfff8);
    return (selector & SELECTOR_TI ? c.seg(SEG_LDTR).base : c.gdtrBase) + offset;
  }

  /** Sets the accessed bit in memory if it is clear. c.fault when the table cannot be written. */
  static markAccessed(c: Cpu, selector: u32, raw: u64): void {
    if ((Descriptor.attr(raw) & ATTR_ACCESSED) != 0) return;
    Mem.sysWrite8(c, Descriptor.address(c, selector) + 5, <u32>(raw >> 40) | ATTR_ACCESSED);
  }

  /** Loads a segment register, hidden part included. */
  static fill(seg: Seg, selector: u32, raw: u64): void {
    seg.selector = selector;
    seg.base = Descriptor.base(raw);
    seg.limit = Descriptor.limit(raw);
    const attr = Descriptor.attr(raw);
    seg.attr = attr & ATTR_S ? attr | ATTR_ACCESSED : attr;
  }

  /** Makes a segment register unusable, as a null selector does. */
  static fillNull(seg: Seg, selector: u32, dpl: u32): void {
    seg.selector = selector;
    seg.base = 0;
    seg.limit = 0;
    seg.attr = ATTR_UNUSABLE | (dpl << 5);
  }

  private static readAt(c: Cpu, selector: u32, vector: u32, ext: u32, size: u32): u64 {
    const last = (selector & 0xfff8) + size - 1;
    const ldtr = c.seg(SEG_LDTR);
    const isInside =
      selector & SELECTOR_TI ? (ldtr.attr & ATTR_UNUSABLE) == 0 && last <= ldtr.limit : last <= c.gdtrLimit;
    if (!isInside) {
      Fault.raiseError(c, vector, (selector & 0xfffc) | ext);
      return 0;
    }
    return Mem.sysRead64(c, Descriptor.address(c, selector));
  }
}
