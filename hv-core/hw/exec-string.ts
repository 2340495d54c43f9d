/**
 * MOVS CMPS STOS LODS SCAS with and without REP.
 *
 * A repeated instruction is executed in chunks: as many elements as start in the current page of both pointers. After a chunk that
 * was not the last the instruction is entered again, so an interrupt can be taken there; a chunk counts as one instruction. How
 * long a chunk is depends on registers only, never on what is cached, or virtual time would depend on it too.
 * Inside a chunk MOVS and STOS use memory.copy and memory.fill when both pages are plain TLB hits.
 */
import { SEG_ES } from "../abi/cpu";
import { FLAG_DF, FLAG_TF } from "../abi/regs";
import { Mem } from "./access";
import { Cpu } from "./cpu";
import { FAULT_EXIT, Fault } from "./exceptions";
import { Flags } from "./flags";
import { MODE_NULL_SHIFT, Mode } from "./mode";
import { AnyMem, Reg, Size } from "./operand";
import { Rec, WRAP_32 } from "./record";
import { STRING_MOVS, STRING_STOS, StringExit } from "./string-exit";

// Rec.sub of OP_STRING.
export const SUB_MOVS: i32 = 0;
export const SUB_CMPS: i32 = 1;
export const SUB_STOS: i32 = 2;
export const SUB_LODS: i32 = 3;
export const SUB_SCAS: i32 = 4;

// Rec.imm of OP_STRING.
export const REP_NONE: u64 = 0;
export const REP_WHILE_EQUAL: u64 = 1; // F3
export const REP_WHILE_NOT_EQUAL: u64 = 2; // F2

// Byte offsets in the register file.
const RCX: u32 = 8;
const RSI: u32 = 48;
const RDI: u32 = 56;

export class Strings {
  /** @returns true when the instruction is complete (or has faulted), false when it must be entered again. */
  static exec(c: Cpu, r: Rec): bool {
    const sub = <i32>r.sub;
    const isRepeated = r.imm != REP_NONE;
    const addressSize = <u32>r.d;
    let count: u64 = 1;
    if (isRepeated) {
      count = Reg.get(c, RCX, addressSize);
      if (count == 0) return true;
    }
    if (c.mode >> MODE_NULL_SHIFT && Strings.isSegmentNull(c, r)) {
      Strings.refuse(c, r);
      return true;
    }
    let n = count;
    if (isRepeated) {
      if (c.replay || (c.rflags & FLAG_TF) != 0) n = 1;
      else {
        if (sub != SUB_LODS) n = Strings.inPage(c, Strings.destination(c, r), r.size, n);
        if (sub != SUB_STOS && sub != SUB_SCAS) n = Strings.inPage(c, Strings.source(c, r), r.size, n);
      }
    }
    if (n > 1 && (sub == SUB_MOVS || sub == SUB_STOS) && (c.rflags & FLAG_DF) == 0) {
      if (Strings.bulk(c, r, n)) return n == count;
      if (!Strings.element(c, r, isRepeated)) return Strings.stopped(c, r);
      n--;
      count--;
      if (n > 1 && Strings.bulk(c, r, n)) return n == count;
    }
    for (; n != 0; n--) {
      if (!Strings.element(c, r, isRepeated)) return isRepeated ? Strings.stopped(c, r) : true;
      count--;
    }
    return count == 0;
  }

  /** An element faulted or ended the instruction. An exit says how many more MOVS or STOS would do. */
  private static stopped(c: Cpu, r: Rec): bool {
    if (c.fault != FAULT_EXIT || c.replay != 0) return true;
    const sub = <i32>r.sub;
    if (sub == SUB_MOVS) StringExit.describe(c, r, STRING_MOVS, Strings.source(c, r), Strings.destination(c, r));
    else if (sub == SUB_STOS) StringExit.describe(c, r, STRING_STOS, 0, Strings.destination(c, r));
    return true;
  }

  /** Whether the source's segment or ES, if they are used, are null. */
  private static isSegmentNull(c: Cpu, r: Rec): bool {
    const sub = <i32>r.sub;
    let used: u32 = 0;
    if (sub != SUB_LODS) used |= (<u32>1) << SEG_ES;
    if (sub != SUB_STOS && sub != SUB_SCAS) used |= (<u32>1) << r.seg;
    return ((c.mode >> MODE_NULL_SHIFT) & used) != 0;
  }

  /** #GP(0) for a null segment; but a source that can be reached is read first, and its fault comes first. */
  private static refuse(c: Cpu, r: Rec): void {
    const sub = <i32>r.sub;
    const hasBoth = sub == SUB_MOVS || sub == SUB_CMPS;
    if (hasBoth && ((c.mode >> (MODE_NULL_SHIFT + <u32>r.seg)) & 1) == 0)
      AnyMem.read(c, Strings.source(c, r), r.seg, r.size);
    if (c.fault == 0) Fault.gp0(c);
  }

