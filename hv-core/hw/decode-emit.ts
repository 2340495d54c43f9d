/**
 * Chooses the operation for a decoded instruction: a specialised one where hw/exec.ts has it, else the family's.
 * Here: the choice by kind, what all emitters share, and the small families. Then hw/decode-alu.ts, hw/decode-move.ts, hw/decode-jump.ts,
 * hw/decode-system.ts.
 */
import { Decoder } from "./decode";
import { EmitAlu } from "./decode-alu";
import { EmitJump } from "./decode-jump";
import { EmitMove } from "./decode-move";
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
import { SUB_DEC, SUB_INC, SUB_TEST } from "./exec-alu";
import { SUB_BSF, SUB_BSR, SUB_BSWAP, SUB_CBW, SUB_CWD, SUB_POPCNT } from "./exec-bit";
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
import { SUB_CMPXCHG, SUB_XADD, SUB_XCHG } from "./exec-move";
import { SUB_SHLD, SUB_SHRD } from "./exec-shift";
import { SUB_ENTER, SUB_LEAVE, SUB_POPA, SUB_PUSHA } from "./exec-stack";
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
  OP_ATOMIC,
  OP_CMOV,
  OP_DECIMAL,
  OP_DOUBLE_SHIFT,
  OP_FLAG,
  OP_NOP,
  OP_SCAN,
  OP_SETCC,
  OP_STACK,
  OP_STRING,
} from "./ops";
import { FORM_IMM, FORM_MEM, FORM_REVERSE, FORM_SUB_SHIFT, Rec } from "./record";

export class Emit {
  static instruction(d: Decoder, entry: u32): void {
    switch (<i32>(entry & 0xff)) {
      case <i32>K_ALU:
        EmitAlu.alu(d);
        break;
      case <i32>K_PUSH_SEG:
        EmitMove.pushSegment(d);
        break;
      case <i32>K_POP_SEG:
        EmitSystem.popSegment(d);
        break;
      case <i32>K_INC_DEC:
        EmitAlu.unary(d, d.opcode & 8 ? SUB_DEC : SUB_INC, d.rm);
        break;
      case <i32>K_PUSH:
        EmitMove.push(d);
        break;
      case <i32>K_POP:
        EmitMove.pop(d, d.rm);
        break;
      case <i32>K_MOVSXD:
        EmitMove.movsxd(d);
        break;
      case <i32>K_PUSH_IMM:
        EmitMove.pushImmediate(d);
        break;
      case <i32>K_IMUL:
        EmitAlu.imul(d);
        break;
      case <i32>K_JCC:
        EmitJump.conditional(d);
        break;
      case <i32>K_GROUP1:
        EmitAlu.aluImmediate(d, <i32>d.extension, d.rm);
        break;
      case <i32>K_TEST:
        EmitAlu.aluRm(d, SUB_TEST);
        break;
      case <i32>K_XCHG:
        d.isLockable = d.isMemory;
        Emit.rmReg(d, OP_ATOMIC, SUB_XCHG);
        break;
      case <i32>K_MOV:
        if (d.opcode & 2) EmitMove.load(d);
        else EmitMove.store(d);
        break;
      case <i32>K_LEA:
        EmitMove.lea(d);
        break;
      case <i32>K_POP_RM:
        if (d.extension != 0) d.invalid();
        else if (d.isMemory == 0) EmitMove.pop(d, d.rm);
        else EmitMove.popMemory(d);
        break;
      case <i32>K_XCHG_A:
        EmitMove.exchangeAccumulator(d);
        break;
      case <i32>K_CBW:
        Emit.put(d, OP_SCAN, SUB_CBW);
        break;
      case <i32>K_CWD:
        Emit.put(d, OP_SCAN, SUB_CWD);
        break;
      case <i32>K_MOFFS:
        EmitMove.moffs(d);
        break;
      case <i32>K_STRING:
        Emit.string(d);
        break;
      case <i32>K_TEST_A:
        EmitAlu.aluImmediate(d, SUB_TEST, 0);
        break;
      case <i32>K_MOV_IMM:
        EmitMove.moveImmediate(d);
        break;
      case <i32>K_SHIFT:
        EmitAlu.shift(d);
        break;
      case <i32>K_RET:
        EmitJump.ret(d);
        break;
      case <i32>K_MOV_RM_IMM:
        if (d.extension != 0) d.invalid();
        else EmitMove.storeImmediate(d);
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
        EmitAlu.group3(d);
        break;
      case <i32>K_GROUP45:
        EmitAlu.group45(d);
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
        EmitAlu.bit(d, <i32>((d.opcode >> 3) & 3), false);
        break;
      case <i32>K_BIT_IMM:
        if (d.extension < 4) d.invalid();
        else EmitAlu.bit(d, <i32>(d.extension & 3), true);
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
        EmitMove.extend(d);
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
        else EmitMove.store(d);
        break;
      case <i32>K_GROUP9:
        EmitAlu.group9(d);
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

  /** A specialised record with destination and source register. */
  static pair(d: Decoder, op: i32, to: u32, from: u32): Rec {
    const r = d.put(op);
    r.d = Emit.reg(d, to);
    r.s = Emit.reg(d, from);
    return r;
  }

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

  /**
   * LFENCE, MFENCE, SFENCE order nothing here, and CLFLUSH has no cache to flush (its address is not looked at); the other members
   * of group 15 are not offered.
   */
  private static fence(d: Decoder): void {
    const isFence = d.isMemory == 0 && d.extension >= 5;
    if ((isFence || (d.isMemory != 0 && d.extension == 7)) && d.rep == 0) d.put(OP_NOP);
    else d.invalid();
  }
}
