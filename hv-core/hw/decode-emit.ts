/**
 * Chooses the operation for a decoded instruction: a specialised one where hw/exec.ts has it, else the family's.
 * One function for each kind of hw/decode-tables.ts. System instructions: hw/decode-system.ts.
 */
import { CPU_ZERO_REG } from "../abi/cpu";
import { Decoder } from "./decode";
import { EmitJump } from "./decode-jump";
import { EmitSystem } from "./decode-system";
import {
  K_ALU,
  K_BIT,
  K_BIT_IMM,
  K_BSWAP,
  K_CALL,
  K_CBW,
  K_CMOV,
  K_CMPXCHG,
  K_CWD,
  K_DECIMAL,
  K_DOUBLE_SHIFT,
  K_ENTER,
  K_EXTEND,
  K_FENCE,
  K_FLAG,
  K_GROUP1,
  K_GROUP3,
  K_GROUP9,
  K_GROUP45,
  K_IMUL,
  K_INC_DEC,
  K_JCC,
  K_JMP,
  K_LEA,
  K_LEAVE,
  K_LOOP,
  K_MOFFS,
  K_MOV,
  K_MOV_IMM,
  K_MOV_RM_IMM,
  K_MOVNTI,
  K_MOVSXD,
  K_NOP,
  K_POP,
  K_POP_RM,
  K_POP_SEG,
  K_POPA,
  K_POPCNT,
  K_PUSH,
  K_PUSH_IMM,
  K_PUSH_SEG,
  K_PUSHA,
  K_RET,
  K_SCAN,
  K_SETCC,
  K_SHIFT,
  K_STRING,
  K_TEST,
  K_TEST_A,
  K_XADD,
  K_XCHG,
  K_XCHG_A,
} from "./decode-tables";
import { SUB_CMP, SUB_DEC, SUB_INC, SUB_NEG, SUB_NOT, SUB_TEST } from "./exec-alu";
import { SUB_ARPL, SUB_BSF, SUB_BSR, SUB_BSWAP, SUB_CBW, SUB_CWD, SUB_POPCNT } from "./exec-bit";
import {
  SUB_AAA,
  SUB_AAD,
  SUB_AAM,
  SUB_AAS,
  SUB_CLC,
  SUB_CLD,
  SUB_CMC,
  SUB_DAA,
  SUB_DAS,
  SUB_LAHF,
  SUB_SAHF,
  SUB_SALC,
  SUB_STC,
  SUB_STD,
  SUB_XLAT,
} from "./exec-flag";
import { SUB_CMPXCHG, SUB_CMPXCHG_PAIR, SUB_FROM16, SUB_SIGN, SUB_XADD, SUB_XCHG } from "./exec-move";
import { SUB_IMUL_RR } from "./exec-muldiv";
import { SUB_SHL, SUB_SHLD, SUB_SHR, SUB_SHRD } from "./exec-shift";
import { SUB_ENTER, SUB_LEAVE, SUB_POP, SUB_POPA, SUB_PUSH, SUB_PUSH_SEG, SUB_PUSHA } from "./exec-stack";
import {
  REP_NONE,
  REP_WHILE_EQUAL,
  REP_WHILE_NOT_EQUAL,
  SUB_CMPS,
  SUB_LODS,
  SUB_MOVS,
  SUB_SCAS,
  SUB_STOS,
} from "./exec-string";
import {
  ALU_FORMS,
  ALU_RI32,
  ALU_RM32,
  ALU_RR32,
  OP_ADD32_RR,
  OP_ALU,
  OP_ATOMIC,
  OP_BIT,
  OP_CMOV,
  OP_CMP8_MI,
  OP_CMP8_RI,
  OP_CMP8_RM,
  OP_CMP8_RR,
  OP_CMP32_MI,
  OP_CMP32_MR,
  OP_CMP64_MI,
  OP_CMP64_MR,
  OP_DEC32,
  OP_DECIMAL,
  OP_DOUBLE_SHIFT,
  OP_EXTEND,
  OP_FLAG,
  OP_IMUL32_RR,
  OP_IMUL64_RR,
  OP_INC32,
  OP_LEA_SHORT,
  OP_LEA32,
  OP_LEA64,
  OP_LOAD8,
  OP_LOAD32,
  OP_LOAD32_B,
  OP_LOAD64,
  OP_LOAD64_B,
  OP_MOV_RI,
  OP_MOV32_RR,
  OP_MOV64_RR,
  OP_MOVE,
  OP_MUL_DIV,
  OP_NOP,
  OP_POP32_R,
  OP_POP64_R,
  OP_PUSH32_I,
  OP_PUSH32_R,
  OP_PUSH64_I,
  OP_PUSH64_R,
  OP_SAR32_I,
  OP_SCAN,
  OP_SETCC,
  OP_SHIFT,
  OP_SHL32_I,
  OP_SHR32_I,
  OP_STACK,
  OP_STORE8,
  OP_STORE8_I,
  OP_STORE16,
  OP_STORE16_I,
  OP_STORE32,
  OP_STORE32_B,
  OP_STORE32_I,
  OP_STORE64,
  OP_STORE64_B,
  OP_STORE64_I,
  OP_STRING,
  OP_SX8_32_R,
  OP_SX8_64_R,
  OP_SX16_32_R,
  OP_SX16_64_R,
  OP_SX32_64_R,
  OP_TEST8_RI,
  OP_TEST8_RR,
  OP_UNARY,
  OP_ZX8_R,
  OP_ZX16_R,
} from "./ops";
import { FORM_IMM, FORM_MEM, FORM_REVERSE, FORM_SUB_SHIFT, Rec } from "./record";

