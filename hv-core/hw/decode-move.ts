/**
 * Records of moves: MOV in all forms, MOVZX, MOVSX, LEA, XCHG with the accumulator, PUSH and POP. Before: hw/decode-emit.ts.
 */
import { CPU_ZERO_REG } from "../abi/cpu";
import { Decoder } from "./decode";
import { Emit } from "./decode-emit";
import { SUB_ARPL } from "./exec-bit";
import { SUB_FROM16, SUB_SIGN, SUB_XCHG } from "./exec-move";
import { SUB_POP, SUB_PUSH, SUB_PUSH_SEG } from "./exec-stack";
import {
  OP_ATOMIC,
  OP_EXTEND,
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
  OP_NOP,
  OP_POP32_R,
  OP_POP64_R,
  OP_PUSH32_I,
  OP_PUSH32_R,
  OP_PUSH64_I,
  OP_PUSH64_R,
  OP_SCAN,
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
  OP_SX8_32_R,
  OP_SX8_64_R,
  OP_SX16_32_R,
  OP_SX16_64_R,
  OP_SX32_64_R,
  OP_ZX8_R,
  OP_ZX16_R,
} from "./ops";
import { FORM_IMM, Rec } from "./record";

/** Byte offset in the register file. */
const RSP: u32 = 32;

export class EmitMove {
  static load(d: Decoder): void {
    if (d.isMemory == 0) {
      EmitMove.moveRegister(d, d.reg, d.rm);
      return;
    }
    if (d.size == 1) {
      Emit.regRm(d, OP_MOVE, 0);
      return;
    }
    if (d.size == 0) Emit.pair(d, OP_LOAD8, d.reg, 0);
    else {
      const r = Emit.pair(d, d.size == 3 ? OP_LOAD64 : OP_LOAD32, d.reg, 0);
      if (EmitMove.isBaseOnly(r)) r.op = <u16>(d.size == 3 ? OP_LOAD64_B : OP_LOAD32_B);
    }
  }

  static store(d: Decoder): void {
    if (d.isMemory == 0) {
      EmitMove.moveRegister(d, d.rm, d.reg);
      return;
    }
    if (d.size < 2) Emit.pair(d, d.size == 0 ? OP_STORE8 : OP_STORE16, 0, d.reg);
    else {
      const r = Emit.pair(d, d.size == 3 ? OP_STORE64 : OP_STORE32, 0, d.reg);
      if (EmitMove.isBaseOnly(r)) r.op = <u16>(d.size == 3 ? OP_STORE64_B : OP_STORE32_B);
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

  static storeImmediate(d: Decoder): void {
    if (d.isMemory == 0) EmitMove.moveImmediate(d);
    else d.put(d.size == 0 ? OP_STORE8_I : d.size == 1 ? OP_STORE16_I : d.size == 2 ? OP_STORE32_I : OP_STORE64_I);
  }

  static moveImmediate(d: Decoder): void {
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
  static moffs(d: Decoder): void {
    d.absoluteAddress();
    d.reg = 0;
    if (d.opcode & 2) EmitMove.store(d);
    else EmitMove.load(d);
  }

  static lea(d: Decoder): void {
    if (d.isMemory == 0) {
      d.invalid();
      return;
    }
    const op = d.size == 3 ? OP_LEA64 : d.size == 2 ? OP_LEA32 : OP_LEA_SHORT;
    d.put(op).d = Emit.reg(d, d.reg);
  }

  static exchangeAccumulator(d: Decoder): void {
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
  static movsxd(d: Decoder): void {
    if (!d.is64) {
      d.size = 1;
      Emit.rmReg(d, OP_SCAN, SUB_ARPL);
      return;
    }
    if (d.size == 3) EmitMove.extended(d, OP_SX32_64_R, 2);
    else if (d.isMemory == 0) EmitMove.moveRegister(d, d.reg, d.rm);
    else EmitMove.load(d);
  }

  /** MOVZX and MOVSX. */
  static extend(d: Decoder): void {
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
    EmitMove.extended(d, op, from);
  }

  /** `op` with a register source; its form with memory is the next number. */
  private static extended(d: Decoder, op: i32, from: u32): void {
    const r = d.put(d.isMemory != 0 ? op + 1 : op);
    r.d = Emit.reg(d, d.reg);
    r.s = Emit.regOf(d, d.rm, from);
  }

  static push(d: Decoder): void {
    if (d.size == 3) Emit.pair(d, OP_PUSH64_R, 0, d.rm);
    else if (d.size == 2 && d.isWideStack != 0) Emit.pair(d, OP_PUSH32_R, 0, d.rm);
    else Emit.put(d, OP_STACK, SUB_PUSH).s = Emit.reg(d, d.rm);
  }

  static pushImmediate(d: Decoder): void {
    if (d.size == 3) d.put(OP_PUSH64_I);
    else if (d.size == 2 && d.isWideStack != 0) d.put(OP_PUSH32_I);
    else {
      // A variable: the compiler evaluates the object of a compound assignment twice.
      const r = Emit.put(d, OP_STACK, SUB_PUSH);
      r.form |= <u16>FORM_IMM;
    }
  }

  static pop(d: Decoder, n: u32): void {
    if (d.size == 3) Emit.pair(d, OP_POP64_R, n, 0);
    else if (d.size == 2 && d.isWideStack != 0) Emit.pair(d, OP_POP32_R, n, 0);
    else Emit.put(d, OP_STACK, SUB_POP).d = Emit.reg(d, n);
  }

  /** The address counts from RSP after the increment; an address record in front (67 prefix) sees RSP before it. */
  static popMemory(d: Decoder): void {
    if (d.is64 && d.addressSize == 2 && d.base == RSP) d.displacement += 1 << d.size;
    Emit.put(d, OP_STACK, SUB_POP);
  }

  static pushSegment(d: Decoder): void {
    Emit.put(d, OP_STACK, SUB_PUSH_SEG).d = <u8>((d.opcode >> 3) & 7);
  }
}
