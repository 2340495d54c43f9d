/**
 * PUSH and POP of everything, PUSHA POPA ENTER LEAVE; and the stack addresses that calls and returns in hw/exec.ts use.
 * RSP changes last, when nothing can fault any more.
 */
import { SEG_SS } from "../abi/cpu";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { Mode } from "./mode";
import { AnyMem, Ea, Reg, Rm, Size } from "./operand";
import { FORM_IMM, FORM_MEM, Rec } from "./record";
import { Stack } from "./stack";

// Rec.sub of OP_STACK.
export const SUB_PUSH: i32 = 0;
export const SUB_POP: i32 = 1;
export const SUB_PUSHA: i32 = 2;
export const SUB_POPA: i32 = 3;
export const SUB_ENTER: i32 = 4;
export const SUB_LEAVE: i32 = 5;
/** The selector in segment register `d`. */
export const SUB_PUSH_SEG: i32 = 6;

// Byte offsets in the register file.
const RAX: u32 = 0;
const RCX: u32 = 8;
const RDX: u32 = 16;
const RBX: u32 = 24;
const RBP: u32 = 40;
const RSI: u32 = 48;
const RDI: u32 = 56;

export class StackOps {
  /** Linear address of stack position `sp`. */
  static linear(c: Cpu, sp: u64): u64 {
    return Stack.linear(Stack.base(c), Mode.stackMask(c), sp);
  }

  @inline static setSp(c: Cpu, sp: u64): void {
    c.rsp = Stack.merge(c.rsp, Mode.stackMask(c), sp);
  }

  /** Writes `value` below `sp`; returns the lowered position. RSP is not changed. */
  private static writeBelow(c: Cpu, sp: u64, size: u32, value: u64): u64 {
    const lower = sp - <u64>Size.bytes(size);
    AnyMem.write(c, StackOps.linear(c, lower), SEG_SS, size, value);
    return lower;
  }

  static push(c: Cpu, size: u32, value: u64): void {
    const sp = StackOps.writeBelow(c, c.rsp, size, value);
    if (c.fault == 0) StackOps.setSp(c, sp);
  }

  static pop(c: Cpu, size: u32): u64 {
    const value = AnyMem.read(c, StackOps.linear(c, c.rsp), SEG_SS, size);
    if (c.fault == 0) StackOps.setSp(c, c.rsp + <u64>Size.bytes(size));
    return value;
  }

  static exec(c: Cpu, r: Rec): void {
    const size = r.size;
    switch (<i32>r.sub) {
      case SUB_PUSH: {
        const value = <u32>r.form & FORM_IMM ? r.imm : Rm.read(c, r, <u32>r.s);
        if (c.fault == 0) StackOps.push(c, size, value);
        break;
      }
      case SUB_POP:
        StackOps.popTo(c, r);
        break;
      case SUB_PUSHA:
        StackOps.pushAll(c, size);
        break;
      case SUB_POPA:
        StackOps.popAll(c, size);
        break;
      case SUB_ENTER:
        StackOps.enter(c, r);
        break;
      case SUB_LEAVE: {
        const value = AnyMem.read(c, StackOps.linear(c, c.rbp), SEG_SS, size);
        if (c.fault) return;
        StackOps.setSp(c, c.rbp + <u64>Size.bytes(size));
        Reg.set(c, RBP, size, value);
        break;
      }
      default:
        StackOps.pushSegment(c, size, <u32>r.d);
        break;
    }
  }

  /**
   * POP r/m: an address that uses RSP uses it after the increment; POP RSP keeps what was popped. The stack is read first: its fault
   * comes before that of a destination whose segment takes no store.
   */
  private static popTo(c: Cpu, r: Rec): void {
    const size = r.size;
    const old = c.rsp;
    const value = StackOps.pop(c, size);
    if (c.fault) return;
    if (<u32>r.form & FORM_MEM) {
      if (Mode.isStoreRefused(c, r.seg)) Fault.gp0(c);
      else AnyMem.write(c, Ea.linear(c, r), r.seg, size, value);
      if (c.fault) c.rsp = old;
    } else Reg.set(c, <u32>r.d, size, value);
  }

