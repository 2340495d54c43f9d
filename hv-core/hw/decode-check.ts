/**
 * What a record does with its memory operand. Needed where the segment alone refuses the access: any through a null segment, a store
 * through CS in protected mode. Otherwise segments are flat: limits and types of data segments are not checked.
 */
import { SUB_CMP } from "./exec-alu";
import { SUB_ARPL, SUB_BT } from "./exec-bit";
import { SUB_POP, SUB_PUSH } from "./exec-stack";
import { SYS_INVLPG, SYS_MOV_FROM_SEG, SYS_SGDT, SYS_SIDT, SYS_SLDT, SYS_SMSW, SYS_STR } from "./exec-system";
import {
  OP_ALU,
  OP_ATOMIC,
  OP_BIT,
  OP_DOUBLE_SHIFT,
  OP_LEA_SHORT,
  OP_LEA32,
  OP_MOVE,
  OP_SCAN,
  OP_SETCC,
  OP_SHIFT,
  OP_STACK,
  OP_STORE8,
  OP_STORE64_I,
  OP_SYSTEM,
  OP_UNARY,
} from "./ops";
import { FORM_MEM, FORM_REVERSE, Rec } from "./record";

export class MemoryUse {
  /** LEA and INVLPG only compute the address. */
  static isAccess(r: Rec): bool {
    const op = <i32>r.op;
    if (op == OP_SYSTEM) return <i32>r.sub != SYS_INVLPG;
    return op != OP_LEA32 && op != OP_LEA_SHORT;
  }

  static isPop(r: Rec): bool {
    return <i32>r.op == OP_STACK && <i32>r.sub == SUB_POP;
  }

  static isWrite(r: Rec): bool {
    const op = <i32>r.op;
    if (op >= OP_STORE8 && op <= OP_STORE64_I) return true;
    if ((<u32>r.form & FORM_MEM) == 0) return false;
    const sub = <i32>r.sub;
    switch (op) {
      case OP_ALU:
        return (<u32>r.form & FORM_REVERSE) == 0 && sub < SUB_CMP;
      case OP_MOVE:
        return (<u32>r.form & FORM_REVERSE) == 0;
      case OP_UNARY:
      case OP_SHIFT:
      case OP_DOUBLE_SHIFT:
      case OP_SETCC:
      case OP_ATOMIC:
        return true;
      case OP_BIT:
        return sub != SUB_BT;
      case OP_SCAN:
        return sub == SUB_ARPL;
      case OP_STACK:
        return sub != SUB_PUSH;
      case OP_SYSTEM:
        return MemoryUse.isSystemStore(sub);
      default:
        return false;
    }
  }

  private static isSystemStore(sub: i32): bool {
    if (sub == SYS_MOV_FROM_SEG || sub == SYS_SLDT || sub == SYS_STR) return true;
    return sub == SYS_SGDT || sub == SYS_SIDT || sub == SYS_SMSW;
  }
}
