/**
 * ADD OR ADC SBB AND SUB XOR CMP TEST and NOT NEG INC DEC, in every size and form that hw/exec.ts does not specialise.
 * A memory destination is read with write permission checked, computed, written, and only then do the flags change.
 */
import { FLAG_AF, FLAG_CF, FLAG_OF } from "../abi/regs";
import { Cpu } from "./cpu";
import { Flags } from "./flags";
import { Reg, Rm, Size } from "./operand";
import { FORM_REVERSE, Rec } from "./record";

// Rec.sub of OP_ALU: the order of the opcode map, then TEST.
export const SUB_ADD: i32 = 0;
export const SUB_OR: i32 = 1;
export const SUB_ADC: i32 = 2;
export const SUB_SBB: i32 = 3;
export const SUB_AND: i32 = 4;
export const SUB_SUB: i32 = 5;
export const SUB_XOR: i32 = 6;
export const SUB_CMP: i32 = 7;
export const SUB_TEST: i32 = 8;

// Rec.sub of OP_UNARY.
export const SUB_NOT: i32 = 0;
export const SUB_NEG: i32 = 1;
export const SUB_INC: i32 = 2;
export const SUB_DEC: i32 = 3;

export class Alu {
  static binary(c: Cpu, r: Rec): void {
    const form = <u32>r.form;
    const size = r.size;
    const sub = <i32>r.sub;
    const isCompare = sub >= SUB_CMP;
    let a: u64;
    let b: u64;
    if (form & FORM_REVERSE) {
      b = Rm.read(c, r, <u32>r.s);
      a = Reg.get(c, <u32>r.d, size);
    } else {
      a = isCompare ? Rm.read(c, r, <u32>r.d) : Rm.readForWrite(c, r, <u32>r.d);
      b = Rm.source(c, r);
    }
    if (c.fault) return;
    a = Size.signed(a, size);
    b = Size.signed(b, size);
    const carry: u64 = (sub == SUB_ADC || sub == SUB_SBB) && Flags.carry(c) ? 1 : 0;
    const result = Size.signed(Alu.compute(sub, a, b, carry), size);
    if (!isCompare) {
      if (form & FORM_REVERSE) Reg.set(c, <u32>r.d, size, result);
      else Rm.write(c, r, <u32>r.d, result);
      if (c.fault) return;
    }
    Alu.setFlags(c, sub, result, a, b);
  }

  private static compute(sub: i32, a: u64, b: u64, carry: u64): u64 {
    switch (sub) {
      case SUB_ADD:
      case SUB_ADC:
        return a + b + carry;
      case SUB_OR:
        return a | b;
      case SUB_AND:
      case SUB_TEST:
        return a & b;
      case SUB_XOR:
        return a ^ b;
      default:
        return a - b - carry;
    }
  }

  private static setFlags(c: Cpu, sub: i32, result: u64, a: u64, b: u64): void {
    switch (sub) {
      case SUB_ADD:
        Flags.setAdd(c, result, a, b);
        break;
      case SUB_SUB:
      case SUB_CMP:
        Flags.setSub(c, result, a, b);
        break;
      case SUB_ADC:
        Alu.setCarryChain(c, result, a, b, (a & b) | ((a | b) & ~result), (a ^ result) & (b ^ result));
        break;
      case SUB_SBB:
        Alu.setCarryChain(c, result, a, b, (~a & b) | ((~a | b) & result), (a ^ b) & (a ^ result));
        break;
      default:
        Flags.setLogic(c, result);
        break;
    }
  }

  /** Flags of an addition or subtraction with carry in: bit 63 of `carries` is CF, bit 63 of `overflows` is OF. */
  private static setCarryChain(c: Cpu, result: u64, a: u64, b: u64, carries: u64, overflows: u64): void {
    let image = <u32>(a ^ b ^ result) & FLAG_AF;
    if (<i64>carries < 0) image |= FLAG_CF;
    if (<i64>overflows < 0) image |= FLAG_OF;
    Flags.setImage(c, result, image);
  }

  static unary(c: Cpu, r: Rec): void {
    const size = r.size;
    const sub = <i32>r.sub;
    const a = Size.signed(Rm.readForWrite(c, r, <u32>r.d), size);
    if (c.fault) return;
    let result: u64;
    if (sub == SUB_NOT) result = ~a;
    else if (sub == SUB_NEG) result = Size.signed(-a, size);
    else result = Size.signed(sub == SUB_INC ? a + 1 : a - 1, size);
    Rm.write(c, r, <u32>r.d, result);
    if (c.fault) return;
    if (sub == SUB_NEG) Flags.setSub(c, result, 0, a);
    else if (sub == SUB_INC) Alu.setInc(c, result, a);
    else if (sub == SUB_DEC) Alu.setDec(c, result, a);
  }

  /** INC leaves CF alone. `a` and `result` sign-extended. */
  @inline static setInc(c: Cpu, result: u64, a: u64): void {
    const carry: u32 = Flags.carry(c) ? FLAG_CF : 0;
    const overflow = (<u32>((~a & result) >> 63)) << 11;
    Flags.setImage(c, result, carry | overflow | (<u32>(a ^ result ^ 1) & FLAG_AF));
  }

  @inline static setDec(c: Cpu, result: u64, a: u64): void {
    const carry: u32 = Flags.carry(c) ? FLAG_CF : 0;
    const overflow = (<u32>((a & ~result) >> 63)) << 11;
    Flags.setImage(c, result, carry | overflow | (<u32>(a ^ result ^ 1) & FLAG_AF));
  }
}