/** Byte offset in the register file. */
const RSP: u32 = 32;

export class Emit {
  static instruction(d: Decoder, entry: u32): void {
    switch (<i32>(entry & 0xff)) {
      case <i32>K_ALU:
        Emit.alu(d);
        break;
      case <i32>K_PUSH_SEG:
        Emit.pushSegment(d);
        break;
      case <i32>K_POP_SEG:
        EmitSystem.popSegment(d);
        break;
      case <i32>K_INC_DEC:
        Emit.unary(d, d.opcode & 8 ? SUB_DEC : SUB_INC, d.rm);
        break;
      case <i32>K_PUSH:
        Emit.push(d);
        break;
      case <i32>K_POP:
        Emit.pop(d, d.rm);
        break;
      case <i32>K_MOVSXD:
        Emit.movsxd(d);
        break;
      case <i32>K_PUSH_IMM:
        Emit.pushImmediate(d);
        break;
      case <i32>K_IMUL:
        Emit.imul(d);
        break;
      case <i32>K_JCC:
        EmitJump.conditional(d);
        break;
      case <i32>K_GROUP1:
        Emit.aluImmediate(d, <i32>d.extension, d.rm);
        break;
      case <i32>K_TEST:
        Emit.aluRm(d, SUB_TEST);
        break;
      case <i32>K_XCHG:
        d.isLockable = d.isMemory;
        Emit.rmReg(d, OP_ATOMIC, SUB_XCHG);
        break;
      case <i32>K_MOV:
        if (d.opcode & 2) Emit.load(d);
        else Emit.store(d);
        break;
      case <i32>K_LEA:
        Emit.lea(d);
        break;
      case <i32>K_POP_RM:
        if (d.extension != 0) d.invalid();
        else if (d.isMemory == 0) Emit.pop(d, d.rm);
        else Emit.popMemory(d);
        break;
      case <i32>K_XCHG_A:
        Emit.exchangeAccumulator(d);
        break;
      case <i32>K_CBW:
        Emit.put(d, OP_SCAN, SUB_CBW);
        break;
      case <i32>K_CWD:
        Emit.put(d, OP_SCAN, SUB_CWD);
        break;
      case <i32>K_MOFFS:
        Emit.moffs(d);
        break;
      case <i32>K_STRING:
        Emit.string(d);
        break;
      case <i32>K_TEST_A:
        Emit.aluImmediate(d, SUB_TEST, 0);
        break;
      case <i32>K_MOV_IMM:
        Emit.moveImmediate(d);
        break;
      case <i32>K_SHIFT:
        Emit.shift(d);
        break;
      case <i32>K_RET:
        EmitJump.ret(d);
        break;
      case <i32>K_MOV_RM_IMM:
        if (d.extension != 0) d.invalid();
        else Emit.storeImmediate(d);
        break;
      case <i32>K_ENTER:
        Emit.put(d, OP_STACK, SUB_ENTER);
        break;
      case <i32>K_LEAVE:
        Emit.put(d, OP_STACK, SUB_LEAVE);
        break;
      case <i32>K_LOOP:
        EmitJump.loop(d);
        break;
      case <i32>K_CALL:
        EmitJump.call(d);
        break;
      case <i32>K_JMP:
        EmitJump.jump(d);
        break;
      case <i32>K_FLAG:
        Emit.flag(d);
        break;
      case <i32>K_GROUP3:
        Emit.group3(d);
        break;
      case <i32>K_GROUP45:
        Emit.group45(d);
        break;
      case <i32>K_DECIMAL:
        Emit.decimal(d);
        break;
      case <i32>K_PUSHA:
        Emit.put(d, OP_STACK, SUB_PUSHA);
        break;
      case <i32>K_POPA:
        Emit.put(d, OP_STACK, SUB_POPA);
        break;
      case <i32>K_NOP:
        d.isMemory = 0;
        d.put(OP_NOP);
        break;
      case <i32>K_CMOV:
        Emit.regRm(d, OP_CMOV, <i32>(d.opcode & 15));
        break;
      case <i32>K_SETCC:
        Emit.rmOnly(d, OP_SETCC, <i32>(d.opcode & 15));
        break;
      case <i32>K_BIT:
        Emit.bit(d, <i32>((d.opcode >> 3) & 3), false);
        break;
      case <i32>K_BIT_IMM:
        if (d.extension < 4) d.invalid();
        else Emit.bit(d, <i32>(d.extension & 3), true);
        break;
      case <i32>K_DOUBLE_SHIFT: {
        const r = Emit.rmReg(d, OP_DOUBLE_SHIFT, d.opcode & 8 ? SUB_SHRD : SUB_SHLD);
        if ((d.opcode & 1) == 0) r.form |= <u16>FORM_IMM;
        break;
      }
      case <i32>K_FENCE:
        Emit.fence(d);
        break;
      case <i32>K_CMPXCHG:
        d.isLockable = d.isMemory;
        Emit.rmReg(d, OP_ATOMIC, SUB_CMPXCHG);
        break;
      case <i32>K_EXTEND:
        Emit.extend(d);
        break;
      case <i32>K_POPCNT:
        if (d.rep != 0xf3) d.invalid();
        else Emit.regRm(d, OP_SCAN, SUB_POPCNT);
        break;
      case <i32>K_SCAN:
        Emit.regRm(d, OP_SCAN, d.opcode & 1 ? SUB_BSR : SUB_BSF);
        break;
      case <i32>K_XADD:
        d.isLockable = d.isMemory;
        Emit.rmReg(d, OP_ATOMIC, SUB_XADD);
        break;
      case <i32>K_MOVNTI:
        if (d.isMemory == 0 || d.has66 != 0 || d.rep != 0) d.invalid();
        else Emit.store(d);
        break;
      case <i32>K_GROUP9:
        Emit.group9(d);
        break;
      case <i32>K_BSWAP:
        Emit.put(d, OP_SCAN, SUB_BSWAP).d = Emit.reg(d, d.rm);
        break;
      default:
        EmitSystem.instruction(d);
        break;
    }
  }

