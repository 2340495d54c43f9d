/**
 * MUL IMUL DIV IDIV in all forms. A quotient that does not fit and a divisor of zero are #DE: nothing here can trap WebAssembly.
 * Undefined flags: multiplication leaves ZF and AF clear, PF and SF from the low half; division leaves all flags alone.
 */
import { VEC_DE } from "../abi/cpu";
import { FLAG_CF, FLAG_OF } from "../abi/regs";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { Flags } from "./flags";
import { Reg, Rm, Size } from "./operand";
import { FORM_IMM, Rec } from "./record";
import { Wide } from "./wide";

// Rec.sub of OP_MUL_DIV: the reg field of F6/F7, and the forms of IMUL with a destination.
export const SUB_IMUL_RR: i32 = 3;
export const SUB_MUL: i32 = 4;
export const SUB_IMUL: i32 = 5;
export const SUB_DIV: i32 = 6;
export const SUB_IDIV: i32 = 7;

/** Byte offset of AH. */
const AH: u32 = 1;

export class MulDiv {
  static exec(c: Cpu, r: Rec): void {
    const size = r.size;
    const b = Rm.read(c, r, <u32>r.s);
    if (c.fault) return;
    switch (<i32>r.sub) {
      case SUB_IMUL_RR: {
        const a = <u32>r.form & FORM_IMM ? r.imm : Size.signed(Reg.get(c, <u32>r.d, size), size);
        MulDiv.imulTo(c, <u32>r.d, size, a, Size.signed(b, size));
        break;
      }
      case SUB_MUL:
        MulDiv.mul(c, size, b);
        break;
      case SUB_IMUL:
        MulDiv.imul(c, size, Size.signed(b, size));
        break;
      case SUB_DIV:
        MulDiv.div(c, size, b);
        break;
      default:
        MulDiv.idiv(c, size, <i64>Size.signed(b, size));
        break;
    }
  }

  /** CF = OF = the upper half says something. */
  @inline private static setFlags(c: Cpu, low: u64, size: u32, isWide: bool): void {
    // ZF would follow from the result; processors clear it or compute it: undefined.
    Flags.setImage(c, Size.signed(low, size), isWide ? FLAG_CF | FLAG_OF : 0);
  }

  /** IMUL r, r/m and IMUL r, r/m, imm; a and b sign-extended. */
  static imulTo(c: Cpu, d: u32, size: u32, a: u64, b: u64): void {
    const low = a * b;
    let isWide: bool;
    if (size == 3) isWide = Wide.mulHighSigned(<i64>a, <i64>b) != <u64>(<i64>low >> 63);
    else isWide = Size.signed(low, size) != low;
    Reg.set(c, d, size, low);
    MulDiv.setFlags(c, low, size, isWide);
  }

  /** Puts a double-width result into AX, DX:AX, EDX:EAX or RDX:RAX. */
  private static setPair(c: Cpu, size: u32, low: u64, high: u64): void {
    if (size == 0) Reg.set16(c, 0, (<u32>low & 0xff) | ((<u32>high) << 8));
    else {
      Reg.set(c, 0, size, low);
      Reg.set(c, 16, size, high);
    }
  }

  private static mul(c: Cpu, size: u32, b: u64): void {
    const a = Reg.get(c, 0, size);
    const low = a * b;
    const high = size == 3 ? Wide.mulHigh(a, b) : low >> <u64>Size.bits(size);
    MulDiv.setPair(c, size, low, high);
    MulDiv.setFlags(c, low, size, high != 0);
  }

  private static imul(c: Cpu, size: u32, b: u64): void {
    const a = Size.signed(Reg.get(c, 0, size), size);
    const low = a * b;
    let high: u64;
    let isWide: bool;
    if (size == 3) {
      high = Wide.mulHighSigned(<i64>a, <i64>b);
      isWide = high != <u64>(<i64>low >> 63);
    } else {
      high = low >> <u64>Size.bits(size);
      isWide = Size.signed(low, size) != low;
    }
    MulDiv.setPair(c, size, low, high);
    MulDiv.setFlags(c, low, size, isWide);
  }

  /** The dividend's halves: AH:AL for bytes, else rDX:rAX. */
  @inline private static upper(c: Cpu, size: u32): u64 {
    return size == 0 ? <u64>Reg.get8(c, AH) : Reg.get(c, 16, size);
  }

  private static div(c: Cpu, size: u32, b: u64): void {
    const high = MulDiv.upper(c, size);
    if (high >= b) {
      Fault.raise(c, VEC_DE);
      return;
    }
    const low = Reg.get(c, 0, size);
    let quotient: u64;
    let remainder: u64;
    if (size == 3) {
      quotient = Wide.divide(high, low, b);
      remainder = low - quotient * b;
    } else {
      const dividend = (high << (<u64>Size.bits(size))) | low;
      quotient = dividend / b;
      remainder = dividend % b;
    }
    MulDiv.setPair(c, size, quotient, remainder);
  }

  private static idiv(c: Cpu, size: u32, b: i64): void {
    const magnitudeB = <u64>(b < 0 ? -b : b);
    let low = Reg.get(c, 0, size);
    let high = MulDiv.upper(c, size);
    if (size != 3) {
      // The whole dividend fits 64 bits: high:low is it, sign-extended.
      const dividend = Size.signed((high << (<u64>Size.bits(size))) | low, size + 1);
      low = dividend;
      high = <u64>(<i64>dividend >> 63);
    }
    const isNegative = <i64>high < 0;
    if (isNegative) {
      low = -low;
      high = ~high + (low == 0 ? 1 : 0);
    }
    if (high >= magnitudeB) {
      Fault.raise(c, VEC_DE);
      return;
    }
    const magnitude = Wide.divide(high, low, magnitudeB);
    const rest = low - magnitude * magnitudeB;
    const limit = (Size.mask(size) >> 1) + 1;
    const isNegativeQuotient = isNegative != b < 0;
    if (magnitude > (isNegativeQuotient ? limit : limit - 1)) {
      Fault.raise(c, VEC_DE);
      return;
    }
    MulDiv.setPair(c, size, isNegativeQuotient ? -magnitude : magnitude, isNegative ? -rest : rest);
  }
}
