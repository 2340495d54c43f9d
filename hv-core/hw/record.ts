/**
 * One decoded instruction: 32 bytes, written by the decoder (hw/decode.ts), read by the executor (hw/exec.ts).
 *
 * Registers are byte offsets into Cpu, so AH is 1 and the register that is always zero is 128. An absent base, index or segment
 * base is that zero register: every effective address is the same sum without a branch.
 * Forms that do not fit (16-bit addresses, 67 prefix, far displacements) get an OP_EA record in front, which leaves the address in
 * Cpu.scratch; the instruction's own record then has Cpu.scratch as its base.
 */
import { RECORD_SIZE } from "../mem/block";

@unmanaged
export class Rec {
  /** OP_* of hw/ops.ts. */
  op: u16;
  /** Length of the instruction in bytes. */
  len: u8;
  /** Number of instructions before this one in its block. */
  ord: u8;
  /** Register that is (or also is) the destination. */
  d: u8;
  /** Second register. */
  s: u8;
  index: u8;
  /** 1:0 scale, 6:4 segment, 7 the linear address wraps at 4 GiB. */
  scaleSeg: u8;
  base: u16;
  segBase: u16;
  /** Displacement; in a jump: the block that follows when it is not taken (a link, 0 = not known yet). */
  disp: i32;
  /** Immediate; in a jump: distance from the block's start to the target. */
  imm: u64;
  /** Distance of the instruction from the block's start. */
  off: u16;
  /** FORM_* bits and, above them, which operation of its family it is. */
  form: u16;
  /** In a jump: the block at its target, 0 = not known yet. */
  link: u32;

  @inline static at(r: usize): Rec {
    return changetype<Rec>(r);
  }

  /** Operand size: 0 = 8 bits, 1 = 16, 2 = 32, 3 = 64. */
  @inline get size(): u32 {
    return <u32>this.form & FORM_SIZE;
  }

  /** Which operation of its family. */
  @inline get sub(): u32 {
    return <u32>this.form >> FORM_SUB_SHIFT;
  }

  @inline get seg(): u32 {
    return (<u32>this.scaleSeg >> 4) & 7;
  }
}

export const FORM_SIZE: u32 = 3;
/** The r/m operand is in memory. */
export const FORM_MEM: u32 = 4;
/** The r/m operand is the source, the register the destination. */
export const FORM_REVERSE: u32 = 8;
/** The second operand is the immediate. */
export const FORM_IMM: u32 = 16;
export const FORM_SUB_SHIFT: u32 = 5;

export const SCALE_MASK: u32 = 3;
export const SEG_SHIFT: u32 = 4;
/** Bit of scaleSeg. */
export const WRAP_32: u32 = 0x80;

/** Offsets of the two links of a jump. */
export const LINK_TAKEN: usize = offsetof<Rec>("link");
export const LINK_NEXT: usize = offsetof<Rec>("disp");

if (<u32>offsetof<Rec>() != RECORD_SIZE) ERROR("Rec is 32 bytes");
