/**
 * BT BTS BTR BTC; BSF BSR POPCNT BSWAP; CBW CWD and their wider forms; ARPL.
 *
 * BT with a register index and a memory operand addresses a bit string: the index is signed and reaches any byte of the linear
 * space (spec 10, section 10, item 10). With an immediate the index is taken modulo the operand size.
 */
import { FLAG_CF, FLAG_ZF } from "../abi/regs";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { FLAGS_ARITHMETIC, Flags } from "./flags";
import { Mode } from "./mode";
import { AnyMem, Ea, Reg, Rm, Size } from "./operand";
import { FORM_IMM, FORM_MEM, Rec, WRAP_32 } from "./record";

// Rec.sub of OP_BIT.
export const SUB_BT: i32 = 0;
export const SUB_BTS: i32 = 1;
export const SUB_BTR: i32 = 2;
export const SUB_BTC: i32 = 3;

// Rec.sub of OP_SCAN.
export const SUB_BSF: i32 = 0;
export const SUB_BSR: i32 = 1;
export const SUB_POPCNT: i32 = 2;
export const SUB_BSWAP: i32 = 3;
export const SUB_CBW: i32 = 4;
export const SUB_CWD: i32 = 5;
export const SUB_ARPL: i32 = 6;

export class Bits {
  static test(c: Cpu, r: Rec): void {
    const size = r.size;
    const form = <u32>r.form;
    const sub = <i32>r.sub;
    const bits = Size.bits(size);
    const selector = form & FORM_IMM ? r.imm : Reg.get(c, <u32>r.s, size);
    const bit = selector & <u64>(bits - 1);
    if ((form & FORM_MEM) == 0) {
      const a = Reg.get(c, <u32>r.d, size);
      Bits.setCarry(c, (a >> bit) & 1);
      if (sub != SUB_BT) Reg.set(c, <u32>r.d, size, Bits.changed(sub, a, bit));
      return;
    }
    let lin = Ea.linear(c, r);
    if ((form & FORM_IMM) == 0) {
      // Whole operands away: (index >> log2(bits)) * bytes, signed. A 67 prefix makes the sum wrap as well.
      const index = <i64>Size.signed(selector, size);
      const distance = <u64>((index >> <i64>(3 + size)) << (<i64>size));
      if (r.link != 0) {
        const offset = Ea.offset(c, r);
        lin += ((offset + distance) & (((<u64>1) << r.link) - 1)) - offset;
      } else lin += distance;
      if (<u32>r.scaleSeg & WRAP_32) lin &= 0xffff_ffff;
    }
    const seg = r.seg;
    const a = sub == SUB_BT ? AnyMem.read(c, lin, seg, size) : AnyMem.readForWrite(c, lin, seg, size);
    if (c.fault) return;
    if (sub != SUB_BT) {
      AnyMem.write(c, lin, seg, size, Bits.changed(sub, a, bit));
      if (c.fault) return;
    }
    Bits.setCarry(c, (a >> bit) & 1);
  }

  private static changed(sub: i32, a: u64, bit: u64): u64 {
    const mask = (<u64>1) << bit;
    if (sub == SUB_BTS) return a | mask;
    if (sub == SUB_BTR) return a & ~mask;
    return a ^ mask;
  }

  /** Only CF changes (the others are undefined or, ZF, unchanged). */
  private static setCarry(c: Cpu, carry: u64): void {
    Flags.store(c, (Flags.image(c) & ~(<u32>FLAG_CF)) | <u32>carry);
  }

  static scan(c: Cpu, r: Rec): void {
    const size = r.size;
    const sub = <i32>r.sub;
    if (sub == SUB_BSWAP) {
      Bits.byteSwap(c, <u32>r.d, size);
      return;
    }
    if (sub == SUB_CBW) {
      Reg.set(c, 0, size, Size.signed(Reg.get(c, 0, size - 1), size - 1));
      return;
    }
    if (sub == SUB_CWD) {
      Reg.set(c, 16, size, <u64>(<i64>Size.signed(Reg.get(c, 0, size), size) >> 63));
      return;
    }
    if (sub == SUB_ARPL) {
      Bits.adjustRpl(c, r);
      return;
    }
    const a = Rm.read(c, r, <u32>r.s);
    if (c.fault) return;
    if (sub == SUB_POPCNT) {
      Reg.set(c, <u32>r.d, size, popcnt<u64>(a));
      Flags.store(c, a == 0 ? FLAG_ZF : 0);
      return;
    }
    const others = Flags.image(c) & (FLAGS_ARITHMETIC & ~(<u32>FLAG_ZF));
    if (a == 0) {
      // The destination keeps its value, as on every processor of the last decades.
      Flags.store(c, others | FLAG_ZF);
      return;
    }
    Reg.set(c, <u32>r.d, size, sub == SUB_BSF ? ctz<u64>(a) : 63 - clz<u64>(a));
    Flags.store(c, others);
  }

  /** ARPL: raises the RPL of the first selector to that of the second; ZF says whether it did. */
  private static adjustRpl(c: Cpu, r: Rec): void {
    if (!Mode.isProtected(c)) {
      Fault.ud(c);
      return;
    }
    const a = Rm.readForWrite(c, r, <u32>r.d);
    if (c.fault) return;
    const rpl = Reg.get(c, <u32>r.s, 1) & 3;
    const isRaised = (a & 3) < rpl;
    if (isRaised) Rm.write(c, r, <u32>r.d, (a & ~(<u64>3)) | rpl);
    if (c.fault) return;
    Flags.store(c, (Flags.image(c) & ~(<u32>FLAG_ZF)) | (isRaised ? FLAG_ZF : 0));
  }

  private static byteSwap(c: Cpu, d: u32, size: u32): void {
    if (size == 3) Reg.set64(c, d, bswap<u64>(Reg.get64(c, d)));
    else if (size == 2) Reg.set32(c, d, bswap<u32>(Reg.get32(c, d)));
    else Reg.set16(c, d, 0); // undefined by the manual; processors give zero
  }
}
