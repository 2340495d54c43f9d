/**
 * One attempt to enter a handler through the IDT (SDM 3A, 6.10 to 6.14): 64-bit gates in long mode, 32- and 16-bit gates in
 * protected mode, the vector table in real mode. Called by hw/deliver.ts, which decides what to do when the attempt fails.
 *
 * Everything is read and checked, then the frame is pushed, and registers change last: an attempt that fails has changed nothing
 * but memory below the stack pointer.
 */
import { SEG_CS, SEG_SS, SEG_TR, VEC_GP, VEC_NP, VEC_SS, VEC_TS } from "../abi/cpu";
import { EXIT_TASK_SWITCH } from "../abi/exits";
import {
  ATTR_DB,
  ATTR_EXPAND_DOWN,
  ATTR_L,
  ATTR_P,
  ATTR_S,
  ATTR_TYPE,
  ATTR_UNUSABLE,
  FLAG_AC,
  FLAG_IF,
  FLAG_NT,
  FLAG_RF,
  FLAG_TF,
  FLAG_VM,
  TYPE_INTERRUPT_GATE,
  TYPE_INTERRUPT_GATE16,
  TYPE_TASK_GATE,
  TYPE_TRAP_GATE,
  TYPE_TRAP_GATE16,
} from "../abi/regs";
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { Descriptor } from "./descriptor";
import { Fault } from "./exceptions";
import { Mode } from "./mode";
import { Segments } from "./segments";
import { Stack } from "./stack";

const TASK_SWITCH_IDT: u64 = (<u64>3) << 30;
/** Bit 1 of an error code: the index is one of the IDT. */
const ERROR_IDT: u32 = 2;
/** Type of a busy 16-bit TSS. */
const TYPE_TSS16_BUSY: u32 = 3;

export class Gates {
  /**
   * Enters the handler of `vector`. `returnRip` and `flags` are what is pushed; `hasError` pushes `error` too; `isSoftware` (INT n,
   * INT3, INTO) checks the gate's DPL; `ext` is the EXT bit of any error found on the way. c.fault when it fails.
   */
  static enter(
    c: Cpu,
    vector: u32,
    returnRip: u64,
    flags: u32,
    hasError: bool,
    error: u32,
    isSoftware: bool,
    ext: u32,
  ): void {
    if (!Mode.isProtected(c)) Gates.enterReal(c, vector, returnRip, flags);
    else if (Mode.isLong(c)) Gates.enterLong(c, vector, returnRip, flags, hasError, error, isSoftware, ext);
    else Gates.enterProtected(c, vector, returnRip, flags, hasError, error, isSoftware, ext);
  }

  private static enterLong(
    c: Cpu,
    vector: u32,
    returnRip: u64,
    flags: u32,
    hasError: bool,
    error: u32,
    isSoftware: bool,
    ext: u32,
  ): void {
    const gateError = (vector << 3) | ERROR_IDT | ext;
    if (vector * 16 + 15 > c.idtrLimit) {
      Fault.raiseError(c, VEC_GP, gateError);
      return;
    }
    const low = Mem.sysRead64(c, c.idtrBase + vector * 16);
    if (c.fault) return;
    const high = Mem.sysRead64(c, c.idtrBase + vector * 16 + 8);
    if (c.fault) return;
    const type = <u32>(low >> 40) & 0x1f;
    if (type != TYPE_INTERRUPT_GATE && type != TYPE_TRAP_GATE) {
      Fault.raiseError(c, VEC_GP, gateError);
      return;
    }
    if (!Gates.isOpen(c, low, isSoftware, gateError)) return;

    const selector = <u32>(low >> 16) & 0xffff;
    const raw = Gates.readHandlerCode(c, selector, ext);
    if (c.fault) return;
    if ((Descriptor.attr(raw) & (ATTR_L | ATTR_DB)) != ATTR_L) {
      Segments.refuse(c, VEC_GP, selector, ext);
      return;
    }
    const rip = (low & 0xffff) | ((low >> 32) & 0xffff_0000) | (high << 32);
    if (!Mode.isCanonical(rip)) {
      Fault.raiseError(c, VEC_GP, ext);
      return;
    }
    const cpl = Gates.handlerCpl(c, raw);
    const ist = <u32>(low >> 32) & 7;
    let sp = c.rsp;
    if (!Mode.is64(c)) sp = sp & 0xffff_ffff;
    if (ist != 0 || cpl < c.cpl) {
      sp = Gates.readTss64(c, ist != 0 ? 0x1c + ist * 8 : 4 + cpl * 8, ext);
      if (c.fault) return;
    }
    sp &= ~(<u64>15);
    const mask: u64 = 0xffff_ffff_ffff_ffff;
    const words: u32 = hasError ? 6 : 5;
    const bottom = sp - words * 8;
    if (!Mode.isCanonical(bottom) || !Mode.isCanonical(sp - 1)) {
      Fault.raiseError(c, VEC_SS, ext);
      return;
    }
    Stack.write(c, 0, mask, sp - 8, 8, c.seg(SEG_SS).selector, cpl);
    if (c.fault) return;
    Stack.write(c, 0, mask, sp - 16, 8, c.rsp, cpl);
    if (c.fault) return;
    Stack.write(c, 0, mask, sp - 24, 8, flags, cpl);
    if (c.fault) return;
    Stack.write(c, 0, mask, sp - 32, 8, c.seg(SEG_CS).selector, cpl);
    if (c.fault) return;
    Stack.write(c, 0, mask, sp - 40, 8, returnRip, cpl);
    if (c.fault) return;
    if (hasError) Stack.write(c, 0, mask, sp - 48, 8, error, cpl);
    if (c.fault) return;

    c.rsp = bottom;
    if (cpl < c.cpl) Descriptor.fillNull(c.seg(SEG_SS), cpl, cpl);
    Segments.setCode(c, selector, raw, cpl);
    c.rip = rip;
    Gates.clearFlags(c, type == TYPE_INTERRUPT_GATE);
  }

