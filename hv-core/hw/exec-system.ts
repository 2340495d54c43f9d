/**
 * Runs system instructions: takes the operands apart and calls what does the work (hw/system*.ts, hw/segments.ts, hw/far.ts, hw/iret.ts,
 * hw/fast-calls.ts, hw/deliver.ts). The run loop is entered afresh after each of them.
 *
 * On entry Cpu.rip is the instruction's address and the flags are settled. An instruction that leaves the guest sets
 * Cpu.fault = FAULT_EXIT and changes nothing.
 */
import { SEG_ES, SEG_LDTR, SEG_SS, SEG_TR, VEC_BP, VEC_DB, VEC_NM, VEC_OF } from "../abi/cpu";
import { QUAL_IO_IMMEDIATE_BIT, QUAL_IO_REP_BIT, QUAL_IO_STRING_BIT } from "../abi/exits";
import { CR0_MP, CR0_TS, FLAG_DF, FLAG_FIXED, FLAG_OF, FLAG_RF, FLAG_VM } from "../abi/regs";
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { Deliver, EVENT_PRIVILEGED_SOFT_EXCEPTION, EVENT_SOFT_EXCEPTION, EVENT_SOFT_INTERRUPT } from "./deliver";
import { FAULT_EXIT, Fault } from "./exceptions";
import { StackOps } from "./exec-stack";
import { Far } from "./far";
import { FastCalls } from "./fast-calls";
import { Intercepts, TABLE_LDTR, TABLE_TR } from "./intercepts";
import { Iret } from "./iret";
import { Mode } from "./mode";
import { AnyMem, Ea, Reg, Rm, Size } from "./operand";
import { FORM_IMM, FORM_MEM, Rec } from "./record";
import { Segments } from "./segments";
import { Stack } from "./stack";
import { STRING_INS, STRING_OUTS, StringExit } from "./string-exit";
import { System } from "./system";
import { BLOCKED_BY_MOV_SS, SystemFlags } from "./system-flags";
import { PortIo } from "./system-io";
import { Tables } from "./system-tables";

// Rec.sub of OP_SYSTEM.
export const SYS_HLT: i32 = 0;
export const SYS_CLI: i32 = 1;
export const SYS_STI: i32 = 2;
export const SYS_PUSHF: i32 = 3;
export const SYS_POPF: i32 = 4;
export const SYS_IRET: i32 = 5;
export const SYS_INT: i32 = 6;
export const SYS_INT1: i32 = 7;
export const SYS_INT3: i32 = 8;
export const SYS_INTO: i32 = 9;
export const SYS_CALL_FAR: i32 = 10;
export const SYS_JMP_FAR: i32 = 11;
export const SYS_CALL_FAR_RM: i32 = 12;
export const SYS_JMP_FAR_RM: i32 = 13;
export const SYS_RET_FAR: i32 = 14;
export const SYS_MOV_TO_SEG: i32 = 15;
export const SYS_MOV_FROM_SEG: i32 = 16;
export const SYS_POP_SEG: i32 = 17;
export const SYS_SLDT: i32 = 18;
export const SYS_STR: i32 = 19;
export const SYS_LLDT: i32 = 20;
export const SYS_LTR: i32 = 21;
export const SYS_SGDT: i32 = 22;
export const SYS_SIDT: i32 = 23;
export const SYS_LGDT: i32 = 24;
export const SYS_LIDT: i32 = 25;
export const SYS_SMSW: i32 = 26;
export const SYS_LMSW: i32 = 27;
export const SYS_INVLPG: i32 = 28;
export const SYS_VMCALL: i32 = 29;
export const SYS_SWAPGS: i32 = 30;
export const SYS_SYSCALL: i32 = 31;
export const SYS_SYSRET: i32 = 32;
export const SYS_CLTS: i32 = 33;
export const SYS_INVD: i32 = 34;
export const SYS_WBINVD: i32 = 35;
export const SYS_MOV_FROM_CR: i32 = 36;
export const SYS_MOV_TO_CR: i32 = 37;
export const SYS_MOV_FROM_DR: i32 = 38;
export const SYS_MOV_TO_DR: i32 = 39;
export const SYS_WRMSR: i32 = 40;
export const SYS_RDMSR: i32 = 41;
export const SYS_RDTSC: i32 = 42;
export const SYS_RDPMC: i32 = 43;
export const SYS_CPUID: i32 = 44;
export const SYS_IN: i32 = 45;
export const SYS_OUT: i32 = 46;
export const SYS_INS: i32 = 47;
export const SYS_OUTS: i32 = 48;
export const SYS_WAIT: i32 = 49;
export const SYS_SYSENTER: i32 = 50;
export const SYS_SYSEXIT: i32 = 51;
export const SYS_XSETBV: i32 = 52;

