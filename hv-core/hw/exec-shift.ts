/**
 * ROL ROR RCL RCR SHL SHR SAR and SHLD SHRD (SDM 2B).
 *
 * The count is masked to 5 bits (6 for 64-bit operands); a masked count of 0 changes no flag. Flags that the manual leaves
 * undefined are set as AMD's and Intel's processors do where that is one simple rule: OF as if the last step were a shift by one.
 */
import { FLAG_CF, FLAG_OF } from "../abi/regs";
import { Cpu } from "./cpu";
import { Flags } from "./flags";
import { Reg, Rm, Size } from "./operand";
import { FORM_IMM, FORM_MEM, Rec } from "./record";

// Rec.sub of OP_SHIFT: the reg field of the opcode.
const SUB_ROL: i32 = 0;
const SUB_ROR: i32 = 1;
const SUB_RCL: i32 = 2;
const SUB_RCR: i32 = 3;
export const SUB_SHL: i32 = 4;
export const SUB_SHR: i32 = 5;
export const SUB_SAR: i32 = 7;

// Rec.sub of OP_DOUBLE_SHIFT.
export const SUB_SHLD: i32 = 0;
export const SUB_SHRD: i32 = 1;

/** Byte offset of CL in the register file. */
const CL: u32 = 8;

export class Shift {
  @inline private static count(c: Cpu, r: Rec): u32 {
    const count = <u32>r.form & FORM_IMM ? <u32>r.imm : Reg.get8(c, CL);
    return count & (r.size == 3 ? 63 : 31);
  }

  static single(c: Cpu, r: Rec): void {
    const size = r.size;
    const count = Shift.count(c, r);
    const a = Rm.readForWrite(c, r, <u32>r.d);
    if (c.fault) return;
    if (count == 0) {
      // A memory operand has been read and its permission checked; a 32-bit register still loses its upper half.
      if ((<u32>r.form & FORM_MEM) == 0) Reg.set(c, <u32>r.d, size, a);
      return;
    }
    const sub = <i32>r.sub;
    if (sub >= SUB_SHL) Shift.shift(c, r, sub, size, a, count);
    else Shift.rotate(c, r, sub, size, a, count);
  }

  private static shift(c: Cpu, r: Rec, sub: i32, size: u32, a: u64, count: u32): void {
    const bits = Size.bits(size);
    const signed = Size.signed(a, size);
    let result: u64;
    let carry: u64;
    let overflow: u64;
    if (sub == SUB_SAR) {
      result = <u64>(<i64>signed >> <i64>count);
      carry = <u64>(<i64>signed >> <i64>(count - 1)) & 1;
      overflow = 0;
    } else if (sub == SUB_SHR) {
      result = count < 64 ? a >> <u64>count : 0;
      carry = (a >> <u64>(count - 1)) & 1;
      overflow = (a >> <u64>(bits - 1)) & 1;
      if (count > 1) overflow = 0;
    } else {
      result = a << (<u64>count);
      carry = count <= bits ? (a >> <u64>(bits - count)) & 1 : 0;
      overflow = ((result >> <u64>(bits - 1)) & 1) ^ carry;
    }
    Rm.write(c, r, <u32>r.d, result & Size.mask(size));
    if (c.fault) return;
    Flags.setImage(c, Size.signed(result, size), <u32>carry | ((<u32>overflow) << 11));
  }

  private static rotate(c: Cpu, r: Rec, sub: i32, size: u32, a: u64, count: u32): void {
    const bits = Size.bits(size);
    const top = <u64>(bits - 1);
    let result: u64;
    let carry: u64;
    let overflow: u64;
    if (sub == SUB_ROL || sub == SUB_ROR) {
      const by = <u64>(count & (bits - 1));
      const left = sub == SUB_ROL ? by : (<u64>bits - by) & top;
      result = left == 0 ? a : (a << left) | (a >> (<u64>bits - left));
      if (sub == SUB_ROL) {
        carry = result & 1;
        overflow = ((result >> top) & 1) ^ carry;
      } else {
        carry = (result >> top) & 1;
        overflow = carry ^ ((result >> (top - 1)) & 1);
      }
    } else {
      // Through the carry, one bit at a time: at most 63 steps, and rare.
      carry = Flags.carry(c) ? 1 : 0;
      result = a;
      let steps = count;
      if (size < 2) steps = count % (bits + 1);
      for (; steps != 0; steps--) {
        if (sub == SUB_RCL) {
          const out = (result >> top) & 1;
          result = ((result << 1) | carry) & Size.mask(size);
          carry = out;
        } else {
          const out = result & 1;
          result = (result >> 1) | (carry << top);
          carry = out;
        }
      }
      if (sub == SUB_RCL) overflow = ((result >> top) & 1) ^ carry;
      else overflow = ((result >> top) ^ (result >> (top - 1))) & 1;
    }
    Rm.write(c, r, <u32>r.d, result & Size.mask(size));
    if (c.fault) return;
    const others = Flags.image(c) & ~(<u32>FLAG_CF | <u32>FLAG_OF);
    Flags.store(c, others | <u32>carry | ((<u32>overflow) << 11));
  }

  static double(c: Cpu, r: Rec): void {
    const size = r.size;
    const bits: u64 = Size.bits(size);
    const count: u64 = Shift.count(c, r);
    const a = Rm.readForWrite(c, r, <u32>r.d);
    if (c.fault) return;
    if (count == 0) {
      if ((<u32>r.form & FORM_MEM) == 0) Reg.set(c, <u32>r.d, size, a);
      return;
    }
    const b = Reg.get(c, <u32>r.s, size);
    // What is shifted through: the operand, then the other one. Only 16-bit operands can have a count above their size; the manual
    // defines nothing then, and the other operand is followed by the first again.
    const isPast = count > bits;
    const first = isPast ? b : a;
    const second = isPast ? a : b;
    const by = isPast ? count - bits : count;
    const rest = bits - by;
    let result: u64;
    let carry: u64;
    if (<i32>r.sub == SUB_SHLD) {
      result = rest == 0 ? second : (first << by) | (second >> rest);
      carry = (first >> rest) & 1;
    } else {
      result = rest == 0 ? second : (first >> by) | (second << rest);
      carry = (first >> (by - 1)) & 1;
    }
    result &= Size.mask(size);
    Rm.write(c, r, <u32>r.d, result);
    if (c.fault) return;
    const overflow = ((a ^ result) >> (bits - 1)) & 1;
    Flags.setImage(c, Size.signed(result, size), <u32>carry | ((<u32>overflow) << 11));
  }
}