  private static enterProtected(
    c: Cpu,
    vector: u32,
    returnRip: u64,
    flags: u32,
    hasError: bool,
    error: u32,
    isSoftware: bool,
    ext: u32,
  ): void {
    const gateError = (vector << 3) | ERROR_IDT | ext;
    if (vector * 8 + 7 > c.idtrLimit) {
      Fault.raiseError(c, VEC_GP, gateError);
      return;
    }
    const gate = Mem.sysRead64(c, c.idtrBase + vector * 8);
    if (c.fault) return;
    const type = <u32>(gate >> 40) & 0x1f;
    const is32 = type == TYPE_INTERRUPT_GATE || type == TYPE_TRAP_GATE;
    if (!is32 && type != TYPE_INTERRUPT_GATE16 && type != TYPE_TRAP_GATE16 && type != TYPE_TASK_GATE) {
      Fault.raiseError(c, VEC_GP, gateError);
      return;
    }
    if (!Gates.isOpen(c, gate, isSoftware, gateError)) return;
    const selector = <u32>(gate >> 16) & 0xffff;
    if (type == TYPE_TASK_GATE) {
      Fault.exit(c, EXIT_TASK_SWITCH, TASK_SWITCH_IDT | selector);
      return;
    }
    const raw = Gates.readHandlerCode(c, selector, ext);
    if (c.fault) return;
    const rip = is32 ? (gate & 0xffff) | ((gate >> 32) & 0xffff_0000) : gate & 0xffff;
    if (rip > <u64>Descriptor.limit(raw)) {
      Fault.raiseError(c, VEC_GP, ext);
      return;
    }
    const cpl = Gates.handlerCpl(c, raw);
    const size: u32 = is32 ? 4 : 2;
    const oldSs = c.seg(SEG_SS).selector;
    const oldSp = c.rsp;
    let sp = c.rsp;
    let base = c.seg(SEG_SS).base;
    let mask = Mode.stackMask(c);
    let ss: u32 = 0;
    let stack: u64 = 0;
    if (cpl < c.cpl) {
      const pointer = Gates.readTssStack(c, cpl, ext);
      if (c.fault) return;
      sp = pointer & 0xffff_ffff;
      ss = <u32>(pointer >> 32);
      if (Descriptor.isNull(ss)) {
        Fault.raiseError(c, VEC_TS, ext);
        return;
      }
      stack = Segments.checkStack(c, ss, cpl, VEC_TS, ext);
      if (c.fault) return;
      base = Descriptor.base(stack);
      mask = Descriptor.attr(stack) & ATTR_DB ? 0xffff_ffff : 0xffff;
      sp -= size;
      Stack.write(c, base, mask, sp, size, oldSs, cpl);
      if (c.fault) return;
      sp -= size;
      Stack.write(c, base, mask, sp, size, oldSp, cpl);
      if (c.fault) return;
    }
    sp -= size;
    Stack.write(c, base, mask, sp, size, flags, cpl);
    if (c.fault) return;
    sp -= size;
    Stack.write(c, base, mask, sp, size, c.seg(SEG_CS).selector, cpl);
    if (c.fault) return;
    sp -= size;
    Stack.write(c, base, mask, sp, size, returnRip, cpl);
    if (c.fault) return;
    if (hasError) {
      sp -= size;
      Stack.write(c, base, mask, sp, size, error, cpl);
      if (c.fault) return;
    }
    if (cpl < c.cpl) Descriptor.fill(c.seg(SEG_SS), ss, stack);
    c.rsp = Stack.merge(oldSp, mask, sp);
    Segments.setCode(c, selector, raw, cpl);
    c.rip = rip;
    Gates.clearFlags(c, type == TYPE_INTERRUPT_GATE || type == TYPE_INTERRUPT_GATE16);
  }