  /** A 32-bit push of a segment register writes 16 bits on current processors; the rest of the slot keeps its value. */
  private static pushSegment(c: Cpu, size: u32, index: u32): void {
    const selector = <u64>c.seg(index).selector;
    const sp = c.rsp - <u64>Size.bytes(size);
    AnyMem.write(c, StackOps.linear(c, sp), SEG_SS, size == 2 ? 1 : size, selector);
    if (c.fault == 0) StackOps.setSp(c, sp);
  }

  private static pushAll(c: Cpu, size: u32): void {
    let sp = c.rsp;
    for (let i: u32 = 0; i < 8; i++) {
      sp = StackOps.writeBelow(c, sp, size, Reg.get(c, i << 3, size));
      if (c.fault) return;
    }
    StackOps.setSp(c, sp);
  }

  /** All eight are read before the first register changes. */
  private static popAll(c: Cpu, size: u32): void {
    const step = <u64>Size.bytes(size);
    const sp = c.rsp;
    const edi = AnyMem.read(c, StackOps.linear(c, sp), SEG_SS, size);
    if (c.fault) return;
    const esi = AnyMem.read(c, StackOps.linear(c, sp + step), SEG_SS, size);
    if (c.fault) return;
    const ebp = AnyMem.read(c, StackOps.linear(c, sp + 2 * step), SEG_SS, size);
    if (c.fault) return;
    AnyMem.read(c, StackOps.linear(c, sp + 3 * step), SEG_SS, size);
    if (c.fault) return;
    const ebx = AnyMem.read(c, StackOps.linear(c, sp + 4 * step), SEG_SS, size);
    if (c.fault) return;
    const edx = AnyMem.read(c, StackOps.linear(c, sp + 5 * step), SEG_SS, size);
    if (c.fault) return;
    const ecx = AnyMem.read(c, StackOps.linear(c, sp + 6 * step), SEG_SS, size);
    if (c.fault) return;
    const eax = AnyMem.read(c, StackOps.linear(c, sp + 7 * step), SEG_SS, size);
    if (c.fault) return;
    Reg.set(c, RDI, size, edi);
    Reg.set(c, RSI, size, esi);
    Reg.set(c, RBP, size, ebp);
    Reg.set(c, RBX, size, ebx);
    Reg.set(c, RDX, size, edx);
    Reg.set(c, RCX, size, ecx);
    Reg.set(c, RAX, size, eax);
    StackOps.setSp(c, sp + 8 * step);
  }

  private static enter(c: Cpu, r: Rec): void {
    const size = r.size;
    const step = <u64>Size.bytes(size);
    const levels = <u32>(r.imm >> 16) & 31;
    let sp = StackOps.writeBelow(c, c.rsp, size, c.rbp);
    if (c.fault) return;
    const frame = sp;
    if (levels > 0) {
      let link = c.rbp;
      for (let i: u32 = 1; i < levels; i++) {
        link -= step;
        const value = AnyMem.read(c, StackOps.linear(c, link), SEG_SS, size);
        if (c.fault) return;
        sp = StackOps.writeBelow(c, sp, size, value);
        if (c.fault) return;
      }
      sp = StackOps.writeBelow(c, sp, size, frame);
      if (c.fault) return;
    }
    sp -= r.imm & 0xffff;
    // The processor makes sure that the new top of the stack can be written.
    AnyMem.readForWrite(c, StackOps.linear(c, sp), SEG_SS, size);
    if (c.fault) return;
    Reg.set(c, RBP, size, Stack.merge(c.rbp, Mode.stackMask(c), frame));
    StackOps.setSp(c, sp);
  }
}
