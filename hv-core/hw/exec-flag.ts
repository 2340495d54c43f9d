/**
 * Instructions on single flags: CLC STC CMC CLD STD LAHF SAHF; and the decimal group DAA DAS AAA AAS AAM AAD, SALC, XLAT.
 * CLI, STI, PUSHF and POPF depend on privilege: hw/exec-system.ts.
 */
import { VEC_DE } from "../abi/cpu";
import { FLAG_AF, FLAG_CF, FLAG_DF, FLAG_FIXED, FLAG_OF } from "../abi/regs";
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { Flags } from "./flags";
import { Reg } from "./operand";
import { Rec, WRAP_32 } from "./record";

// Rec.sub of OP_FLAG.
export const SUB_CLC: i32 = 0;
export const SUB_STC: i32 = 1;
export const SUB_CMC: i32 = 2;
export const SUB_CLD: i32 = 3;
export const SUB_STD: i32 = 4;
export const SUB_LAHF: i32 = 5;
export const SUB_SAHF: i32 = 6;

// Rec.sub of OP_DECIMAL.
export const SUB_DAA: i32 = 0;
export const SUB_DAS: i32 = 1;
export const SUB_AAA: i32 = 2;
export const SUB_AAS: i32 = 3;
export const SUB_AAM: i32 = 4;
export const SUB_AAD: i32 = 5;
export const SUB_SALC: i32 = 6;
export const SUB_XLAT: i32 = 7;

/** Byte offset of AH. */
const AH: u32 = 1;

export class FlagOps {
  static exec(c: Cpu, r: Rec): void {
    const carry: u32 = FLAG_CF;
    switch (<i32>r.sub) {
      case SUB_CLC:
        Flags.store(c, Flags.image(c) & ~carry);
        break;
      case SUB_STC:
        Flags.store(c, Flags.image(c) | carry);
        break;
      case SUB_CMC:
        Flags.store(c, Flags.image(c) ^ carry);
        break;
      case SUB_CLD:
        c.rflags &= ~(<u32>FLAG_DF);
        break;
      case SUB_STD:
        c.rflags |= FLAG_DF;
        break;
      case SUB_LAHF:
        Reg.set8(c, AH, Flags.image(c) | FLAG_FIXED);
        break;
      default:
        Flags.store(c, (Flags.image(c) & <u32>FLAG_OF) | (Reg.get8(c, AH) & 0xd5));
        break;
    }
  }
}

export class Decimal {
  static exec(c: Cpu, r: Rec): void {
    const al = Reg.get8(c, 0);
    const carry = Flags.carry(c);
    const adjust = Flags.adjust(c);
    switch (<i32>r.sub) {
      case SUB_DAA:
      case SUB_DAS: {
        const isLow = (al & 15) > 9 || adjust;
        const isHigh = al > 0x99 || carry;
        const by: u32 = (isLow ? 6 : 0) + (isHigh ? 0x60 : 0);
        const isAdd = <i32>r.sub == SUB_DAA;
        const result = isAdd ? al + by : al - by;
        // DAS also carries when the low correction borrows out of AL.
        const isCarry = isHigh || (!isAdd && isLow && al < 6);
        Decimal.finish(c, result, (isLow ? FLAG_AF : 0) | (isCarry ? FLAG_CF : 0));
        break;
      }
      case SUB_AAA:
      case SUB_AAS: {
        const isOut = (al & 15) > 9 || adjust;
        const isAdd = <i32>r.sub == SUB_AAA;
        let ax = Reg.get32(c, 0) & 0xffff;
        if (isOut) ax = isAdd ? ax + 0x106 : ax - 0x106;
        Reg.set16(c, 0, ax & 0xff0f);
        Flags.setImage(c, <u64>(<i64>(<i8>(ax & 15))), isOut ? FLAG_AF | FLAG_CF : 0);
        break;
      }
      case SUB_AAM: {
        const base = <u32>r.imm & 0xff;
        if (base == 0) {
          Fault.raise(c, VEC_DE);
          return;
        }
        Reg.set8(c, AH, al / base);
        Decimal.finish(c, al % base, 0);
        break;
      }
      case SUB_AAD: {
        const result = al + Reg.get8(c, AH) * (<u32>r.imm & 0xff);
        Reg.set8(c, AH, 0);
        Decimal.finish(c, result, 0);
        break;
      }
      case SUB_SALC:
        Reg.set8(c, 0, carry ? 0xff : 0);
        break;
      default:
        Decimal.xlat(c, r);
        break;
    }
  }

  private static finish(c: Cpu, al: u32, image: u32): void {
    Reg.set8(c, 0, al);
    Flags.setImage(c, <u64>(<i64>(<i8>al)), image);
  }

  /** AL = [rBX + AL]; the decoder made rBX the base and AL is added here. */
  private static xlat(c: Cpu, r: Rec): void {
    const mask = r.imm; // address-size mask
    const offset = (c.rbx + <u64>Reg.get8(c, 0)) & mask;
    let lin = offset + load<u64>(changetype<usize>(c) + <usize>r.segBase);
    if (<u32>r.scaleSeg & WRAP_32) lin &= 0xffff_ffff;
    const value = Mem.read8(c, lin, r.seg);
    if (c.fault == 0) Reg.set8(c, 0, value);
  }
}