// Byte offsets in the register file.
const RCX: u32 = 8;
const RDX: u32 = 16;
const RSI: u32 = 48;
const RDI: u32 = 56;

export class SystemOps {
  /** Runs the instruction; when it completes, rip is after it (or where it went) and it is counted. */
  static exec(c: Cpu, r: Rec): void {
    const next = (c.rip + <u64>r.len) & Mode.addressMask(c);
    c.exitInsnLength = r.len;
    const hasMoved = SystemOps.run(c, r, next);
    if (c.fault) return;
    if (!hasMoved) c.rip = next;
    c.runLeft -= 1;
  }

  /** @returns true when rip is already where the guest goes on. */
  private static run(c: Cpu, r: Rec, next: u64): bool {
    const bytes = Size.bytes(r.size);
    switch (<i32>r.sub) {
      case SYS_HLT:
        System.hlt(c);
        break;
      case SYS_CLI:
        SystemFlags.cli(c);
        break;
      case SYS_STI:
        SystemFlags.sti(c);
        break;
      case SYS_PUSHF:
        StackOps.push(c, r.size, <u64>((c.rflags & ~(<u32>(FLAG_RF | FLAG_VM))) | FLAG_FIXED));
        break;
      case SYS_POPF:
        SystemOps.popFlags(c, r.size);
        break;
      case SYS_IRET:
        Iret.run(c, bytes);
        return true;
      case SYS_INT:
        return SystemOps.interrupt(c, <u32>r.imm & 0xff, EVENT_SOFT_INTERRUPT, next);
      case SYS_INT1:
        return SystemOps.interrupt(c, VEC_DB, EVENT_PRIVILEGED_SOFT_EXCEPTION, next);
      case SYS_INT3:
        return Intercepts.breakpoint(c) || SystemOps.interrupt(c, VEC_BP, EVENT_SOFT_EXCEPTION, next);
      case SYS_INTO:
        return (c.rflags & FLAG_OF) != 0 && SystemOps.interrupt(c, VEC_OF, EVENT_SOFT_EXCEPTION, next);
      case SYS_CALL_FAR:
        Far.call(c, <u32>(r.imm >> 32), r.imm & 0xffff_ffff, bytes, next);
        return true;
      case SYS_JMP_FAR:
        Far.jump(c, <u32>(r.imm >> 32), r.imm & 0xffff_ffff, bytes);
        return true;
      case SYS_CALL_FAR_RM:
      case SYS_JMP_FAR_RM:
        SystemOps.farIndirect(c, r, next);
        return true;
      case SYS_RET_FAR:
        Far.ret(c, bytes, <u32>r.imm & 0xffff);
        return true;
      case SYS_MOV_TO_SEG:
        SystemOps.loadSegment(c, <u32>r.d, <u32>Rm.read(c, r, <u32>r.s));
        break;
      case SYS_MOV_FROM_SEG:
        SystemOps.storeSelector(c, r, c.seg(<u32>r.s).selector);
        break;
      case SYS_POP_SEG:
        SystemOps.popSegment(c, r);
        break;
      case SYS_SYSCALL:
        FastCalls.syscall(c, next);
        return true;
      case SYS_SYSRET:
        FastCalls.sysret(c, r.size == 3 ? 8 : 4);
        return true;
      case SYS_SYSENTER:
        FastCalls.sysenter(c);
        return true;
      case SYS_SYSEXIT:
        FastCalls.sysexit(c, r.size == 3 ? 8 : 4);
        return true;
      case SYS_IN:
      case SYS_OUT:
        SystemOps.port(c, r);
        break;
      case SYS_INS:
      case SYS_OUTS:
        return SystemOps.stringPort(c, r);
      case SYS_WAIT:
        if ((c.cr0 & CR0_MP) != 0 && (c.cr0 & CR0_TS) != 0) Fault.raise(c, VEC_NM);
        break;
      default:
        SystemOps.privileged(c, r);
        break;
    }
    return false;
  }

