/**
 * Near transfers of control that hw/exec.ts does not specialise: through memory, RET n, a 16-bit operand size; and LOOP, JCXZ.
 * Far transfers: hw/exec-system.ts.
 */
import { SEG_SS } from "../abi/cpu";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { StackOps } from "./exec-stack";
import { Flags } from "./flags";
import { Mode } from "./mode";
import { AnyMem, Reg, Rm, Size } from "./operand";
import { Rec } from "./record";

// Rec.sub of OP_CONTROL.
export const SUB_CALL_RM: i32 = 0;
export const SUB_JMP_RM: i32 = 1;
export const SUB_RET: i32 = 2;
export const SUB_JCC_SHORT: i32 = 3;
export const SUB_LOOP_SHORT: i32 = 4;
export const SUB_JMP_SHORT: i32 = 5;
export const SUB_CALL_REL: i32 = 6;

// Rec.s of a loop.
const LOOPNE: u32 = 0;
const LOOPE: u32 = 1;
const JCXZ: u32 = 3;

const RCX: u32 = 8;

export class Control {
  /** Where control goes; `start` is the address of the block. c.fault when it does not get there: nothing has changed then. */
  static target(c: Cpu, r: Rec, start: u64): u64 {
    const next = start + <u64>r.off + <u64>r.len;
    const size = r.size;
    let to = next;
    switch (<i32>r.sub) {
      case SUB_CALL_RM:
      case SUB_JMP_RM:
        to = Rm.read(c, r, <u32>r.s);
        if (c.fault || !Control.isTarget(c, to)) return 0;
        if (<i32>r.sub == SUB_CALL_RM) StackOps.push(c, size, next);
        break;
      case SUB_RET:
        return Control.ret(c, r);
      case SUB_JCC_SHORT:
        if (!Flags.condition(c, <u32>r.d)) return next;
        to = start + r.imm;
        break;
      case SUB_LOOP_SHORT:
        if (!Control.loop(c, r)) return next;
        to = start + r.imm;
        break;
      case SUB_JMP_SHORT:
        to = start + r.imm;
        break;
      default:
        to = start + r.imm;
        StackOps.push(c, size, next);
        break;
    }
    return to & Size.mask(size);
  }

  /** RSP changes only when the target is legal. */
  private static ret(c: Cpu, r: Rec): u64 {
    const size = r.size;
    const to = AnyMem.read(c, StackOps.linear(c, c.rsp), SEG_SS, size);
    if (c.fault || !Control.isTarget(c, to)) return 0;
    StackOps.setSp(c, c.rsp + <u64>Size.bytes(size) + (r.imm & 0xffff));
    return to;
  }

  /** #GP(0) is queued for a target that is not canonical. */
  static isTarget(c: Cpu, to: u64): bool {
    if (!Mode.is64(c) || Mode.isCanonical(to)) return true;
    Fault.gp0(c);
    return false;
  }

  /** Counts down and says whether the jump is taken. */
  static loop(c: Cpu, r: Rec): bool {
    const size = <u32>r.d;
    const kind = <u32>r.s;
    const count = Reg.get(c, RCX, size);
    if (kind == JCXZ) return count == 0;
    const left = (count - 1) & Size.mask(size);
    Reg.set(c, RCX, size, left);
    if (left == 0) return false;
    if (kind == LOOPE) return Flags.zero(c);
    return kind == LOOPNE ? !Flags.zero(c) : true;
  }
}