  /** Real mode: four bytes a vector, three words on the stack, no error code. */
  private static enterReal(c: Cpu, vector: u32, returnRip: u64, flags: u32): void {
    if (vector * 4 + 3 > c.idtrLimit) {
      Fault.raise(c, VEC_GP);
      return;
    }
    const target = Mem.sysRead32(c, c.idtrBase + vector * 4);
    if (c.fault) return;
    const base = c.seg(SEG_SS).base;
    Stack.write(c, base, 0xffff, c.rsp - 2, 2, flags, 0);
    if (c.fault) return;
    Stack.write(c, base, 0xffff, c.rsp - 4, 2, c.seg(SEG_CS).selector, 0);
    if (c.fault) return;
    Stack.write(c, base, 0xffff, c.rsp - 6, 2, returnRip, 0);
    if (c.fault) return;
    c.rsp = Stack.merge(c.rsp, 0xffff, c.rsp - 6);
    const cs = c.seg(SEG_CS);
    cs.selector = target >> 16;
    cs.base = (<u64>(target >> 16)) << 4;
    c.rip = target & 0xffff;
    c.rflags &= ~(<u32>(FLAG_IF | FLAG_TF | FLAG_AC | FLAG_RF));
  }

  /** DPL (for software interrupts) and presence of a gate. */
  private static isOpen(c: Cpu, gate: u64, isSoftware: bool, gateError: u32): bool {
    if (isSoftware && Descriptor.dpl(gate) < c.cpl) {
      Fault.raiseError(c, VEC_GP, gateError);
      return false;
    }
    if ((gate >> 47) & 1) return true;
    Fault.raiseError(c, VEC_NP, gateError);
    return false;
  }

  /** The handler's code segment: not less privileged than the code interrupted, present. */
  private static readHandlerCode(c: Cpu, selector: u32, ext: u32): u64 {
    const raw = Segments.readCode(c, selector, ext);
    if (c.fault) return 0;
    if (Descriptor.dpl(raw) > c.cpl) Segments.refuse(c, VEC_GP, selector, ext);
    else if ((Descriptor.attr(raw) & ATTR_P) == 0) Segments.refuse(c, VEC_NP, selector, ext);
    else Descriptor.markAccessed(c, selector, raw);
    return raw;
  }

  /** A conforming handler runs at the privilege of the code interrupted. */
  private static handlerCpl(c: Cpu, raw: u64): u32 {
    return Descriptor.attr(raw) & ATTR_EXPAND_DOWN ? c.cpl : Descriptor.dpl(raw);
  }

  /** A stack pointer at `offset` of the 64-bit TSS; beyond its limit #TS(TR). */
  private static readTss64(c: Cpu, offset: u32, ext: u32): u64 {
    const tr = c.seg(SEG_TR);
    if ((tr.attr & ATTR_UNUSABLE) != 0 || offset + 7 > tr.limit) {
      Segments.refuse(c, VEC_TS, tr.selector, ext);
      return 0;
    }
    return Mem.sysRead64(c, tr.base + offset);
  }

  /** SS << 32 | ESP of privilege `cpl` from the TSS, 32-bit or 16-bit. */
  private static readTssStack(c: Cpu, cpl: u32, ext: u32): u64 {
    const tr = c.seg(SEG_TR);
    const is16 = (tr.attr & (ATTR_TYPE | ATTR_S)) == TYPE_TSS16_BUSY;
    const offset: u32 = is16 ? 2 + cpl * 4 : 4 + cpl * 8;
    const last = offset + (is16 ? 3 : 5);
    if ((tr.attr & ATTR_UNUSABLE) != 0 || last > tr.limit) {
      Segments.refuse(c, VEC_TS, tr.selector, ext);
      return 0;
    }
    const sp: u32 = is16 ? Mem.sysRead16(c, tr.base + offset) : Mem.sysRead32(c, tr.base + offset);
    if (c.fault) return 0;
    const ss = Mem.sysRead16(c, tr.base + offset + (is16 ? 2 : 4));
    return ((<u64>ss) << 32) | sp;
  }

  private static clearFlags(c: Cpu, isInterruptGate: bool): void {
    c.rflags &= ~(<u32>(FLAG_TF | FLAG_NT | FLAG_RF | FLAG_VM));
    if (isInterruptGate) c.rflags &= ~(<u32>FLAG_IF);
  }
}