  /** The instructions of operating systems: tables, control registers, MSRs. */
  private static privileged(c: Cpu, r: Rec): void {
    const bytes = Size.bytes(r.size);
    switch (<i32>r.sub) {
      case SYS_SLDT:
        if (!Intercepts.table(c, TABLE_LDTR, false)) SystemOps.storeSelector(c, r, c.seg(SEG_LDTR).selector);
        break;
      case SYS_STR:
        if (!Intercepts.table(c, TABLE_TR, false)) SystemOps.storeSelector(c, r, c.seg(SEG_TR).selector);
        break;
      case SYS_LLDT:
      case SYS_LTR:
        SystemOps.loadSystemSegment(c, r);
        break;
      case SYS_SGDT:
        Tables.sgdt(c, Ea.linear(c, r), r.seg);
        break;
      case SYS_SIDT:
        Tables.sidt(c, Ea.linear(c, r), r.seg);
        break;
      case SYS_LGDT:
        Tables.lgdt(c, Ea.linear(c, r), r.seg, bytes);
        break;
      case SYS_LIDT:
        Tables.lidt(c, Ea.linear(c, r), r.seg, bytes);
        break;
      case SYS_SMSW:
        SystemOps.storeWord(c, r, System.smsw(c));
        break;
      case SYS_LMSW: {
        const value = <u32>Rm.read(c, r, <u32>r.s);
        if (c.fault == 0) System.lmsw(c, value);
        break;
      }
      case SYS_INVLPG:
        System.invlpg(c, Ea.linear(c, r));
        break;
      case SYS_VMCALL:
        System.vmcall(c);
        break;
      case SYS_XSETBV:
        System.xsetbv(c);
        break;
      case SYS_SWAPGS:
        System.swapgs(c);
        break;
      case SYS_CLTS:
        System.clts(c);
        break;
      case SYS_INVD:
        System.invd(c);
        break;
      case SYS_WBINVD:
        System.wbinvd(c);
        break;
      case SYS_MOV_FROM_CR: {
        const value = System.movFromCr(c, <u32>r.s);
        if (c.fault == 0) Reg.set(c, <u32>r.d, r.size, value);
        break;
      }
      case SYS_MOV_TO_CR:
        System.movToCr(c, <u32>r.s, Reg.get(c, <u32>r.d, r.size), <u32>r.d >> 3);
        break;
      case SYS_MOV_FROM_DR: {
        const value = System.movFromDr(c, <u32>r.s);
        if (c.fault == 0) Reg.set(c, <u32>r.d, r.size, value);
        break;
      }
      case SYS_MOV_TO_DR:
        System.movToDr(c, <u32>r.s, Reg.get(c, <u32>r.d, r.size));
        break;
      case SYS_WRMSR:
        System.wrmsr(c);
        break;
      case SYS_RDMSR:
        System.rdmsr(c);
        break;
      case SYS_RDTSC: {
        const value = System.rdtsc(c, <u64>(c.runBudget - c.runLeft));
        if (c.fault) return;
        c.rax = value & 0xffff_ffff;
        c.rdx = value >> 32;
        break;
      }
      case SYS_RDPMC:
        System.rdpmc(c);
        break;
      case SYS_CPUID:
        System.cpuid(c);
        break;
      default:
        Fault.ud(c);
        break;
    }
  }

  /** INT n and its relatives: delivered at once. An exit on the way is reported like any other. */
  private static interrupt(c: Cpu, vector: u32, kind: u32, next: u64): bool {
    const reason = Deliver.softwareInterrupt(c, vector, kind, next);
    if (reason != 0) {
      c.exitReason = reason;
      c.fault = FAULT_EXIT;
    }
    return true;
  }

  private static popFlags(c: Cpu, size: u32): void {
    const value = <u32>StackOps.pop(c, size);
    if (c.fault) return;
    const bits = SystemFlags.loadable(c, Size.bytes(size));
    c.rflags = (c.rflags & ~bits) | (value & bits) | FLAG_FIXED;
  }

  private static farIndirect(c: Cpu, r: Rec, next: u64): void {
    const bytes = Size.bytes(r.size);
    const lin = Ea.linear(c, r);
    const seg = r.seg;
    const offset = AnyMem.read(c, lin, seg, r.size);
    if (c.fault) return;
    const selector = Mem.read16(c, lin + <u64>bytes, seg);
    if (c.fault) return;
    if (<i32>r.sub == SYS_CALL_FAR_RM) Far.call(c, selector, offset, bytes, next);
    else Far.jump(c, selector, offset, bytes);
  }

  /** Loading SS blocks interrupts for one more instruction. */
  private static loadSegment(c: Cpu, index: u32, selector: u32): void {
    if (c.fault) return;
    Segments.load(c, index, selector);
    if (c.fault == 0 && index == <u32>SEG_SS) c.interruptibility |= BLOCKED_BY_MOV_SS;
  }