  /** Byte offset of a register of the current operand size in the register file. */
  static reg(d: Decoder, n: u32): u8 {
    return Emit.regOf(d, n, d.size);
  }

  /** Without any REX prefix, byte registers 4..7 are AH CH DH BH. */
  static regOf(d: Decoder, n: u32, size: u32): u8 {
    if (size == 0 && d.rex == 0 && n >= 4 && n < 8) return <u8>(((n - 4) << 3) + 1);
    return <u8>(n << 3);
  }

  /** A family record without register operands. */
  static put(d: Decoder, op: i32, sub: i32): Rec {
    const isMemory = d.isMemory != 0;
    const r = d.put(op);
    r.form = <u16>(((<u32>sub) << FORM_SUB_SHIFT) | d.size | (isMemory ? FORM_MEM : 0));
    return r;
  }

  /** r/m is the destination, reg the source. */
  static rmReg(d: Decoder, op: i32, sub: i32): Rec {
    const r = Emit.put(d, op, sub);
    r.d = Emit.reg(d, d.rm);
    r.s = Emit.reg(d, d.reg);
    return r;
  }

  /** reg is the destination, r/m the source. */
  static regRm(d: Decoder, op: i32, sub: i32): Rec {
    const r = Emit.put(d, op, sub);
    r.form |= <u16>FORM_REVERSE;
    r.d = Emit.reg(d, d.reg);
    r.s = Emit.reg(d, d.rm);
    return r;
  }

