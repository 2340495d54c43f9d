/**
 * Loading segment registers with all checks of the SDM (volume 2, MOV; volume 3A, 5.6 to 5.8). LDTR and TR: hw/system-tables.ts;
 * far transfers of control: hw/far.ts, hw/iret.ts, hw/deliver.ts, which use the checks of a code and a stack segment here.
 */
import { SEG_CS, SEG_DS, SEG_ES, SEG_FS, SEG_GS, SEG_SS, VEC_GP, VEC_NP, VEC_SS } from "../abi/cpu";
import {
  ATTR_CODE,
  ATTR_DB,
  ATTR_EXPAND_DOWN,
  ATTR_L,
  ATTR_P,
  ATTR_S,
  ATTR_UNUSABLE,
  ATTR_WRITABLE,
} from "../abi/regs";
import { Cpu } from "./cpu";
import { Descriptor } from "./descriptor";
import { Fault } from "./exceptions";
import { Mode } from "./mode";

export class Segments {
  /** MOV and POP to ES, SS, DS, FS, GS. On failure c.fault is set and nothing has changed. */
  static load(c: Cpu, index: u32, selector: u32): void {
    selector &= 0xffff;
    if (index == SEG_CS || index > <u32>SEG_GS) {
      Fault.ud(c);
      return;
    }
    const seg = c.seg(index);
    if (!Mode.isProtected(c)) {
      seg.selector = selector;
      seg.base = (<u64>selector) << 4;
      seg.attr &= ~ATTR_UNUSABLE;
      Mode.update(c);
      return;
    }
    if (index == SEG_SS) {
      Segments.loadStack(c, selector);
      return;
    }
    if (Descriptor.isNull(selector)) {
      Descriptor.fillNull(seg, selector, 0);
      Mode.update(c);
      return;
    }
    const raw = Descriptor.read(c, selector, VEC_GP, 0);
    if (c.fault) return;
    const attr = Descriptor.attr(raw);
    const isCode = (attr & ATTR_CODE) != 0;
    let isLegal = (attr & ATTR_S) != 0 && (!isCode || (attr & ATTR_WRITABLE) != 0);
    if (!isCode || (attr & ATTR_EXPAND_DOWN) == 0) {
      const dpl = Descriptor.dpl(raw);
      if (dpl < c.cpl || dpl < (selector & 3)) isLegal = false;
    }
    if (!isLegal) Segments.refuse(c, VEC_GP, selector, 0);
    else if ((attr & ATTR_P) == 0) Segments.refuse(c, VEC_NP, selector, 0);
    else Descriptor.markAccessed(c, selector, raw);
    if (c.fault) return;
    Descriptor.fill(seg, selector, raw);
    Mode.update(c);
  }

  private static loadStack(c: Cpu, selector: u32): void {
    const rpl = selector & 3;
    if (Descriptor.isNull(selector)) {
      if (!Mode.is64(c) || c.cpl == 3 || rpl != c.cpl) {
        Fault.gp0(c);
        return;
      }
      Descriptor.fillNull(c.seg(SEG_SS), selector, c.cpl);
      Mode.update(c);
      return;
    }
    const raw = Segments.checkStack(c, selector, c.cpl, VEC_GP, 0);
    if (c.fault) return;
    Descriptor.fill(c.seg(SEG_SS), selector, raw);
    Mode.update(c);
  }

  /**
   * Reads and checks a stack segment for privilege `cpl`: writable data, RPL and DPL equal to it, present (#SS).
   * Other failures give `vector` (#GP, or #TS on a stack switch). Sets the accessed bit.
   */
  static checkStack(c: Cpu, selector: u32, cpl: u32, vector: u32, ext: u32): u64 {
    const raw = Descriptor.read(c, selector, vector, ext);
    if (c.fault) return 0;
    const attr = Descriptor.attr(raw);
    const isWritableData = (attr & (ATTR_S | ATTR_CODE | ATTR_WRITABLE)) == (ATTR_S | ATTR_WRITABLE);
    if (!isWritableData || (selector & 3) != cpl || Descriptor.dpl(raw) != cpl) {
      Segments.refuse(c, vector, selector, ext);
    } else if ((attr & ATTR_P) == 0) Segments.refuse(c, VEC_SS, selector, ext);
    else Descriptor.markAccessed(c, selector, raw);
    return raw;
  }

  /**
   * Reads and checks a code segment that control is passed to by JMP, CALL or an interrupt with its CPL rules left to the caller:
   * code, present, and in long mode not both L and D. Failures carry the selector and `ext`.
   */
  static readCode(c: Cpu, selector: u32, ext: u32): u64 {
    if (Descriptor.isNull(selector)) {
      Fault.raiseError(c, VEC_GP, ext);
      return 0;
    }
    const raw = Descriptor.read(c, selector, VEC_GP, ext);
    if (c.fault) return 0;
    const attr = Descriptor.attr(raw);
    const isCode = (attr & (ATTR_S | ATTR_CODE)) == (ATTR_S | ATTR_CODE);
    const isBoth = Mode.isLong(c) && (attr & (ATTR_L | ATTR_DB)) == (ATTR_L | ATTR_DB);
    if (!isCode || isBoth) Segments.refuse(c, VEC_GP, selector, ext);
    return raw;
  }

  /** Puts a checked code segment into CS at privilege `cpl` and recomputes the mode. */
  static setCode(c: Cpu, selector: u32, raw: u64, cpl: u32): void {
    Descriptor.fill(c.seg(SEG_CS), (selector & 0xfffc) | cpl, raw);
    c.cpl = cpl;
    Mode.update(c);
  }

  /** Whether a code segment with these attributes runs in 64-bit mode. */
  @inline static isCode64(c: Cpu, raw: u64): bool {
    return Mode.isLong(c) && (Descriptor.attr(raw) & ATTR_L) != 0;
  }

  /** Whether `rip` may be the first instruction in this code segment: inside the limit, or canonical in 64-bit mode. */
  static isTargetLegal(c: Cpu, raw: u64, rip: u64): bool {
    return Segments.isCode64(c, raw) ? Mode.isCanonical(rip) : rip <= <u64>Descriptor.limit(raw);
  }

  /** After a return to an outer privilege: data segments that it may not use become null. */
  static dropInner(c: Cpu): void {
    Segments.dropIfInner(c, SEG_ES);
    Segments.dropIfInner(c, SEG_DS);
    Segments.dropIfInner(c, SEG_FS);
    Segments.dropIfInner(c, SEG_GS);
    Mode.update(c);
  }

  private static dropIfInner(c: Cpu, index: u32): void {
    const seg = c.seg(index);
    if (seg.attr & ATTR_UNUSABLE) return;
    const isConforming = (seg.attr & (ATTR_CODE | ATTR_EXPAND_DOWN)) == (ATTR_CODE | ATTR_EXPAND_DOWN);
    if (!isConforming && ((seg.attr >> 5) & 3) < c.cpl) Descriptor.fillNull(seg, 0, 0);
  }

  static refuse(c: Cpu, vector: u32, selector: u32, ext: u32): void {
    Fault.raiseError(c, vector, (selector & 0xfffc) | ext);
  }
}
