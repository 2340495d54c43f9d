/**
 * The opcode maps: what follows each opcode (ModRM, immediate) and which emitter of hw/decode-emit.ts turns it into a record.
 * One word for each opcode: 7:0 kind, 11:8 immediate, then the bits below. Unlisted = K_UD.
 */

/** A ModRM byte follows. */
export const M: u32 = 0x1000;
/** Operands have 8 bits. */
export const B: u32 = 0x2000;
/** #UD in 64-bit mode. */
export const X: u32 = 0x4000;
/** The operand size is 64 in 64-bit mode without a REX prefix (stack and near branches). */
export const D: u32 = 0x8000;

// Immediates, sign-extended unless said otherwise.
export const IMM_SHIFT: u32 = 8;
export const IMM_NONE: u32 = 0;
/** 8 bits. */
export const Ib: u32 = 0x100;
/** 16 or 32 bits by operand size. */
export const Iz: u32 = 0x200;
/** 16 bits, zero-extended. */
export const Iw: u32 = 0x300;
/** 16, 32 or 64 bits by operand size. */
export const Iv: u32 = 0x400;
/** An offset of the address size, zero-extended. */
export const Io: u32 = 0x500;
/** Far pointer: 16 or 32 bits of offset, then 16 bits of selector in bits 47:32. */
export const Ip: u32 = 0x600;
/** 16 bits and, in bits 23:16, 8 bits (ENTER). */
export const Ie: u32 = 0x700;

export const K_UD: u32 = 0;
export const K_ALU: u32 = 1;
export const K_PUSH_SEG: u32 = 2;
export const K_POP_SEG: u32 = 3;
export const K_INC_DEC: u32 = 4;
export const K_PUSH: u32 = 5;
export const K_POP: u32 = 6;
export const K_MOVSXD: u32 = 7;
export const K_PUSH_IMM: u32 = 8;
export const K_IMUL: u32 = 9;
export const K_JCC: u32 = 10;
export const K_GROUP1: u32 = 11;
export const K_TEST: u32 = 12;
export const K_XCHG: u32 = 13;
export const K_MOV: u32 = 14;
export const K_LEA: u32 = 15;
export const K_POP_RM: u32 = 16;
export const K_XCHG_A: u32 = 17;
export const K_CBW: u32 = 18;
export const K_CWD: u32 = 19;
export const K_MOFFS: u32 = 20;
export const K_STRING: u32 = 21;
export const K_TEST_A: u32 = 22;
export const K_MOV_IMM: u32 = 23;
export const K_SHIFT: u32 = 24;
export const K_RET: u32 = 25;
export const K_MOV_RM_IMM: u32 = 26;
export const K_ENTER: u32 = 27;
export const K_LEAVE: u32 = 28;
export const K_LOOP: u32 = 29;
export const K_CALL: u32 = 30;
export const K_JMP: u32 = 31;
export const K_FLAG: u32 = 32;
export const K_GROUP3: u32 = 33;
export const K_GROUP45: u32 = 34;
export const K_DECIMAL: u32 = 35;
export const K_PUSHA: u32 = 36;
export const K_POPA: u32 = 37;
export const K_NOP: u32 = 38;
export const K_CMOV: u32 = 39;
export const K_SETCC: u32 = 40;
export const K_BIT: u32 = 41;
export const K_BIT_IMM: u32 = 42;
export const K_DOUBLE_SHIFT: u32 = 43;
export const K_FENCE: u32 = 44;
export const K_CMPXCHG: u32 = 45;
export const K_EXTEND: u32 = 46;
export const K_POPCNT: u32 = 47;
export const K_SCAN: u32 = 48;
export const K_XADD: u32 = 49;
export const K_MOVNTI: u32 = 50;
export const K_GROUP9: u32 = 51;
export const K_BSWAP: u32 = 52;
/** Everything that touches the system: hw/decode-system.ts. */
export const K_SYSTEM: u32 = 53;

const ALU_B: u32 = K_ALU | M | B;
const ALU_V: u32 = K_ALU | M;
const ALU_AB: u32 = K_ALU | B | Ib;
const ALU_AV: u32 = K_ALU | Iz;
const PUSHS: u32 = K_PUSH_SEG | X;
const POPS: u32 = K_POP_SEG | X;
const BCD: u32 = K_DECIMAL | X;
const INC: u32 = K_INC_DEC;
const PUSH: u32 = K_PUSH | D;
const POP: u32 = K_POP | D;
const JCC: u32 = K_JCC | Ib | D;
const JCCZ: u32 = K_JCC | Iz | D;
const SYS: u32 = K_SYSTEM;
const SYSM: u32 = K_SYSTEM | M;
const STR_B: u32 = K_STRING | B;
const STR_V: u32 = K_STRING;
const MOVIB: u32 = K_MOV_IMM | B | Ib;
const MOVIV: u32 = K_MOV_IMM | Iv;
const NOPM: u32 = K_NOP | M;
const LOOPB: u32 = K_LOOP | Ib | D;
const CMOV: u32 = K_CMOV | M;
const SETCC: u32 = K_SETCC | M | B;
const BSWAP: u32 = K_BSWAP;