  static rmOnly(d: Decoder, op: i32, sub: i32): Rec {
    const r = Emit.put(d, op, sub);
    r.d = Emit.reg(d, d.rm);
    r.s = r.d;
    return r;
  }

  // --- arithmetic ---

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

  private static alu(d: Decoder): void {
    const sub = <i32>((d.opcode >> 3) & 7);
    const form = d.opcode & 7;
    if (form >= 4) Emit.aluImmediate(d, sub, 0);
    else if (form >= 2) Emit.aluReg(d, sub);
    else Emit.aluRm(d, sub);
  }

  /** r/m, reg. */
  private static aluRm(d: Decoder, sub: i32): void {
    const hot = Emit.hot(sub);
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
    const hot = Emit.hot(sub);
    if (d.size >= 2 && hot >= 0) {
      const form = d.isMemory != 0 ? ALU_RM32 : ALU_RR32;
      Emit.pair(d, OP_ADD32_RR + hot * ALU_FORMS + form + <i32>(d.size - 2), d.reg, d.rm);
    } else if (d.size == 0 && sub == SUB_CMP) Emit.pair(d, d.isMemory != 0 ? OP_CMP8_RM : OP_CMP8_RR, d.reg, d.rm);
    else Emit.regRm(d, OP_ALU, sub);
  }

