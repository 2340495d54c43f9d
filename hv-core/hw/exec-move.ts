/**
 * Moves that hw/exec.ts does not specialise: MOV in 8 and 16 bits, MOVZX and MOVSX to 16 bits, CMOVcc, SETcc, LEA with a 16-bit
 * result, MOVNTI. Also XCHG, XADD, CMPXCHG and CMPXCHG8B/16B, whose LOCK is free here: an instruction is never interrupted.
 */
import { FLAG_ZF } from "../abi/regs";
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { Flags } from "./flags";
import { AnyMem, Ea, Reg, Rm, Size } from "./operand";
import { FORM_MEM, FORM_REVERSE, Rec } from "./record";

// Rec.sub of OP_EXTEND: bit 0 sign, bit 1 the source has 16 bits instead of 8.
export const SUB_SIGN: u32 = 1;
export const SUB_FROM16: u32 = 2;

// Rec.sub of OP_ATOMIC.
export const SUB_XCHG: i32 = 0;
export const SUB_XADD: i32 = 1;
export const SUB_CMPXCHG: i32 = 2;
export const SUB_CMPXCHG_PAIR: i32 = 3;

export class Move {
  static mov(c: Cpu, r: Rec): void {
    if (<u32>r.form & FORM_REVERSE) {
      const value = Rm.read(c, r, <u32>r.s);
      if (c.fault == 0) Reg.set(c, <u32>r.d, r.size, value);
    } else Rm.write(c, r, <u32>r.d, Rm.source(c, r));
  }

  static extend(c: Cpu, r: Rec): void {
    const from: u32 = r.sub & SUB_FROM16 ? 1 : 0;
    let value: u64;
    if (<u32>r.form & FORM_MEM) value = AnyMem.read(c, Ea.linear(c, r), r.seg, from);
    else value = Reg.get(c, <u32>r.s, from);
    if (c.fault) return;
    if (r.sub & SUB_SIGN) value = Size.signed(value, from);
    Reg.set(c, <u32>r.d, r.size, value);
  }

  /** The source is read, and may fault, even when the condition does not hold; a 32-bit destination loses its upper half always. */
  static cmov(c: Cpu, r: Rec): void {
    const value = Rm.read(c, r, <u32>r.s);
    if (c.fault) return;
    if (Flags.condition(c, r.sub)) Reg.set(c, <u32>r.d, r.size, value);
    else if (r.size == 2) Reg.set32(c, <u32>r.d, Reg.get32(c, <u32>r.d));
  }

  static setcc(c: Cpu, r: Rec): void {
    Rm.write(c, r, <u32>r.d, Flags.condition(c, r.sub) ? 1 : 0);
  }

  static lea16(c: Cpu, r: Rec): void {
    Reg.set16(c, <u32>r.d, <u32>Ea.offset(c, r));
  }
}

export class Atomic {
  static exec(c: Cpu, r: Rec): void {
    switch (<i32>r.sub) {
      case SUB_XCHG:
        Atomic.xchg(c, r);
        break;
      case SUB_XADD:
        Atomic.xadd(c, r);
        break;
      case SUB_CMPXCHG:
        Atomic.cmpxchg(c, r);
        break;
      default:
        if (r.size == 3) Atomic.cmpxchg16b(c, r);
        else Atomic.cmpxchg8b(c, r);
        break;
    }
  }

  private static xchg(c: Cpu, r: Rec): void {
    const size = r.size;
    const a = Rm.readForWrite(c, r, <u32>r.d);
    if (c.fault) return;
    const b = Reg.get(c, <u32>r.s, size);
    Rm.write(c, r, <u32>r.d, b);
    if (c.fault) return;
    Reg.set(c, <u32>r.s, size, a);
  }

  private static xadd(c: Cpu, r: Rec): void {
    const size = r.size;
    const a = Rm.readForWrite(c, r, <u32>r.d);
    if (c.fault) return;
    const b = Reg.get(c, <u32>r.s, size);
    if (<u32>r.form & FORM_MEM) {
      Rm.write(c, r, <u32>r.d, a + b);
      if (c.fault) return;
      Reg.set(c, <u32>r.s, size, a);
    } else {
      // With the same register twice, the sum is what stays.
      Reg.set(c, <u32>r.s, size, a);
      Reg.set(c, <u32>r.d, size, a + b);
    }
    Flags.setAdd(c, Size.signed(a + b, size), Size.signed(a, size), Size.signed(b, size));
  }

  /** The destination is written in any case: with what it held when the comparison fails. */
  // A comparison that fails writes the old value back, which is why it needs a writable page. Replay leaves that write out: Xen's
  // emulator asks a device for the read alone.

  private static cmpxchg(c: Cpu, r: Rec): void {
    const size = r.size;
    const old = Rm.readForWrite(c, r, <u32>r.d);
    if (c.fault) return;
    const accumulator = Reg.get(c, 0, size);
    const isEqual = old == accumulator;
    if (isEqual) Rm.write(c, r, <u32>r.d, Reg.get(c, <u32>r.s, size));
    else if (<u32>r.form & FORM_MEM && c.replay == 0) Rm.write(c, r, <u32>r.d, old);
    if (c.fault) return;
    // A register destination that is not equal keeps its upper half (AMD; Intel would clear it).
    if (!isEqual) Reg.set(c, 0, size, old);
    const a = Size.signed(accumulator, size);
    const b = Size.signed(old, size);
    Flags.setSub(c, Size.signed(a - b, size), a, b);
  }

  private static setZero(c: Cpu, isEqual: bool): void {
    Flags.store(c, (Flags.image(c) & ~(<u32>FLAG_ZF)) | (isEqual ? FLAG_ZF : 0));
  }

  private static cmpxchg8b(c: Cpu, r: Rec): void {
    const lin = Ea.linear(c, r);
    const seg = r.seg;
    const old = Mem.readForWrite64(c, lin, seg);
    if (c.fault) return;
    const isEqual = old == ((c.rdx << 32) | (c.rax & 0xffff_ffff));
    if (isEqual) Mem.write64(c, lin, seg, (c.rcx << 32) | (c.rbx & 0xffff_ffff));
    else if (c.replay == 0) Mem.write64(c, lin, seg, old);
    if (c.fault) return;
    if (!isEqual) {
      c.rax = old & 0xffff_ffff;
      c.rdx = old >> 32;
    }
    Atomic.setZero(c, isEqual);
  }

  private static cmpxchg16b(c: Cpu, r: Rec): void {
    const lin = Ea.linear(c, r);
    const seg = r.seg;
    if (lin & 15) {
      Fault.gp0(c);
      return;
    }
    const low = Mem.readForWrite64(c, lin, seg);
    if (c.fault) return;
    const high = Mem.readForWrite64(c, lin + 8, seg);
    if (c.fault) return;
    const isEqual = low == c.rax && high == c.rdx;
    if (isEqual || c.replay == 0) {
      Mem.write64(c, lin, seg, isEqual ? c.rbx : low);
      if (c.fault) return;
      Mem.write64(c, lin + 8, seg, isEqual ? c.rcx : high);
      if (c.fault) return;
    }
    if (!isEqual) {
      c.rax = low;
      c.rdx = high;
    }
    Atomic.setZero(c, isEqual);
  }
}