// biome-ignore format: sixteen columns are the opcode map of the manual
const ONE_BYTE: usize = memory.data<u32>([
  ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, PUSHS, POPS, ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, PUSHS, K_UD, // 00
  ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, PUSHS, POPS, ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, PUSHS, POPS, // 10
  ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, K_UD, BCD, ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, K_UD, BCD, // 20
  ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, K_UD, BCD, ALU_B, ALU_V, ALU_B, ALU_V, ALU_AB, ALU_AV, K_UD, BCD, // 30
  INC, INC, INC, INC, INC, INC, INC, INC, INC, INC, INC, INC, INC, INC, INC, INC, // 40
  PUSH, PUSH, PUSH, PUSH, PUSH, PUSH, PUSH, PUSH, POP, POP, POP, POP, POP, POP, POP, POP, // 50
  K_PUSHA | X, K_POPA | X, K_UD, K_MOVSXD | M, K_UD, K_UD, K_UD, K_UD, // 60
  K_PUSH_IMM | Iz | D, K_IMUL | M | Iz, K_PUSH_IMM | Ib | D, K_IMUL | M | Ib, SYS | B, SYS, SYS | B, SYS, // 68
  JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, JCC, // 70
  K_GROUP1 | M | B | Ib, K_GROUP1 | M | Iz, K_GROUP1 | M | B | X | Ib, K_GROUP1 | M | Ib, // 80
  K_TEST | M | B, K_TEST | M, K_XCHG | M | B, K_XCHG | M, // 84
  K_MOV | M | B, K_MOV | M, K_MOV | M | B, K_MOV | M, SYSM, K_LEA | M, SYSM, K_POP_RM | M | D, // 88
  K_XCHG_A, K_XCHG_A, K_XCHG_A, K_XCHG_A, K_XCHG_A, K_XCHG_A, K_XCHG_A, K_XCHG_A, // 90
  K_CBW, K_CWD, SYS | X | Ip, SYS, SYS | D, SYS | D, K_FLAG, K_FLAG, // 98
  K_MOFFS | B | Io, K_MOFFS | Io, K_MOFFS | B | Io, K_MOFFS | Io, STR_B, STR_V, STR_B, STR_V, // A0
  K_TEST_A | B | Ib, K_TEST_A | Iz, STR_B, STR_V, STR_B, STR_V, STR_B, STR_V, // A8
  MOVIB, MOVIB, MOVIB, MOVIB, MOVIB, MOVIB, MOVIB, MOVIB, MOVIV, MOVIV, MOVIV, MOVIV, MOVIV, MOVIV, MOVIV, MOVIV, // B0
  K_SHIFT | M | B | Ib, K_SHIFT | M | Ib, K_RET | D | Iw, K_RET | D, K_UD, K_UD, K_MOV_RM_IMM | M | B | Ib, K_MOV_RM_IMM | M | Iz, // C0
  K_ENTER | D | Ie, K_LEAVE | D, SYS | Iw, SYS, SYS, SYS | Ib, SYS | X, SYS, // C8
  K_SHIFT | M | B, K_SHIFT | M, K_SHIFT | M | B, K_SHIFT | M, BCD | Ib, BCD | Ib, BCD, K_DECIMAL, // D0
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // D8
  LOOPB, LOOPB, LOOPB, LOOPB, SYS | B | Ib, SYS | Ib, SYS | B | Ib, SYS | Ib, // E0
  K_CALL | Iz | D, K_JMP | Iz | D, SYS | X | Ip, K_JMP | Ib | D, SYS | B, SYS, SYS | B, SYS, // E8
  K_UD, SYS, K_UD, K_UD, SYS, K_FLAG, K_GROUP3 | M | B, K_GROUP3 | M, // F0
  K_FLAG, K_FLAG, SYS, SYS, K_FLAG, K_FLAG, K_GROUP45 | M | B, K_GROUP45 | M, // F8
]);

// biome-ignore format: as above
const TWO_BYTE: usize = memory.data<u32>([
  SYSM, SYSM, K_UD, K_UD, K_UD, SYS, SYS, SYS, SYS, SYS, K_UD, K_UD, K_UD, NOPM, K_UD, K_UD, // 00
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, NOPM, NOPM, NOPM, NOPM, NOPM, NOPM, NOPM, NOPM, // 10
  SYSM, SYSM, SYSM, SYSM, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // 20
  SYS, SYS, SYS, SYS, SYS, SYS, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // 30
  CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, CMOV, // 40
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // 50
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // 60
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // 70
  JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, JCCZ, // 80
  SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, SETCC, // 90
  K_PUSH_SEG | D, K_POP_SEG | D, SYS, K_BIT | M, K_DOUBLE_SHIFT | M | Ib, K_DOUBLE_SHIFT | M, K_UD, K_UD, // A0
  K_PUSH_SEG | D, K_POP_SEG | D, K_UD, K_BIT | M, K_DOUBLE_SHIFT | M | Ib, K_DOUBLE_SHIFT | M, K_FENCE | M, K_IMUL | M, // A8
  K_CMPXCHG | M | B, K_CMPXCHG | M, K_UD, K_BIT | M, K_UD, K_UD, K_EXTEND | M, K_EXTEND | M, // B0
  K_POPCNT | M, K_UD, K_BIT_IMM | M | Ib, K_BIT | M, K_SCAN | M, K_SCAN | M, K_EXTEND | M, K_EXTEND | M, // B8
  K_XADD | M | B, K_XADD | M, K_UD, K_MOVNTI | M, K_UD, K_UD, K_UD, K_GROUP9 | M, // C0
  BSWAP, BSWAP, BSWAP, BSWAP, BSWAP, BSWAP, BSWAP, BSWAP, // C8
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // D0
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // E0
  K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, K_UD, // F0
]);

export class OpcodeMap {
  @inline static oneByte(opcode: u32): u32 {
    return load<u32>(ONE_BYTE + ((<usize>opcode) << 2));
  }

  /** After 0F. */
  @inline static twoByte(opcode: u32): u32 {
    return load<u32>(TWO_BYTE + ((<usize>opcode) << 2));
  }
}