  /** Linear address of the next source element: DS:rSI, or with another segment. */
  private static source(c: Cpu, r: Rec): u64 {
    const lin = Reg.get(c, RSI, <u32>r.d) + load<u64>(changetype<usize>(c) + <usize>r.segBase);
    return <u32>r.scaleSeg & WRAP_32 ? lin & 0xffff_ffff : lin;
  }

  /** Linear address of the next destination element: always ES:rDI. */
  private static destination(c: Cpu, r: Rec): u64 {
    const offset = Reg.get(c, RDI, <u32>r.d);
    return Mode.is64(c) ? offset : (offset + c.seg(SEG_ES).base) & 0xffff_ffff;
  }

  /** How many of `n` elements start in the page of `lin`; an element over the page's end is alone. */
  private static inPage(c: Cpu, lin: u64, size: u32, n: u64): u64 {
    const offset = lin & 4095;
    let fit: u64;
    if (c.rflags & FLAG_DF) fit = offset + <u64>Size.bytes(size) > 4096 ? 1 : (offset >> <u64>size) + 1;
    else fit = (4096 - offset) >> <u64>size;
    if (fit == 0) fit = 1;
    return fit < n ? fit : n;
  }

  @inline private static advance(c: Cpu, register: u32, addressSize: u32, by: u64): void {
    Reg.set(c, register, addressSize, load<u64>(changetype<usize>(c) + register) + by);
  }

  /** `n` elements at once, forward; false when it is not that simple and nothing has happened. */
  private static bulk(c: Cpu, r: Rec, n: u64): bool {
    const size = r.size;
    const addressSize = <u32>r.d;
    const bytes = n << (<u64>size);
    if (Reg.get(c, RDI, addressSize) + bytes - 1 > Size.mask(addressSize)) return false;
    const to = Mem.probe(c, Strings.destination(c, r), true);
    if (to == 0) return false;
    if (<i32>r.sub == SUB_MOVS) {
      if (Reg.get(c, RSI, addressSize) + bytes - 1 > Size.mask(addressSize)) return false;
      const from = Mem.probe(c, Strings.source(c, r), false);
      if (from == 0) return false;
      // A destination a little above the source repeats a pattern: element by element.
      if (to > from && to < from + <u32>bytes) return false;
      memory.copy(<usize>to, <usize>from, <usize>bytes);
      Strings.advance(c, RSI, addressSize, bytes);
    } else Strings.fill(<usize>to, size, c.rax, <u32>n);
    Strings.advance(c, RDI, addressSize, bytes);
    Strings.advance(c, RCX, addressSize, -n);
    return true;
  }

  private static fill(to: usize, size: u32, value: u64, n: u32): void {
    const bytes = n << size;
    const byte = value & 0xff;
    if (((value ^ (byte * 0x0101_0101_0101_0101)) & Size.mask(size)) == 0) {
      memory.fill(to, <u8>byte, <usize>bytes);
      return;
    }
    const end = to + <usize>bytes;
    for (; to < end; to += <usize>Size.bytes(size)) {
      if (size == 3) store<u64>(to, value);
      else if (size == 2) store<u32>(to, <u32>value);
      else store<u16>(to, <u16>value);
    }
  }

  /** One element. @returns false when the instruction ends here: fault, or the condition of REPE/REPNE. */
  private static element(c: Cpu, r: Rec, isRepeated: bool): bool {
    const size = r.size;
    const sub = <i32>r.sub;
    const addressSize = <u32>r.d;
    const step: u64 = c.rflags & FLAG_DF ? -(<u64>Size.bytes(size)) : <u64>Size.bytes(size);
    let value: u64 = 0;
    if (sub == SUB_STOS || sub == SUB_SCAS) value = Reg.get(c, 0, size);
    else value = AnyMem.read(c, Strings.source(c, r), r.seg, size);
    if (c.fault) return false;
    let other: u64 = 0;
    if (sub == SUB_MOVS || sub == SUB_STOS) AnyMem.write(c, Strings.destination(c, r), SEG_ES, size, value);
    else if (sub != SUB_LODS) other = AnyMem.read(c, Strings.destination(c, r), SEG_ES, size);
    if (c.fault) return false;

    if (sub == SUB_LODS) Reg.set(c, 0, size, value);
    if (sub != SUB_STOS && sub != SUB_SCAS) Strings.advance(c, RSI, addressSize, step);
    if (sub != SUB_LODS) Strings.advance(c, RDI, addressSize, step);
    if (isRepeated) Strings.advance(c, RCX, addressSize, -1);
    if (sub != SUB_CMPS && sub != SUB_SCAS) return true;
    const a = Size.signed(value, size);
    const b = Size.signed(other, size);
    Flags.setSub(c, Size.signed(a - b, size), a, b);
    return !isRepeated || (value == other) == (r.imm == REP_WHILE_EQUAL);
  }
}
