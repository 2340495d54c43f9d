/**
 * The executor: one loop, one switch over decoded records (hw/record.ts). What is frequent is done in place, everything else by its
 * family's file. The switch must stay a br_table in the .wasm (a check counts it), so OP_* are dense.
 *
 * While a block runs, Cpu.rip is the address of the block's start, and registers stand in the processor, never in locals. Every
 * way out of here brings Cpu.rip and Cpu.runLeft up to date. Before: hw/run.ts. A jump leaves the switch; what follows it finds
 * the next block through the record's link, or through hw/code-cache.ts.
 */
import { SEG_CS, SEG_SS } from "../abi/cpu";
import { Block, RECORD_SIZE } from "../mem/block";
import { Mem } from "./access";
import { Blocks } from "./code-cache";
import { Cpu } from "./cpu";
import { FAULT_WATCH, Fault } from "./exceptions";
import { Alu } from "./exec-alu";
import { Bits } from "./exec-bit";
import { Control } from "./exec-control";
import { Decimal, FlagOps } from "./exec-flag";
import { At, Op8, Op32, Op64 } from "./exec-hot";
import { Atomic, Move } from "./exec-move";
import { MulDiv } from "./exec-muldiv";
import { Shift } from "./exec-shift";
import { StackOps } from "./exec-stack";
import { Strings } from "./exec-string";
import { SystemOps } from "./exec-system";
import { Flags } from "./flags";
import { Mode } from "./mode";
import {
  OP_ADD32_RI,
  OP_ADD32_RI_QUIET,
  OP_ADD32_RM,
  OP_ADD32_RR,
  OP_ADD32_RR_QUIET,
  OP_ADD64_RI,
  OP_ADD64_RI_QUIET,
  OP_ADD64_RM,
  OP_ADD64_RR,
  OP_ADD64_RR_QUIET,
  OP_ALU,
  OP_AND32_RI,
  OP_AND32_RI_QUIET,
  OP_AND32_RM,
  OP_AND32_RR,
  OP_AND32_RR_QUIET,
  OP_AND64_RI,
  OP_AND64_RI_QUIET,
  OP_AND64_RM,
  OP_AND64_RR,
  OP_AND64_RR_QUIET,
  OP_ATOMIC,
  OP_BIT,
  OP_CALL32,
  OP_CALL32_R,
  OP_CALL64,
  OP_CALL64_R,
  OP_CMOV,
  OP_CMP8_MI,
  OP_CMP8_RI,
  OP_CMP8_RM,
  OP_CMP8_RR,
  OP_CMP32_MI,
  OP_CMP32_MR,
  OP_CMP32_RI,
  OP_CMP32_RM,
  OP_CMP32_RR,
  OP_CMP64_MI,
  OP_CMP64_MR,
  OP_CMP64_RI,
  OP_CMP64_RM,
  OP_CMP64_RR,
  OP_CONTROL,
  OP_DEC32,
  OP_DEC64,
  OP_DECIMAL,
  OP_DOUBLE_SHIFT,
  OP_EA,
  OP_END,
  OP_EXTEND,
  OP_FLAG,
  OP_IMUL32_RR,
  OP_IMUL64_RR,
  OP_INC32,
  OP_INC64,
  OP_JA,
  OP_JAE,
  OP_JB,
  OP_JBE,
  OP_JE,
  OP_JG,
  OP_JGE,
  OP_JL,
  OP_JLE,
  OP_JMP,
  OP_JMP_R,
  OP_JNE,
  OP_JNO,
  OP_JNP,
  OP_JNS,
  OP_JO,
  OP_JP,
  OP_JS,
  OP_LEA_SHORT,
  OP_LEA32,
  OP_LEA64,
  OP_LOAD8,
  OP_LOAD32,
  OP_LOAD32_B,
  OP_LOAD64,
  OP_LOAD64_B,
  OP_LOOP,
  OP_MOV_RI,
  OP_MOV32_RR,
  OP_MOV64_RR,
  OP_MOVE,
  OP_MUL_DIV,
  OP_NOP,
  OP_OR32_RI,
  OP_OR32_RI_QUIET,
  OP_OR32_RM,
  OP_OR32_RR,
  OP_OR32_RR_QUIET,
  OP_OR64_RI,
  OP_OR64_RI_QUIET,
  OP_OR64_RM,
  OP_OR64_RR,
  OP_OR64_RR_QUIET,
  OP_POP32_R,
  OP_POP64_R,
  OP_PUSH32_I,
  OP_PUSH32_R,
  OP_PUSH64_I,
  OP_PUSH64_R,
  OP_RAISE,
  OP_RET32,
  OP_RET64,
  OP_SAR32_I,
  OP_SAR32_I_QUIET,
  OP_SAR64_I,
  OP_SAR64_I_QUIET,
  OP_SCAN,
  OP_SETCC,
  OP_SHIFT,
  OP_SHL32_I,
  OP_SHL32_I_QUIET,
  OP_SHL64_I,
  OP_SHL64_I_QUIET,
  OP_SHR32_I,
  OP_SHR32_I_QUIET,
  OP_SHR64_I,
  OP_SHR64_I_QUIET,
  OP_STACK,
  OP_STALE,
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
  OP_SUB32_RI,
  OP_SUB32_RI_QUIET,
  OP_SUB32_RM,
  OP_SUB32_RR,
  OP_SUB32_RR_QUIET,
  OP_SUB64_RI,
  OP_SUB64_RI_QUIET,
  OP_SUB64_RM,
  OP_SUB64_RR,
  OP_SUB64_RR_QUIET,
  OP_SX8_32_M,
  OP_SX8_32_R,
  OP_SX8_64_M,
  OP_SX8_64_R,
  OP_SX16_32_M,
  OP_SX16_32_R,
  OP_SX16_64_M,
  OP_SX16_64_R,
  OP_SX32_64_M,
  OP_SX32_64_R,
  OP_SYSTEM,
  OP_TEST8_RI,
  OP_TEST8_RR,
  OP_TEST32_RI,
  OP_TEST32_RM,
  OP_TEST32_RR,
  OP_TEST64_RI,
  OP_TEST64_RM,
  OP_TEST64_RR,
  OP_UNARY,
  OP_XOR32_RI,
  OP_XOR32_RI_QUIET,
  OP_XOR32_RM,
  OP_XOR32_RR,
  OP_XOR32_RR_QUIET,
  OP_XOR64_RI,
  OP_XOR64_RI_QUIET,
  OP_XOR64_RM,
  OP_XOR64_RR,
  OP_XOR64_RR_QUIET,
  OP_ZX8_M,
  OP_ZX8_R,
  OP_ZX16_M,
  OP_ZX16_R,
} from "./ops";
import { LINK_NEXT, LINK_TAKEN, Rec } from "./record";
import { RAISE_WATCH } from "./watch-code";

