/** Records of near jumps, calls, returns and loops: all end a block. */
import { Decoder } from "./decode";
import { Emit } from "./decode-emit";
import { EmitSystem } from "./decode-system";
import {
  SUB_CALL_REL,
  SUB_CALL_RM,
  SUB_JCC_SHORT,
  SUB_JMP_RM,
  SUB_JMP_SHORT,
  SUB_LOOP_SHORT,
  SUB_RET,
} from "./exec-control";
import {
  OP_CALL32,
  OP_CALL32_R,
  OP_CALL64,
  OP_CALL64_R,
  OP_CONTROL,
  OP_JMP,
  OP_JMP_R,
  OP_JO,
  OP_LOOP,
  OP_RET32,
  OP_RET64,
} from "./ops";
import { FORM_SUB_SHIFT } from "./record";

export class EmitJump {
  /** A 16-bit operand size cuts the target to 16 bits: that is left to the family. */
  @inline private static isShort(d: Decoder): bool {
    return d.size == 1;
  }

  /** The immediate becomes the distance from the block's start to the target. */
  private static setTarget(d: Decoder): void {
    d.immediate += <u64>(d.offset + (d.at - d.start));
    d.isLast = 1;
  }

  static conditional(d: Decoder): void {
    EmitJump.setTarget(d);
    const code = d.opcode & 15;
    if (EmitJump.isShort(d)) Emit.put(d, OP_CONTROL, SUB_JCC_SHORT).d = <u8>code;
    else d.put(OP_JO + <i32>code);
  }

  static loop(d: Decoder): void {
    EmitJump.setTarget(d);
    const r = d.put(EmitJump.isShort(d) ? OP_CONTROL : OP_LOOP);
    // `s` is which one of LOOPNE LOOPE LOOP JCXZ, `d` the size of the counter.
    r.s = <u8>(d.opcode & 3);
    r.d = <u8>d.addressSize;
    if (EmitJump.isShort(d)) r.form = <u16>(((<u32>SUB_LOOP_SHORT) << FORM_SUB_SHIFT) | d.size);
  }

  static jump(d: Decoder): void {
    EmitJump.setTarget(d);
    if (EmitJump.isShort(d)) Emit.put(d, OP_CONTROL, SUB_JMP_SHORT);
    else d.put(OP_JMP);
  }

  static call(d: Decoder): void {
    EmitJump.setTarget(d);
    if (d.size == 3) d.put(OP_CALL64);
    else if (d.size == 2 && d.isWideStack != 0) d.put(OP_CALL32);
    else Emit.put(d, OP_CONTROL, SUB_CALL_REL);
  }

  static ret(d: Decoder): void {
    d.isLast = 1;
    if (d.immediate == 0 && d.size == 3) d.put(OP_RET64);
    else if (d.immediate == 0 && d.size == 2 && d.isWideStack != 0) d.put(OP_RET32);
    else Emit.put(d, OP_CONTROL, SUB_RET);
  }

  /** FF/2 to FF/5. */
  static indirect(d: Decoder, extension: u32): void {
    if (extension & 1) {
      EmitSystem.farIndirect(d, extension);
      return;
    }
    d.isLast = 1;
    if (d.is64 && d.size == 2) d.size = 3;
    const isCall = extension == 2;
    if (d.isMemory == 0 && d.size == 3) Emit.pair(d, isCall ? OP_CALL64_R : OP_JMP_R, 0, d.rm);
    else if (d.isMemory == 0 && d.size == 2 && d.isWideStack != 0) {
      Emit.pair(d, isCall ? OP_CALL32_R : OP_JMP_R, 0, d.rm);
    } else Emit.rmOnly(d, OP_CONTROL, isCall ? SUB_CALL_RM : SUB_JMP_RM);
  }
}