  /** r/m (or register `n`), immediate. */
  private static aluImmediate(d: Decoder, sub: i32, n: u32): void {
    const hot = Emit.hot(sub);
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

  /** A specialised record with destination and source register. */
  static pair(d: Decoder, op: i32, to: u32, from: u32): Rec {
    const r = d.put(op);
    r.d = Emit.reg(d, to);
    r.s = Emit.reg(d, from);
    return r;
  }

  private static unary(d: Decoder, sub: i32, n: u32): void {
    d.isLockable = d.isMemory;
    if (d.isMemory == 0 && d.size >= 2 && sub >= SUB_INC) {
      Emit.pair(d, (sub == SUB_INC ? OP_INC32 : OP_DEC32) + <i32>(d.size - 2), n, n);
      return;
    }
    Emit.put(d, OP_UNARY, sub).d = Emit.reg(d, n);
  }

  private static group3(d: Decoder): void {
    const sub = <i32>d.extension;
    if (sub < 2) {
      // 1 is an alias of 0.
      Emit.aluImmediate(d, SUB_TEST, d.rm);
    } else if (sub == 2) Emit.unary(d, SUB_NOT, d.rm);
    else if (sub == 3) Emit.unary(d, SUB_NEG, d.rm);
    else Emit.rmOnly(d, OP_MUL_DIV, sub);
  }

  private static group45(d: Decoder): void {
    const sub = d.extension;
    if (sub == 0) Emit.unary(d, SUB_INC, d.rm);
    else if (sub == 1) Emit.unary(d, SUB_DEC, d.rm);
    else if (d.size == 0 || sub == 7) d.invalid();
    else if (sub == 6) {
      if (d.is64 && d.size == 2) d.size = 3;
      if (d.isMemory == 0) Emit.push(d);
      else Emit.rmOnly(d, OP_STACK, SUB_PUSH);
    } else EmitJump.indirect(d, sub);
  }

  private static imul(d: Decoder): void {
    if (d.opcode != 0x1af) {
      const r = Emit.regRm(d, OP_MUL_DIV, SUB_IMUL_RR);
      r.form |= <u16>FORM_IMM;
    } else if (d.isMemory == 0 && d.size >= 2) Emit.pair(d, d.size == 3 ? OP_IMUL64_RR : OP_IMUL32_RR, d.reg, d.rm);
    else Emit.regRm(d, OP_MUL_DIV, SUB_IMUL_RR);
  }

  private static shift(d: Decoder): void {
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

  private static bit(d: Decoder, sub: i32, isImmediate: bool): void {
    if (sub != 0) d.isLockable = d.isMemory;
    const codeAddressSize: u32 = d.codeSize == 64 ? 3 : d.codeSize == 32 ? 2 : 1;
    const isNarrow = d.isMemory != 0 && d.addressSize < codeAddressSize;
    const r = Emit.rmReg(d, OP_BIT, sub);
    if (isImmediate) r.form |= <u16>FORM_IMM;
    // Bits of an address that is narrower than the code's; 0 = none to cut.
    r.link = isNarrow ? (<u32>8) << d.addressSize : 0;
  }

  private static group9(d: Decoder): void {
    if (d.extension != 1 || d.isMemory == 0) {
      d.invalid();
      return;
    }
    d.isLockable = 1;
    if (d.size < 2) d.size = 2;
    Emit.put(d, OP_ATOMIC, SUB_CMPXCHG_PAIR);
  }

  // --- moves ---

  private static load(d: Decoder): void {
    if (d.isMemory == 0) {
      Emit.moveRegister(d, d.reg, d.rm);
      return;
    }
    if (d.size == 1) {
      Emit.regRm(d, OP_MOVE, 0);
      return;
    }
    if (d.size == 0) Emit.pair(d, OP_LOAD8, d.reg, 0);
    else {
      const r = Emit.pair(d, d.size == 3 ? OP_LOAD64 : OP_LOAD32, d.reg, 0);
      if (Emit.isBaseOnly(r)) r.op = <u16>(d.size == 3 ? OP_LOAD64_B : OP_LOAD32_B);
    }
  }

  private static store(d: Decoder): void {
    if (d.isMemory == 0) {
      Emit.moveRegister(d, d.rm, d.reg);
      return;
    }
    if (d.size < 2) Emit.pair(d, d.size == 0 ? OP_STORE8 : OP_STORE16, 0, d.reg);
    else {
      const r = Emit.pair(d, d.size == 3 ? OP_STORE64 : OP_STORE32, 0, d.reg);
      if (Emit.isBaseOnly(r)) r.op = <u16>(d.size == 3 ? OP_STORE64_B : OP_STORE32_B);
    }
  }

  /** The address is base + displacement, with no index and no segment base. */
  private static isBaseOnly(r: Rec): bool {
    return r.index == <u8>CPU_ZERO_REG && r.segBase == <u16>CPU_ZERO_REG;
  }

  private static moveRegister(d: Decoder, to: u32, from: u32): void {
    if (d.size == 3) Emit.pair(d, OP_MOV64_RR, to, from);
    else if (d.size == 2) Emit.pair(d, OP_MOV32_RR, to, from);
    else {
      const r = Emit.put(d, OP_MOVE, 0);
      r.d = Emit.reg(d, to);
      r.s = Emit.reg(d, from);
    }
  }

  private static storeImmediate(d: Decoder): void {
    if (d.isMemory == 0) Emit.moveImmediate(d);
    else d.put(d.size == 0 ? OP_STORE8_I : d.size == 1 ? OP_STORE16_I : d.size == 2 ? OP_STORE32_I : OP_STORE64_I);
  }

  private static moveImmediate(d: Decoder): void {
    if (d.size == 2) d.immediate &= 0xffff_ffff;
    if (d.size >= 2) {
      d.put(OP_MOV_RI).d = Emit.reg(d, d.rm);
      return;
    }
    const r = Emit.put(d, OP_MOVE, 0);
    r.d = Emit.reg(d, d.rm);
    r.form |= <u16>FORM_IMM;
  }

  /** MOV between the accumulator and an absolute address as long as the address size. */
  private static moffs(d: Decoder): void {
    d.absoluteAddress();
    d.reg = 0;
    if (d.opcode & 2) Emit.store(d);
    else Emit.load(d);
  }

  private static lea(d: Decoder): void {
    if (d.isMemory == 0) {
      d.invalid();
      return;
    }
    const op = d.size == 3 ? OP_LEA64 : d.size == 2 ? OP_LEA32 : OP_LEA_SHORT;
    d.put(op).d = Emit.reg(d, d.reg);
  }

  private static exchangeAccumulator(d: Decoder): void {
    if (d.rm == 0) {
      // 90 is NOP and, with F3, PAUSE; XCHG EAX,EAX would have cleared the upper half.
      d.put(OP_NOP);
      return;
    }
    const r = Emit.put(d, OP_ATOMIC, SUB_XCHG);
    r.d = Emit.reg(d, d.rm);
    r.s = Emit.reg(d, 0);
  }

  /** 63: MOVSXD in 64-bit mode, ARPL elsewhere. */
  private static movsxd(d: Decoder): void {
    if (!d.is64) {
      d.size = 1;
      Emit.rmReg(d, OP_SCAN, SUB_ARPL);
      return;
    }
    if (d.size == 3) Emit.extended(d, OP_SX32_64_R, 2);
    else if (d.isMemory == 0) Emit.moveRegister(d, d.reg, d.rm);
    else Emit.load(d);
  }

  /** MOVZX and MOVSX. */
  private static extend(d: Decoder): void {
    const from: u32 = d.opcode & 1;
    const isSigned = d.opcode >= 0x1be;
    if (d.size == 1) {
      const r = Emit.put(d, OP_EXTEND, <i32>((isSigned ? SUB_SIGN : 0) | (from != 0 ? SUB_FROM16 : 0)));
      r.d = Emit.reg(d, d.reg);
      r.s = Emit.regOf(d, d.rm, from);
      return;
    }
    let op = from != 0 ? OP_ZX16_R : OP_ZX8_R;
    if (isSigned) {
      if (d.size == 3) op = from != 0 ? OP_SX16_64_R : OP_SX8_64_R;
      else op = from != 0 ? OP_SX16_32_R : OP_SX8_32_R;
    }
    Emit.extended(d, op, from);
  }

  /** `op` with a register source; its form with memory is the next number. */
  private static extended(d: Decoder, op: i32, from: u32): void {
    const r = d.put(d.isMemory != 0 ? op + 1 : op);
    r.d = Emit.reg(d, d.reg);
    r.s = Emit.regOf(d, d.rm, from);
  }

  // --- stack ---

  private static push(d: Decoder): void {
    if (d.size == 3) Emit.pair(d, OP_PUSH64_R, 0, d.rm);
    else if (d.size == 2 && d.isWideStack != 0) Emit.pair(d, OP_PUSH32_R, 0, d.rm);
    else Emit.put(d, OP_STACK, SUB_PUSH).s = Emit.reg(d, d.rm);
  }

  private static pushImmediate(d: Decoder): void {
    if (d.size == 3) d.put(OP_PUSH64_I);
    else if (d.size == 2 && d.isWideStack != 0) d.put(OP_PUSH32_I);
    else {
      // A variable: the compiler evaluates the object of a compound assignment twice.
      const r = Emit.put(d, OP_STACK, SUB_PUSH);
      r.form |= <u16>FORM_IMM;
    }
  }

  private static pop(d: Decoder, n: u32): void {
    if (d.size == 3) Emit.pair(d, OP_POP64_R, n, 0);
    else if (d.size == 2 && d.isWideStack != 0) Emit.pair(d, OP_POP32_R, n, 0);
    else Emit.put(d, OP_STACK, SUB_POP).d = Emit.reg(d, n);
  }

  /** The address counts from RSP after the increment; an address record in front (67 prefix) sees RSP before it. */
  private static popMemory(d: Decoder): void {
    if (d.is64 && d.addressSize == 2 && d.base == RSP) d.displacement += 1 << d.size;
    Emit.put(d, OP_STACK, SUB_POP);
  }

  private static pushSegment(d: Decoder): void {
    Emit.put(d, OP_STACK, SUB_PUSH_SEG).d = <u8>((d.opcode >> 3) & 7);
  }

  // --- the rest ---

  private static string(d: Decoder): void {
    const group = (d.opcode >> 1) & 7;
    const sub =
      group == 2 ? SUB_MOVS : group == 3 ? SUB_CMPS : group == 5 ? SUB_STOS : group == 6 ? SUB_LODS : SUB_SCAS;
    const addressSize = d.addressSize;
    d.sourceSegment();
    const r = Emit.put(d, OP_STRING, sub);
    r.form &= ~(<u16>FORM_MEM);
    r.d = <u8>addressSize;
    r.imm = d.rep == 0 ? REP_NONE : d.rep == 0xf3 ? REP_WHILE_EQUAL : REP_WHILE_NOT_EQUAL;
  }

  private static flag(d: Decoder): void {
    let sub: i32;
    switch (d.opcode) {
      case 0xf5:
        sub = SUB_CMC;
        break;
      case 0xf8:
        sub = SUB_CLC;
        break;
      case 0xf9:
        sub = SUB_STC;
        break;
      case 0xfc:
        sub = SUB_CLD;
        break;
      case 0xfd:
        sub = SUB_STD;
        break;
      case 0x9e:
        sub = SUB_SAHF;
        break;
      default:
        sub = SUB_LAHF;
        break;
    }
    Emit.put(d, OP_FLAG, sub);
  }

  private static decimal(d: Decoder): void {
    let sub: i32;
    const addressSize = d.addressSize;
    switch (d.opcode) {
      case 0x27:
        sub = SUB_DAA;
        break;
      case 0x2f:
        sub = SUB_DAS;
        break;
      case 0x37:
        sub = SUB_AAA;
        break;
      case 0x3f:
        sub = SUB_AAS;
        break;
      case 0xd4:
        sub = SUB_AAM;
        break;
      case 0xd5:
        sub = SUB_AAD;
        break;
      case 0xd6:
        sub = SUB_SALC;
        break;
      default:
        sub = SUB_XLAT;
        d.sourceSegment();
        break;
    }
    const r = Emit.put(d, OP_DECIMAL, sub);
    if (sub == SUB_XLAT) r.imm = 0xffff_ffff_ffff_ffff >> (64 - (8 << addressSize));
  }

  /** LFENCE, MFENCE, SFENCE order nothing here; the other members of group 15 are not offered. */
  private static fence(d: Decoder): void {
    if (d.isMemory == 0 && d.extension >= 5 && d.rep == 0) d.put(OP_NOP);
    else d.invalid();
  }
}