  private static popSegment(c: Cpu, r: Rec): void {
    const mask = Mode.stackMask(c);
    const sp = c.rsp;
    const selector = <u32>AnyMem.read(c, StackOps.linear(c, sp), SEG_SS, r.size);
    SystemOps.loadSegment(c, <u32>r.d, selector);
    if (c.fault == 0) c.rsp = Stack.merge(sp, mask, sp + <u64>Size.bytes(r.size));
  }

  /** 16 bits to memory, the operand size to a register. */
  private static storeWord(c: Cpu, r: Rec, value: u64): void {
    if (<u32>r.form & FORM_MEM) Mem.write16(c, Ea.linear(c, r), r.seg, <u32>value);
    else Reg.set(c, <u32>r.d, r.size, value);
  }

  private static storeSelector(c: Cpu, r: Rec, selector: u32): void {
    SystemOps.storeWord(c, r, <u64>selector);
  }

  private static loadSystemSegment(c: Cpu, r: Rec): void {
    if (!Mode.isProtected(c)) {
      Fault.ud(c);
      return;
    }
    const selector = <u32>Rm.read(c, r, <u32>r.s);
    if (c.fault) return;
    if (<i32>r.sub == SYS_LLDT) Tables.lldt(c, selector);
    else Tables.ltr(c, selector);
  }

  private static port(c: Cpu, r: Rec): void {
    const isImmediate = (<u32>r.form & FORM_IMM) != 0;
    const flags: u32 = isImmediate ? 1 << QUAL_IO_IMMEDIATE_BIT : 0;
    const port = isImmediate ? <u32>r.imm : <u32>Reg.get(c, RDX, 1);
    const bytes = Size.bytes(r.size);
    if (<i32>r.sub == SYS_OUT) {
      PortIo.output(c, port, bytes, <u32>Reg.get(c, 0, r.size), flags);
      return;
    }
    const value = PortIo.input(c, port, bytes, flags);
    if (c.fault == 0) Reg.set(c, 0, r.size, value);
  }

  /** INS and OUTS: outside replay the exit comes first; in replay one element is done. @returns true when more are to come. */
  private static stringPort(c: Cpu, r: Rec): bool {
    const size = r.size;
    const bytes = Size.bytes(size);
    const addressSize = <u32>r.d;
    const isRepeated = r.imm != 0;
    const count: u64 = isRepeated ? Reg.get(c, RCX, addressSize) : 1;
    if (count == 0) return false;
    const port = <u32>Reg.get(c, RDX, 1);
    const flags: u32 = (1 << QUAL_IO_STRING_BIT) | (isRepeated ? 1 << QUAL_IO_REP_BIT : 0);
    const isInput = <i32>r.sub == SYS_INS;
    const pointer = isInput ? RDI : RSI;
    const offset = Reg.get(c, pointer, addressSize);
    let lin = offset;
    if (isInput) {
      if (!Mode.is64(c)) lin = (offset + c.seg(SEG_ES).base) & 0xffff_ffff;
      if (c.replay) Mem.probeWrite(c, lin, SEG_ES, bytes);
      if (c.fault) return false;
      const value = PortIo.input(c, port, bytes, flags);
      if (c.fault) {
        if (isRepeated) SystemOps.describePort(c, r, STRING_INS, 0, lin);
        return false;
      }
      AnyMem.write(c, lin, SEG_ES, size, value);
    } else {
      lin = offset + load<u64>(changetype<usize>(c) + <usize>r.segBase);
      if (!Mode.is64(c)) lin &= 0xffff_ffff;
      const value = c.replay ? <u32>AnyMem.read(c, lin, r.seg, size) : 0;
      if (c.fault) return false;
      PortIo.output(c, port, bytes, value, flags);
      if (c.fault && isRepeated) SystemOps.describePort(c, r, STRING_OUTS, lin, 0);
    }
    if (c.fault) return false;
    const step: u64 = c.rflags & FLAG_DF ? -(<u64>bytes) : <u64>bytes;
    Reg.set(c, pointer, addressSize, offset + step);
    if (isRepeated) Reg.set(c, RCX, addressSize, count - 1);
    return count > 1;
  }

  private static describePort(c: Cpu, r: Rec, kind: u32, from: u64, to: u64): void {
    if (c.fault == FAULT_EXIT && c.replay == 0) StringExit.describe(c, r, kind, from, to);
  }
}
