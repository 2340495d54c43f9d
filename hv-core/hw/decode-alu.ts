/**
 * Records of arithmetic: two operands, one operand, multiplication, shifts, bits. A form that hw/exec.ts specialises gets its own
 * operation, any other the family's. Before: hw/decode-emit.ts.
 */
import { Decoder } from "./decode";
import { Emit } from "./decode-emit";
import { EmitJump } from "./decode-jump";
import { EmitMove } from "./decode-move";
import { SUB_CMP, SUB_DEC, SUB_INC, SUB_NEG, SUB_NOT, SUB_TEST } from "./exec-alu";
import { SUB_CMPXCHG_PAIR } from "./exec-move";
import { SUB_IMUL_RR } from "./exec-muldiv";
import { SUB_SHL, SUB_SHR } from "./exec-shift";
import { SUB_PUSH } from "./exec-stack";
import {
  ALU_FORMS,
  ALU_RI32,
  ALU_RM32,
  ALU_RR32,
  OP_ADD32_RR,
  OP_ALU,
  OP_ATOMIC,
  OP_BIT,
  OP_CMP8_MI,
  OP_CMP8_RI,
  OP_CMP8_RM,
  OP_CMP8_RR,
  OP_CMP32_MI,
  OP_CMP32_MR,
  OP_CMP64_MI,
  OP_CMP64_MR,
  OP_DEC32,
  OP_IMUL32_RR,
  OP_IMUL64_RR,
  OP_INC32,
  OP_MUL_DIV,
  OP_SAR32_I,
  OP_SHIFT,
  OP_SHL32_I,
  OP_SHR32_I,
  OP_STACK,
  OP_TEST8_RI,
  OP_TEST8_RR,
  OP_UNARY,
} from "./ops";
import { FORM_IMM } from "./record";

export class EmitAlu {
  /** Position of an operation in the specialised group of hw/ops.ts, -1 if it has none. */
  private static hot(sub: i32): i32 {
    switch (sub) {
      case 0:
        return 0;
      case 1:
        return 1;
      case 4:
        return 2;
      case 5:
        return 3;
      case 6:
        return 4;
      case SUB_CMP:
        return 5;
      case SUB_TEST:
        return 6;
      default:
        return -1;
    }
  }

  static alu(d: Decoder): void {
    const sub = <i32>((d.opcode >> 3) & 7);
    const form = d.opcode & 7;
    if (form >= 4) EmitAlu.aluImmediate(d, sub, 0);
    else if (form >= 2) EmitAlu.aluReg(d, sub);
    else EmitAlu.aluRm(d, sub);
  }

  /** r/m, reg. */
  static aluRm(d: Decoder, sub: i32): void {
    const hot = EmitAlu.hot(sub);
    if (d.isMemory == 0) {
      if (d.size >= 2 && hot >= 0)
        Emit.pair(d, OP_ADD32_RR + hot * ALU_FORMS + ALU_RR32 + <i32>(d.size - 2), d.rm, d.reg);
      else if (d.size == 0 && sub == SUB_CMP) Emit.pair(d, OP_CMP8_RR, d.rm, d.reg);
      else if (d.size == 0 && sub == SUB_TEST) Emit.pair(d, OP_TEST8_RR, d.rm, d.reg);
      else Emit.rmReg(d, OP_ALU, sub);
      return;
    }
    if (sub < SUB_CMP) d.isLockable = 1;
    if (sub == SUB_CMP && d.size >= 2) Emit.pair(d, d.size == 3 ? OP_CMP64_MR : OP_CMP32_MR, 0, d.reg);
    else if (sub == SUB_TEST && d.size >= 2) {
      // TEST has no direction: memory is as good as the second operand.
      Emit.pair(d, OP_ADD32_RR + 6 * ALU_FORMS + ALU_RM32 + <i32>(d.size - 2), d.reg, 0);
    } else Emit.rmReg(d, OP_ALU, sub);
  }

  /** reg, r/m. */
  private static aluReg(d: Decoder, sub: i32): void {
    const hot = EmitAlu.hot(sub);
    if (d.size >= 2 && hot >= 0) {
      const form = d.isMemory != 0 ? ALU_RM32 : ALU_RR32;
      Emit.pair(d, OP_ADD32_RR + hot * ALU_FORMS + form + <i32>(d.size - 2), d.reg, d.rm);
    } else if (d.size == 0 && sub == SUB_CMP) Emit.pair(d, d.isMemory != 0 ? OP_CMP8_RM : OP_CMP8_RR, d.reg, d.rm);
    else Emit.regRm(d, OP_ALU, sub);
  }

