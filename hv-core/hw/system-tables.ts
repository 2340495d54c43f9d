/** LGDT, LIDT, SGDT, SIDT, LLDT, LTR (SDM 2A). SLDT and STR only read a selector: the executor takes it from the segment register. */
import { SEG_LDTR, SEG_TR, VEC_GP, VEC_NP } from "../abi/cpu";
import { ATTR_P, ATTR_S, ATTR_TYPE, ATTR_UNUSABLE, TYPE_LDT, TYPE_TSS, TYPE_TSS16 } from "../abi/regs";
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { Descriptor } from "./descriptor";
import { Fault } from "./exceptions";
import { Intercepts, TABLE_GDTR, TABLE_IDTR, TABLE_LDTR, TABLE_TR } from "./intercepts";
import { Mode } from "./mode";
import { Segments } from "./segments";
import { System } from "./system";

/** Busy bit of a TSS descriptor's type. */
const TYPE_BUSY: u32 = 2;

export class Tables {
  /** `opSize` 2 keeps only 24 bits of the base. In 64-bit mode the base has 64 bits and must be canonical. */
  static lgdt(c: Cpu, lin: u64, seg: u32, opSize: u32): void {
    if (!System.privileged(c) || Intercepts.table(c, TABLE_GDTR, true)) return;
    const limit = Mem.read16(c, lin, seg);
    if (c.fault) return;
    const base = Tables.readBase(c, lin, seg, opSize);
    if (c.fault) return;
    c.gdtrLimit = limit;
    c.gdtrBase = base;
  }

  static lidt(c: Cpu, lin: u64, seg: u32, opSize: u32): void {
    if (!System.privileged(c) || Intercepts.table(c, TABLE_IDTR, true)) return;
    const limit = Mem.read16(c, lin, seg);
    if (c.fault) return;
    const base = Tables.readBase(c, lin, seg, opSize);
    if (c.fault) return;
    c.idtrLimit = limit;
    c.idtrBase = base;
  }

  static sgdt(c: Cpu, lin: u64, seg: u32): void {
    if (!Intercepts.table(c, TABLE_GDTR, false)) Tables.storeTable(c, lin, seg, c.gdtrLimit, c.gdtrBase);
  }

  static sidt(c: Cpu, lin: u64, seg: u32): void {
    if (!Intercepts.table(c, TABLE_IDTR, false)) Tables.storeTable(c, lin, seg, c.idtrLimit, c.idtrBase);
  }

  private static readBase(c: Cpu, lin: u64, seg: u32, opSize: u32): u64 {
    const at = Tables.baseAddress(c, lin);
    if (Mode.is64(c)) {
      const base = Mem.read64(c, at, seg);
      if (c.fault == 0 && !Mode.isCanonical(base)) Fault.gp0(c);
      return base;
    }
    const base = Mem.read32(c, at, seg);
    return opSize == 2 ? base & 0x00ff_ffff : base;
  }

  private static storeTable(c: Cpu, lin: u64, seg: u32, limit: u32, base: u64): void {
    const size: u32 = Mode.is64(c) ? 10 : 6;
    Mem.probeWrite(c, lin, seg, size);
    if (c.fault) return;
    Mem.write16(c, lin, seg, limit);
    if (c.fault) return;
    const at = Tables.baseAddress(c, lin);
    if (Mode.is64(c)) Mem.write64(c, at, seg, base);
    else Mem.write32(c, at, seg, <u32>base);
  }

  /** The base stands two bytes after the limit. */
  @inline private static baseAddress(c: Cpu, lin: u64): u64 {
    return (lin + 2) & Mode.addressMask(c);
  }

  static lldt(c: Cpu, selector: u32): void {
    selector &= 0xffff;
    if (!Tables.mayLoad(c) || Intercepts.table(c, TABLE_LDTR, true)) return;
    if (Descriptor.isNull(selector)) {
      Descriptor.fillNull(c.seg(SEG_LDTR), selector, 0);
      return;
    }
    const raw = Tables.read(c, selector);
    if (c.fault) return;
    const attr = Descriptor.attr(raw);
    if ((attr & (ATTR_S | ATTR_TYPE)) != TYPE_LDT) Segments.refuse(c, VEC_GP, selector, 0);
    else if ((attr & ATTR_P) == 0) Segments.refuse(c, VEC_NP, selector, 0);
    if (c.fault) return;
    Tables.fill(c, SEG_LDTR, selector, raw);
  }

  static ltr(c: Cpu, selector: u32): void {
    selector &= 0xffff;
    if (!Tables.mayLoad(c) || Intercepts.table(c, TABLE_TR, true)) return;
    if (Descriptor.isNull(selector)) {
      Fault.gp0(c);
      return;
    }
    const raw = Tables.read(c, selector);
    if (c.fault) return;
    const attr = Descriptor.attr(raw);
    const type = attr & (ATTR_S | ATTR_TYPE);
    const isTss = type == TYPE_TSS || (type == TYPE_TSS16 && !Mode.isLong(c));
    if (!isTss) Segments.refuse(c, VEC_GP, selector, 0);
    else if ((attr & ATTR_P) == 0) Segments.refuse(c, VEC_NP, selector, 0);
    if (c.fault) return;
    Mem.sysWrite8(c, Descriptor.address(c, selector) + 5, <u32>(raw >> 40) | TYPE_BUSY);
    if (c.fault) return;
    if (Tables.fill(c, SEG_TR, selector, raw)) c.seg(SEG_TR).attr |= TYPE_BUSY;
  }

  /** Protected mode (#UD elsewhere) at CPL 0. */
  private static mayLoad(c: Cpu): bool {
    if (Mode.isProtected(c)) return System.privileged(c);
    Fault.ud(c);
    return false;
  }

  /** LDT and TSS descriptors stand in the GDT, and have 16 bytes in long mode. */
  private static read(c: Cpu, selector: u32): u64 {
    if (selector & 4) {
      Segments.refuse(c, VEC_GP, selector, 0);
      return 0;
    }
    return Mode.isLong(c) ? Descriptor.readWide(c, selector, VEC_GP, 0) : Descriptor.read(c, selector, VEC_GP, 0);
  }

  /** False with c.fault set when the high half cannot be read or makes a non-canonical base. */
  private static fill(c: Cpu, index: u32, selector: u32, raw: u64): bool {
    let high: u64 = 0;
    if (Mode.isLong(c)) {
      high = Descriptor.readBaseHigh(c, selector);
      if (c.fault) return false;
      if (!Mode.isCanonical(high | Descriptor.base(raw))) {
        Segments.refuse(c, VEC_GP, selector, 0);
        return false;
      }
    }
    const seg = c.seg(index);
    Descriptor.fill(seg, selector, raw);
    seg.base |= high;
    seg.attr &= ~ATTR_UNUSABLE;
    return true;
  }
}
