/**
 * Dead flags: an arithmetic record whose flags are overwritten before anything can see them becomes a quiet one, which does not
 * note them. Something can see them where the block ends, where an instruction reads flags, and where one may fault: from there the
 * guest's handler, a replay or a debugger looks at the processor. A quiet record keeps its full operation in `link`, for when
 * the block is cut behind it (hw/code-cache.ts, firstPart).
 */
import { RECORD_SIZE } from "../mem/block";
import {
  ALU_FORMS,
  ALU_RM32,
  NR_OPS,
  OP_ADD32_RI_QUIET,
  OP_ADD32_RR,
  OP_ADD32_RR_QUIET,
  OP_ADD64_RI_QUIET,
  OP_CMP8_RI,
  OP_CMP8_RR,
  OP_DEC32,
  OP_DEC64,
  OP_EA,
  OP_IMUL32_RR,
  OP_IMUL64_RR,
  OP_INC32,
  OP_INC64,
  OP_LEA32,
  OP_LEA64,
  OP_MOV_RI,
  OP_MOV32_RR,
  OP_MOV64_RR,
  OP_NOP,
  OP_SAR64_I,
  OP_SHL32_I,
  OP_SHL32_I_QUIET,
  OP_SX8_32_R,
  OP_SX8_64_R,
  OP_SX16_32_R,
  OP_SX16_64_R,
  OP_SX32_64_R,
  OP_TEST8_RI,
  OP_TEST8_RR,
  OP_ZX8_R,
  OP_ZX16_R,
} from "./ops";
import { Rec } from "./record";

/** Operations of the specialised group before CMP: they have quiet forms. */
const QUIET_OPERATIONS: i32 = 5;
const ALU_OPERATIONS: i32 = 7;
/** Quiet forms of one operation: register and immediate, 32 and 64 bits. */
const QUIET_FORMS: i32 = 4;

// What a record means for the flags before it.
const NEUTRAL: i32 = 0;
/** Sets all of them, reads none and cannot fault. */
const SETS_ALL: i32 = 1;
/** INC, DEC: reads CF unless quiet. */
const KEEPS_CARRY: i32 = 2;
const SHOWS: i32 = 3;

export class Quiet {
  /** Goes backwards over the records [first, end) of a block. */
  static drop(first: usize, end: usize): void {
    let isSeen = true;
    for (let at = end; at > first; ) {
      at -= RECORD_SIZE;
      const r = Rec.at(at);
      const kind = Quiet.kind(<i32>r.op);
      if (kind == SHOWS) isSeen = true;
      else if (kind != NEUTRAL) {
        if (!isSeen) Quiet.hush(r);
        else isSeen = kind == KEEPS_CARRY;
      }
    }
  }

  /** The full operation of a record. */
  @inline static full(r: Rec): u16 {
    return <i32>r.op >= OP_ADD32_RR_QUIET && <i32>r.op < NR_OPS ? <u16>r.link : r.op;
  }

  private static kind(op: i32): i32 {
    if (op >= OP_ADD32_RR && op < OP_ADD32_RR + ALU_OPERATIONS * ALU_FORMS) {
      return (op - OP_ADD32_RR) % ALU_FORMS < ALU_RM32 ? SETS_ALL : SHOWS;
    }
    if (op >= OP_SHL32_I && op <= OP_SAR64_I) return SETS_ALL;
    switch (op) {
      case OP_CMP8_RR:
      case OP_CMP8_RI:
      case OP_TEST8_RR:
      case OP_TEST8_RI:
      case OP_IMUL32_RR:
      case OP_IMUL64_RR:
        return SETS_ALL;
      case OP_INC32:
      case OP_INC64:
      case OP_DEC32:
      case OP_DEC64:
        return KEEPS_CARRY;
      case OP_NOP:
      case OP_EA:
      case OP_MOV32_RR:
      case OP_MOV64_RR:
      case OP_MOV_RI:
      case OP_LEA32:
      case OP_LEA64:
      case OP_ZX8_R:
      case OP_ZX16_R:
      case OP_SX8_32_R:
      case OP_SX16_32_R:
      case OP_SX8_64_R:
      case OP_SX16_64_R:
      case OP_SX32_64_R:
        return NEUTRAL;
      default:
        return SHOWS;
    }
  }

  /** The quiet form, if there is one. */
  private static hush(r: Rec): void {
    const op = <i32>r.op;
    let quiet = op;
    if (op >= OP_ADD32_RR && op < OP_ADD32_RR + QUIET_OPERATIONS * ALU_FORMS) {
      const at = op - OP_ADD32_RR;
      quiet = OP_ADD32_RR_QUIET + (at / ALU_FORMS) * QUIET_FORMS + (at % ALU_FORMS);
    } else if (op >= OP_SHL32_I && op <= OP_SAR64_I) quiet = OP_SHL32_I_QUIET + (op - OP_SHL32_I);
    else if (op == OP_INC32 || op == OP_DEC32) quiet = OP_ADD32_RI_QUIET;
    else if (op == OP_INC64 || op == OP_DEC64) quiet = OP_ADD64_RI_QUIET;
    else return;
    if (op == OP_INC32 || op == OP_INC64) r.imm = 1;
    else if (op == OP_DEC32 || op == OP_DEC64) r.imm = -1;
    r.link = op;
    r.op = <u16>quiet;
  }
}