  /** r/m (or register `n`), immediate. */
  static aluImmediate(d: Decoder, sub: i32, n: u32): void {
    const hot = EmitAlu.hot(sub);
    if (d.isMemory == 0) {
      if (d.size >= 2 && hot >= 0) Emit.pair(d, OP_ADD32_RR + hot * ALU_FORMS + ALU_RI32 + <i32>(d.size - 2), n, 0);
      else if (d.size == 0 && sub == SUB_CMP) Emit.pair(d, OP_CMP8_RI, n, 0);
      else if (d.size == 0 && sub == SUB_TEST) Emit.pair(d, OP_TEST8_RI, n, 0);
      else {
        const r = Emit.put(d, OP_ALU, sub);
        r.d = Emit.reg(d, n);
        r.form |= <u16>FORM_IMM;
      }
      return;
    }
    if (sub < SUB_CMP) d.isLockable = 1;
    if (sub == SUB_CMP && d.size != 1) {
      d.put(d.size == 0 ? OP_CMP8_MI : d.size == 3 ? OP_CMP64_MI : OP_CMP32_MI);
      return;
    }
    const r = Emit.put(d, OP_ALU, sub);
    r.form |= <u16>FORM_IMM;
  }

  static unary(d: Decoder, sub: i32, n: u32): void {
    d.isLockable = d.isMemory;
    if (d.isMemory == 0 && d.size >= 2 && sub >= SUB_INC) {
      Emit.pair(d, (sub == SUB_INC ? OP_INC32 : OP_DEC32) + <i32>(d.size - 2), n, n);
      return;
    }
    Emit.put(d, OP_UNARY, sub).d = Emit.reg(d, n);
  }

  static group3(d: Decoder): void {
    const sub = <i32>d.extension;
    if (sub < 2) {
      // 1 is an alias of 0.
      EmitAlu.aluImmediate(d, SUB_TEST, d.rm);
    } else if (sub == 2) EmitAlu.unary(d, SUB_NOT, d.rm);
    else if (sub == 3) EmitAlu.unary(d, SUB_NEG, d.rm);
    else Emit.rmOnly(d, OP_MUL_DIV, sub);
  }

  static group45(d: Decoder): void {
    const sub = d.extension;
    if (sub == 0) EmitAlu.unary(d, SUB_INC, d.rm);
    else if (sub == 1) EmitAlu.unary(d, SUB_DEC, d.rm);
    else if (d.size == 0 || sub == 7) d.invalid();
    else if (sub == 6) {
      if (d.is64 && d.size == 2) d.size = 3;
      if (d.isMemory == 0) EmitMove.push(d);
      else Emit.rmOnly(d, OP_STACK, SUB_PUSH);
    } else EmitJump.indirect(d, sub);
  }

  static imul(d: Decoder): void {
    if (d.opcode != 0x1af) {
      const r = Emit.regRm(d, OP_MUL_DIV, SUB_IMUL_RR);
      r.form |= <u16>FORM_IMM;
    } else if (d.isMemory == 0 && d.size >= 2) Emit.pair(d, d.size == 3 ? OP_IMUL64_RR : OP_IMUL32_RR, d.reg, d.rm);
    else Emit.regRm(d, OP_MUL_DIV, SUB_IMUL_RR);
  }

  static shift(d: Decoder): void {
    const isImmediate = d.opcode < 0xd2;
    if (d.opcode == 0xd0 || d.opcode == 0xd1) d.immediate = 1;
    let sub = <i32>d.extension;
    if (sub == 6) sub = SUB_SHL;
    const count = <u32>d.immediate & (d.size == 3 ? 63 : 31);
    if (isImmediate && d.isMemory == 0 && d.size >= 2 && count != 0 && sub >= SUB_SHL) {
      const op = sub == SUB_SHL ? OP_SHL32_I : sub == SUB_SHR ? OP_SHR32_I : OP_SAR32_I;
      d.immediate = count;
      Emit.pair(d, op + <i32>(d.size - 2), d.rm, 0);
      return;
    }
    const r = Emit.rmOnly(d, OP_SHIFT, sub);
    if (isImmediate) r.form |= <u16>FORM_IMM;
  }

  static bit(d: Decoder, sub: i32, isImmediate: bool): void {
    if (sub != 0) d.isLockable = d.isMemory;
    const codeAddressSize: u32 = d.codeSize == 64 ? 3 : d.codeSize == 32 ? 2 : 1;
    const isNarrow = d.isMemory != 0 && d.addressSize < codeAddressSize;
    const r = Emit.rmReg(d, OP_BIT, sub);
    if (isImmediate) r.form |= <u16>FORM_IMM;
    // Bits of an address that is narrower than the code's; 0 = none to cut.
    r.link = isNarrow ? (<u32>8) << d.addressSize : 0;
  }

  static group9(d: Decoder): void {
    if (d.extension != 1 || d.isMemory == 0) {
      d.invalid();
      return;
    }
    d.isLockable = 1;
    if (d.size < 2) d.size = 2;
    Emit.put(d, OP_ATOMIC, SUB_CMPXCHG_PAIR);
  }
}
