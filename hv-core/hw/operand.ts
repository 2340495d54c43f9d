/**
 * Operands of a decoded record for the instruction families: effective address, r/m operand, registers of any size.
 * The specialised cases of hw/exec.ts do the same inline.
 *
 * After anything here that touches memory the caller tests `c.fault` and returns without having changed a register.
 */
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { FORM_IMM, FORM_MEM, Rec, SCALE_MASK, WRAP_32 } from "./record";

/** Value bits of operand size 0..3. */
export class Size {
  @inline static mask(size: u32): u64 {
    return 0xffff_ffff_ffff_ffff >> (64 - (8 << size));
  }

  @inline static bits(size: u32): u32 {
    return 8 << size;
  }

  @inline static bytes(size: u32): u32 {
    return 1 << size;
  }

  /** Sign-extends a value of the size to 64 bits. */
  @inline static signed(value: u64, size: u32): u64 {
    const unused: u64 = 64 - (8 << size);
    return <u64>(<i64>(value << unused) >> unused);
  }
}

export class Reg {
  @inline static get8(c: Cpu, at: u32): u32 {
    return load<u8>(changetype<usize>(c) + at);
  }

  @inline static get32(c: Cpu, at: u32): u32 {
    return load<u32>(changetype<usize>(c) + at);
  }

  @inline static get64(c: Cpu, at: u32): u64 {
    return load<u64>(changetype<usize>(c) + at);
  }

  @inline static set8(c: Cpu, at: u32, value: u32): void {
    store<u8>(changetype<usize>(c) + at, <u8>value);
  }

  @inline static set16(c: Cpu, at: u32, value: u32): void {
    store<u16>(changetype<usize>(c) + at, <u16>value);
  }

  /** A 32-bit result clears the upper half. */
  @inline static set32(c: Cpu, at: u32, value: u32): void {
    store<u64>(changetype<usize>(c) + at, <u64>value);
  }

  @inline static set64(c: Cpu, at: u32, value: u64): void {
    store<u64>(changetype<usize>(c) + at, value);
  }

  /** Zero-extended. */
  static get(c: Cpu, at: u32, size: u32): u64 {
    return load<u64>(changetype<usize>(c) + at) & Size.mask(size);
  }

  static set(c: Cpu, at: u32, size: u32, value: u64): void {
    if (size == 2) Reg.set32(c, at, <u32>value);
    else if (size == 3) Reg.set64(c, at, value);
    else if (size == 1) Reg.set16(c, at, <u32>value);
    else Reg.set8(c, at, <u32>value);
  }
}

export class Ea {
  /** base + (index << scale) + displacement, before any truncation. */
  @inline static offset(c: Cpu, r: Rec): u64 {
    const p = changetype<usize>(c);
    const scale: u64 = <u32>r.scaleSeg & SCALE_MASK;
    return load<u64>(p + <usize>r.base) + (load<u64>(p + <usize>r.index) << scale) + <u64>(<i64>r.disp);
  }

  /** The linear address of the memory operand. */
  @inline static linear(c: Cpu, r: Rec): u64 {
    const lin = Ea.offset(c, r) + load<u64>(changetype<usize>(c) + <usize>r.segBase);
    return <u32>r.scaleSeg & WRAP_32 ? lin & 0xffff_ffff : lin;
  }
}

/** Memory of a size known only at run time. */
export class AnyMem {
  /** Zero-extended. */
  static read(c: Cpu, lin: u64, seg: u32, size: u32): u64 {
    if (size == 2) return Mem.read32(c, lin, seg);
    if (size == 3) return Mem.read64(c, lin, seg);
    if (size == 1) return Mem.read16(c, lin, seg);
    return Mem.read8(c, lin, seg);
  }

  /** The read half of a read-modify-write. */
  static readForWrite(c: Cpu, lin: u64, seg: u32, size: u32): u64 {
    if (size == 2) return Mem.readForWrite32(c, lin, seg);
    if (size == 3) return Mem.readForWrite64(c, lin, seg);
    if (size == 1) return Mem.readForWrite16(c, lin, seg);
    return Mem.readForWrite8(c, lin, seg);
  }

  static write(c: Cpu, lin: u64, seg: u32, size: u32, value: u64): void {
    if (size == 2) Mem.write32(c, lin, seg, <u32>value);
    else if (size == 3) Mem.write64(c, lin, seg, value);
    else if (size == 1) Mem.write16(c, lin, seg, <u32>value);
    else Mem.write8(c, lin, seg, <u32>value);
  }
}

/** The r/m operand: register `at`, or the record's memory. */
export class Rm {
  /** Zero-extended. */
  static read(c: Cpu, r: Rec, at: u32): u64 {
    if (<u32>r.form & FORM_MEM) return AnyMem.read(c, Ea.linear(c, r), r.seg, r.size);
    return Reg.get(c, at, r.size);
  }

  static readForWrite(c: Cpu, r: Rec, at: u32): u64 {
    if (<u32>r.form & FORM_MEM) return AnyMem.readForWrite(c, Ea.linear(c, r), r.seg, r.size);
    return Reg.get(c, at, r.size);
  }

  static write(c: Cpu, r: Rec, at: u32, value: u64): void {
    if (<u32>r.form & FORM_MEM) AnyMem.write(c, Ea.linear(c, r), r.seg, r.size, value);
    else Reg.set(c, at, r.size, value);
  }

  /** The second operand: the immediate, or register `s`; zero-extended. */
  static source(c: Cpu, r: Rec): u64 {
    if (<u32>r.form & FORM_IMM) return r.imm & Size.mask(r.size);
    return Reg.get(c, <u32>r.s, r.size);
  }
}