// How control leaves a block.
const WAY_NEXT: i32 = 0;
const WAY_TAKEN: i32 = 1;
/** `ip` is the target already. */
const WAY_INDIRECT: i32 = 2;

export class Exec {
  /**
   * Runs from the start of `block`, which is at Cpu.rip and has no more instructions than Cpu.runLeft, until something needs
   * hw/run.ts: a fault or exit, a system instruction, a block longer than what is left to run, a full code arena.
   * @returns false when c.fault is set.
   */
  static run(c: Cpu, block: u32): bool {
    const p = changetype<usize>(c);
    const wrap = Mode.addressMask(c);
    const codeBase: u64 = Mode.is64(c) ? 0 : c.seg(SEG_CS).base;
    let r = Block.firstRecord(block);
    let ip = c.rip;
    let left = <i32>c.runLeft - <i32>Block.at(block).insns;
    let slot: usize = 0;
    let way = WAY_NEXT;
    while (true) {
      switch (<i32>Rec.at(r).op) {
        case OP_STALE:
          Exec.abandon(c, ip, r, block, left);
          // Whoever jumped here must find the block that replaces this one.
          if (slot != 0 && r == Block.firstRecord(block)) store<u32>(slot, 0);
          return c.fault == 0;
        case OP_RAISE:
          Exec.abandon(c, ip, r, block, left);
          if (Rec.at(r).d == RAISE_WATCH) c.fault = FAULT_WATCH;
          else if (Rec.at(r).d != 0) Fault.raiseError(c, At.i32(r), 0);
          else Fault.raise(c, At.i32(r));
          return c.fault == 0;
        case OP_EA:
          c.scratch = (At.offset(p, r) + <u64>Rec.at(r).link) & At.i64(r);
          r += RECORD_SIZE;
          continue;
        case OP_NOP:
          r += RECORD_SIZE;
          continue;
        // --- families ---
        case OP_ALU:
          Alu.binary(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_UNARY:
          Alu.unary(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_SHIFT:
          Shift.single(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_DOUBLE_SHIFT:
          Shift.double(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_MUL_DIV:
          MulDiv.exec(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_BIT:
          Bits.test(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_SCAN:
          Bits.scan(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_MOVE:
          Move.mov(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_EXTEND:
          Move.extend(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_CMOV:
          Move.cmov(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_SETCC:
          Move.setcc(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STACK:
          StackOps.exec(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_FLAG:
          FlagOps.exec(c, Rec.at(r));
          r += RECORD_SIZE;
          continue;
        case OP_ATOMIC:
          Atomic.exec(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_DECIMAL:
          Decimal.exec(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_LEA_SHORT:
          Move.lea16(c, Rec.at(r));
          r += RECORD_SIZE;
          continue;
        case OP_STRING: {
          const isDone = Strings.exec(c, Rec.at(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          if (!isDone) {
            // A chunk is one instruction; then the rest starts afresh.
            Exec.abandon(c, ip, r, block, left);
            c.runLeft -= 1;
            return c.fault == 0;
          }
          r += RECORD_SIZE;
          continue;
        }
        case OP_SYSTEM:
          Exec.abandon(c, ip, r, block, left);
          Flags.settle(c);
          SystemOps.exec(c, Rec.at(r));
          return c.fault == 0;
        // --- jumps: leaving the switch with `way` set ---
        case OP_JO:
          way = Flags.overflow(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JNO:
          way = !Flags.overflow(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JB:
          way = Flags.carry(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JAE:
          way = !Flags.carry(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JE:
          way = Flags.zero(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JNE:
          way = !Flags.zero(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JBE:
          way = Flags.belowOrEqual(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JA:
          way = !Flags.belowOrEqual(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JS:
          way = Flags.sign(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JNS:
          way = !Flags.sign(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JP:
          way = Flags.parity(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JNP:
          way = !Flags.parity(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JL:
          way = Flags.less(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JGE:
          way = !Flags.less(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JLE:
          way = Flags.lessOrEqual(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JG:
          way = !Flags.lessOrEqual(c) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_JMP:
          way = WAY_TAKEN;
          break;
        case OP_END:
          way = WAY_NEXT;
          break;
        case OP_LOOP:
          way = Control.loop(c, Rec.at(r)) ? WAY_TAKEN : WAY_NEXT;
          break;
        case OP_CALL64:
          Exec.push64(c, ip + <u64>Rec.at(r).off + <u64>Rec.at(r).len);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          way = WAY_TAKEN;
          break;
        case OP_CALL32:
          Exec.push32(c, ip + <u64>Rec.at(r).off + <u64>Rec.at(r).len);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          way = WAY_TAKEN;
          break;
        case OP_RET64: {
          const to = Mem.read64(c, c.rsp, SEG_SS);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          if (!Mode.isCanonical(to)) {
            Exec.abandon(c, ip, r, block, left);
            Fault.gp0(c);
            return c.fault == 0;
          }
          c.rsp += 8;
          ip = to;
          way = WAY_INDIRECT;
          break;
        }
        case OP_RET32: {
          const to = Mem.read32(c, ((c.rsp & 0xffff_ffff) + c.seg(SEG_SS).base) & 0xffff_ffff, SEG_SS);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          c.rsp = (c.rsp + 4) & 0xffff_ffff;
          ip = to;
          way = WAY_INDIRECT;
          break;
        }
        case OP_JMP_R: {
          const to = At.s64(p, r) & wrap;
          if (!Control.isTarget(c, to)) {
            Exec.abandon(c, ip, r, block, left);
            return c.fault == 0;
          }
          ip = to;
          way = WAY_INDIRECT;
          break;
        }
        case OP_CALL64_R: {
          const to = At.s64(p, r);
          if (Control.isTarget(c, to)) Exec.push64(c, ip + <u64>Rec.at(r).off + <u64>Rec.at(r).len);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          ip = to;
          way = WAY_INDIRECT;
          break;
        }
        case OP_CALL32_R: {
          const to = At.s32(p, r);
          Exec.push32(c, ip + <u64>Rec.at(r).off + <u64>Rec.at(r).len);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          ip = to;
          way = WAY_INDIRECT;
          break;
        }
        case OP_CONTROL: {
          const to = Control.target(c, Rec.at(r), ip);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          ip = to;
          way = WAY_INDIRECT;
          break;
        }
        // --- stack ---
        case OP_PUSH64_R:
          Exec.push64(c, At.s64(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_PUSH64_I:
          Exec.push64(c, At.i64(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_PUSH32_R:
          Exec.push32(c, At.s64(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_PUSH32_I:
          Exec.push32(c, At.i64(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_POP64_R: {
          const value = Mem.read64(c, c.rsp, SEG_SS);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          c.rsp += 8;
          At.set64(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_POP32_R: {
          const value = Mem.read32(c, ((c.rsp & 0xffff_ffff) + c.seg(SEG_SS).base) & 0xffff_ffff, SEG_SS);
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          c.rsp = (c.rsp + 4) & 0xffff_ffff;
          At.set32(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        // --- moves ---
        case OP_MOV32_RR:
          At.set32(p, r, At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_MOV64_RR:
          At.set64(p, r, At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_MOV_RI:
          At.set64(p, r, At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_LOAD8: {
          const value = Mem.read8(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set8(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_LOAD32: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set32(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_LOAD64: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set64(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_LOAD32_B: {
          const value = Mem.read32(c, At.linBase(p, r), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set32(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_LOAD64_B: {
          const value = Mem.read64(c, At.linBase(p, r), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set64(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_STORE8:
          Mem.write8(c, At.lin(p, r, wrap), At.seg(r), At.s8(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE16:
          Mem.write16(c, At.lin(p, r, wrap), At.seg(r), At.s16(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE32:
          Mem.write32(c, At.lin(p, r, wrap), At.seg(r), At.s32(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE64:
          Mem.write64(c, At.lin(p, r, wrap), At.seg(r), At.s64(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE32_B:
          Mem.write32(c, At.linBase(p, r), At.seg(r), At.s32(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE64_B:
          Mem.write64(c, At.linBase(p, r), At.seg(r), At.s64(p, r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE8_I:
          Mem.write8(c, At.lin(p, r, wrap), At.seg(r), At.i32(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE16_I:
          Mem.write16(c, At.lin(p, r, wrap), At.seg(r), At.i32(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE32_I:
          Mem.write32(c, At.lin(p, r, wrap), At.seg(r), At.i32(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_STORE64_I:
          Mem.write64(c, At.lin(p, r, wrap), At.seg(r), At.i64(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          r += RECORD_SIZE;
          continue;
        case OP_ZX8_R:
          At.set32(p, r, At.s8(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_ZX8_M: {
          const value = Mem.read8(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set32(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_ZX16_R:
          At.set32(p, r, At.s16(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_ZX16_M: {
          const value = Mem.read16(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set32(p, r, value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_SX8_32_R:
          At.set32(p, r, <u32>(<i32>(<i8>At.s8(p, r))));
          r += RECORD_SIZE;
          continue;
        case OP_SX8_32_M: {
          const value = Mem.read8(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set32(p, r, <u32>(<i32>(<i8>value)));
          r += RECORD_SIZE;
          continue;
        }
        case OP_SX16_32_R:
          At.set32(p, r, <u32>(<i32>(<i16>At.s16(p, r))));
          r += RECORD_SIZE;
          continue;
        case OP_SX16_32_M: {
          const value = Mem.read16(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set32(p, r, <u32>(<i32>(<i16>value)));
          r += RECORD_SIZE;
          continue;
        }
        case OP_SX8_64_R:
          At.set64(p, r, <u64>(<i64>(<i8>At.s8(p, r))));
          r += RECORD_SIZE;
          continue;
        case OP_SX8_64_M: {
          const value = Mem.read8(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set64(p, r, <u64>(<i64>(<i8>value)));
          r += RECORD_SIZE;
          continue;
        }
        case OP_SX16_64_R:
          At.set64(p, r, <u64>(<i64>(<i16>At.s16(p, r))));
          r += RECORD_SIZE;
          continue;
        case OP_SX16_64_M: {
          const value = Mem.read16(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set64(p, r, <u64>(<i64>(<i16>value)));
          r += RECORD_SIZE;
          continue;
        }
        case OP_SX32_64_R:
          At.set64(p, r, <u64>(<i64>(<i32>At.s32(p, r))));
          r += RECORD_SIZE;
          continue;
        case OP_SX32_64_M: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          At.set64(p, r, <u64>(<i64>(<i32>value)));
          r += RECORD_SIZE;
          continue;
        }
        case OP_LEA32:
          At.set32(p, r, <u32>At.offset(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_LEA64:
          At.set64(p, r, At.offset(p, r));
          r += RECORD_SIZE;
          continue;
        // --- arithmetic ---
        case OP_ADD32_RR:
          Op32.add(c, p, r, At.d32(p, r), At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_ADD64_RR:
          Op64.add(c, p, r, At.d64(p, r), At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_ADD32_RI:
          Op32.add(c, p, r, At.d32(p, r), At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_ADD64_RI:
          Op64.add(c, p, r, At.d64(p, r), At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_ADD32_RM: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.add(c, p, r, At.d32(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_ADD64_RM: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.add(c, p, r, At.d64(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_OR32_RR:
          Op32.logic(c, p, r, At.d32(p, r) | At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_OR64_RR:
          Op64.logic(c, p, r, At.d64(p, r) | At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_OR32_RI:
          Op32.logic(c, p, r, At.d32(p, r) | At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_OR64_RI:
          Op64.logic(c, p, r, At.d64(p, r) | At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_OR32_RM: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.logic(c, p, r, At.d32(p, r) | value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_OR64_RM: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.logic(c, p, r, At.d64(p, r) | value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_AND32_RR:
          Op32.logic(c, p, r, At.d32(p, r) & At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_AND64_RR:
          Op64.logic(c, p, r, At.d64(p, r) & At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_AND32_RI:
          Op32.logic(c, p, r, At.d32(p, r) & At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_AND64_RI:
          Op64.logic(c, p, r, At.d64(p, r) & At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_AND32_RM: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.logic(c, p, r, At.d32(p, r) & value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_AND64_RM: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.logic(c, p, r, At.d64(p, r) & value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_SUB32_RR:
          Op32.sub(c, p, r, At.d32(p, r), At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB64_RR:
          Op64.sub(c, p, r, At.d64(p, r), At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB32_RI:
          Op32.sub(c, p, r, At.d32(p, r), At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB64_RI:
          Op64.sub(c, p, r, At.d64(p, r), At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB32_RM: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.sub(c, p, r, At.d32(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_SUB64_RM: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.sub(c, p, r, At.d64(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_XOR32_RR:
          Op32.logic(c, p, r, At.d32(p, r) ^ At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR64_RR:
          Op64.logic(c, p, r, At.d64(p, r) ^ At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR32_RI:
          Op32.logic(c, p, r, At.d32(p, r) ^ At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR64_RI:
          Op64.logic(c, p, r, At.d64(p, r) ^ At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR32_RM: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.logic(c, p, r, At.d32(p, r) ^ value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_XOR64_RM: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.logic(c, p, r, At.d64(p, r) ^ value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_CMP32_RR:
          Op32.cmp(c, At.d32(p, r), At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_CMP64_RR:
          Op64.cmp(c, At.d64(p, r), At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_CMP32_RI:
          Op32.cmp(c, At.d32(p, r), At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_CMP64_RI:
          Op64.cmp(c, At.d64(p, r), At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_CMP32_RM: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.cmp(c, At.d32(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_CMP64_RM: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.cmp(c, At.d64(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_TEST32_RR:
          Op32.test(c, At.d32(p, r), At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_TEST64_RR:
          Op64.test(c, At.d64(p, r), At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_TEST32_RI:
          Op32.test(c, At.d32(p, r), At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_TEST64_RI:
          Op64.test(c, At.d64(p, r), At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_TEST32_RM: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.test(c, At.d32(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_TEST64_RM: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.test(c, At.d64(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_CMP8_RR:
          Op8.cmp(c, At.d8(p, r), At.s8(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_CMP8_RI:
          Op8.cmp(c, At.d8(p, r), At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_CMP8_RM: {
          const value = Mem.read8(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op8.cmp(c, At.d8(p, r), value);
          r += RECORD_SIZE;
          continue;
        }
        case OP_CMP8_MI: {
          const value = Mem.read8(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op8.cmp(c, value, At.i32(r));
          r += RECORD_SIZE;
          continue;
        }
        case OP_TEST8_RR:
          Op8.test(c, At.d8(p, r), At.s8(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_TEST8_RI:
          Op8.test(c, At.d8(p, r), At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_CMP32_MI: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.cmp(c, value, At.i32(r));
          r += RECORD_SIZE;
          continue;
        }
        case OP_CMP64_MI: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.cmp(c, value, At.i64(r));
          r += RECORD_SIZE;
          continue;
        }
        case OP_CMP32_MR: {
          const value = Mem.read32(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op32.cmp(c, value, At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        }
        case OP_CMP64_MR: {
          const value = Mem.read64(c, At.lin(p, r, wrap), At.seg(r));
          if (c.fault) return Exec.abandon(c, ip, r, block, left);
          Op64.cmp(c, value, At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        }
        case OP_INC32:
          Op32.inc(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_INC64:
          Op64.inc(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_DEC32:
          Op32.dec(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_DEC64:
          Op64.dec(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_SHL32_I:
          Op32.shl(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_SHL64_I:
          Op64.shl(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_SHR32_I:
          Op32.shr(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_SHR64_I:
          Op64.shr(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_SAR32_I:
          Op32.sar(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_SAR64_I:
          Op64.sar(c, p, r);
          r += RECORD_SIZE;
          continue;
        case OP_IMUL32_RR:
          MulDiv.imulTo(c, <u32>Rec.at(r).d, 2, <u64>(<i64>(<i32>At.d32(p, r))), <u64>(<i64>(<i32>At.s32(p, r))));
          r += RECORD_SIZE;
          continue;
        case OP_IMUL64_RR:
          MulDiv.imulTo(c, <u32>Rec.at(r).d, 3, At.d64(p, r), At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        // --- arithmetic whose flags nobody sees ---
        case OP_ADD32_RR_QUIET:
          At.set32(p, r, At.d32(p, r) + At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_ADD64_RR_QUIET:
          At.set64(p, r, At.d64(p, r) + At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_ADD32_RI_QUIET:
          At.set32(p, r, At.d32(p, r) + At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_ADD64_RI_QUIET:
          At.set64(p, r, At.d64(p, r) + At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_OR32_RR_QUIET:
          At.set32(p, r, At.d32(p, r) | At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_OR64_RR_QUIET:
          At.set64(p, r, At.d64(p, r) | At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_OR32_RI_QUIET:
          At.set32(p, r, At.d32(p, r) | At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_OR64_RI_QUIET:
          At.set64(p, r, At.d64(p, r) | At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_AND32_RR_QUIET:
          At.set32(p, r, At.d32(p, r) & At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_AND64_RR_QUIET:
          At.set64(p, r, At.d64(p, r) & At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_AND32_RI_QUIET:
          At.set32(p, r, At.d32(p, r) & At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_AND64_RI_QUIET:
          At.set64(p, r, At.d64(p, r) & At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB32_RR_QUIET:
          At.set32(p, r, At.d32(p, r) - At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB64_RR_QUIET:
          At.set64(p, r, At.d64(p, r) - At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB32_RI_QUIET:
          At.set32(p, r, At.d32(p, r) - At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_SUB64_RI_QUIET:
          At.set64(p, r, At.d64(p, r) - At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR32_RR_QUIET:
          At.set32(p, r, At.d32(p, r) ^ At.s32(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR64_RR_QUIET:
          At.set64(p, r, At.d64(p, r) ^ At.s64(p, r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR32_RI_QUIET:
          At.set32(p, r, At.d32(p, r) ^ At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_XOR64_RI_QUIET:
          At.set64(p, r, At.d64(p, r) ^ At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_SHL32_I_QUIET:
          At.set32(p, r, At.d32(p, r) << At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_SHL64_I_QUIET:
          At.set64(p, r, At.d64(p, r) << At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_SHR32_I_QUIET:
          At.set32(p, r, At.d32(p, r) >> At.i32(r));
          r += RECORD_SIZE;
          continue;
        case OP_SHR64_I_QUIET:
          At.set64(p, r, At.d64(p, r) >> At.i64(r));
          r += RECORD_SIZE;
          continue;
        case OP_SAR32_I_QUIET:
          At.set32(p, r, <u32>(<i32>At.d32(p, r) >> <i32>At.i32(r)));
          r += RECORD_SIZE;
          continue;
        case OP_SAR64_I_QUIET:
          At.set64(p, r, <u64>(<i64>At.d64(p, r) >> <i64>At.i64(r)));
          r += RECORD_SIZE;
          continue;
        default:
          unreachable();
      }

      // A jump: to the block at the record's link, if it is known.
      let next: u32;
      if (way == WAY_INDIRECT) {
        // The link remembers the last target inside this page.
        slot = r + LINK_TAKEN;
        next = load<u32>(slot);
        if (next != 0) {
          const lin = (ip + codeBase) & wrap;
          if (Block.at(next).lin != lin || (lin ^ c.fetchPage) > 4095) next = 0;
        }
      } else {
        if (way == WAY_TAKEN) {
          slot = r + LINK_TAKEN;
          ip += At.i64(r);
        } else {
          slot = r + LINK_NEXT;
          ip += <u64>Rec.at(r).off + <u64>Rec.at(r).len;
        }
        ip &= wrap;
        next = load<u32>(slot);
      }
      c.rip = ip;
      if (next == 0) {
        c.runLeft = left;
        if (left == 0) return true;
        next = Blocks.enter(c, (ip + codeBase) & wrap, slot);
        if (next == 0) return c.fault == 0;
      }
      left -= <i32>Block.at(next).insns;
      if (left < 0) {
        c.runLeft = left + <i32>Block.at(next).insns;
        return c.fault == 0;
      }
      block = next;
      r = Block.firstRecord(next);
    }
  }

  /**
   * Leaves before the instruction at `r`: rip is its address, and neither it nor what follows it in the block is counted.
   * @returns false, for callers that leave with c.fault set.
   */
  private static abandon(c: Cpu, start: u64, r: usize, block: u32, left: i32): bool {
    c.rip = (start + <u64>Rec.at(r).off) & Mode.addressMask(c);
    c.runLeft = <u32>(left + <i32>Block.at(block).insns - <i32>Rec.at(r).ord);
    c.exitInsnLength = Rec.at(r).len;
    return false;
  }

  /** Pushes in 64-bit mode. RSP is unchanged when c.fault. */
  @inline private static push64(c: Cpu, value: u64): void {
    const sp = c.rsp - 8;
    Mem.write64(c, sp, SEG_SS, value);
    if (c.fault == 0) c.rsp = sp;
  }

  /** Pushes with a 32-bit stack outside 64-bit mode. */
  @inline private static push32(c: Cpu, value: u64): void {
    const sp = (c.rsp - 4) & 0xffff_ffff;
    Mem.write32(c, (sp + c.seg(SEG_SS).base) & 0xffff_ffff, SEG_SS, <u32>value);
    if (c.fault == 0) c.rsp = sp;
  }
}
