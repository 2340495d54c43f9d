/**
 * The mode word: what the decoder and the fast paths need to know about CR0, CR4, EFER, CS, SS and CPL, in one u32.
 *
 *   21..16                     14    13    12   11..10      9        8        7..0
 *   null GS FS DS SS CS ES     user  LMA   PE   paging      stack64  stack32  code size 16, 32 or 64
 *
 * Decoded blocks are keyed by it. It is derived: Mode.update must follow every change of what it is made of.
 */
import { SEG_CS, SEG_GS, SEG_SS } from "../abi/cpu";
import { ATTR_DB, ATTR_L, ATTR_UNUSABLE, CR0_PE, CR0_PG_BIT, CR4_PAE, EFER_LMA } from "../abi/regs";
import { Cpu } from "./cpu";
import {
  DENY_SMC,
  DENY_SUPER_READ,
  DENY_SUPER_WRITE,
  DENY_USER_READ,
  DENY_USER_WRITE,
  DENY_WATCH,
  TLB_EMPTY,
  TLB_PAGE_MASK,
} from "./tlb";

export const MODE_CODE_MASK: u32 = 0xff;
export const MODE_STACK32: u32 = 0x100;
export const MODE_STACK64: u32 = 0x200;
export const MODE_PAGING_SHIFT: u32 = 10;
export const MODE_PE: u32 = 0x1000;
export const MODE_LONG: u32 = 0x2000;
export const MODE_USER: u32 = 0x4000;

/** Bit 16 + n: segment register n is unusable (a null selector) where that matters: every access through it is #GP(0). */
export const MODE_NULL_SHIFT: u32 = 16;

export const PAGING_OFF: u32 = 0;
export const PAGING_TWO_LEVEL: u32 = 1;
export const PAGING_PAE: u32 = 2;
export const PAGING_FOUR_LEVEL: u32 = 3;

export const CR0_PG: u64 = (<u64>1) << CR0_PG_BIT;

export class Mode {
  /** 64-bit mode proper: long mode active and CS.L = 1. */
  @inline static is64(c: Cpu): bool {
    return (c.mode & MODE_CODE_MASK) == 64;
  }

  /** Long mode active: 64-bit or compatibility mode. */
  @inline static isLong(c: Cpu): bool {
    return (c.mode & MODE_LONG) != 0;
  }

  @inline static isProtected(c: Cpu): bool {
    return (c.mode & MODE_PE) != 0;
  }

  @inline static paging(c: Cpu): u32 {
    return (c.mode >> MODE_PAGING_SHIFT) & 3;
  }

  /** Mask of the bits of RIP and of linear addresses that exist in this mode. */
  @inline static addressMask(c: Cpu): u64 {
    return Mode.is64(c) ? 0xffff_ffff_ffff_ffff : 0xffff_ffff;
  }

  /** Bits of RSP that a push uses: by CS.L and SS.B. */
  @inline static stackMask(c: Cpu): u64 {
    if (c.mode & MODE_STACK64) return 0xffff_ffff_ffff_ffff;
    return c.mode & MODE_STACK32 ? 0xffff_ffff : 0xffff;
  }

  /** Bits 63:47 are all equal (48-bit linear addresses). */
  @inline static isCanonical(address: u64): bool {
    return <u64>(<i64>(address << 16) >> 16) == address;
  }

  /** Whether segment register `seg` takes no store at all: it is null, or the code segment of protected mode. */
  static isStoreRefused(c: Cpu, seg: u32): bool {
    if ((c.mode >> (MODE_NULL_SHIFT + seg)) & 1) return true;
    return seg == <u32>SEG_CS && (c.mode & MODE_PE) != 0 && !Mode.is64(c);
  }

  private static nullSegments(c: Cpu): u32 {
    let bits: u32 = 0;
    for (let i: u32 = 0; i <= <u32>SEG_GS; i++) {
      if (c.seg(i).attr & ATTR_UNUSABLE) bits |= (<u32>1) << (MODE_NULL_SHIFT + i);
    }
    return bits;
  }

  /** To be called after every change of a segment register, CPL, CR0, CR4.PAE or EFER.LMA. */
  static update(c: Cpu): void {
    let mode: u32 = 0;
    const isLong = (c.efer & EFER_LMA) != 0;
    const code = c.seg(SEG_CS).attr;
    if (isLong && (code & ATTR_L) != 0) mode = 64 | MODE_STACK64;
    else {
      mode = code & ATTR_DB ? 32 : 16;
      if (c.seg(SEG_SS).attr & ATTR_DB) mode |= MODE_STACK32;
    }
    if (c.cr0 & CR0_PE) mode |= MODE_PE;
    if (isLong) mode |= MODE_LONG;
    if (c.cr0 & CR0_PG) {
      let paging = PAGING_TWO_LEVEL;
      if (isLong) paging = PAGING_FOUR_LEVEL;
      else if (c.cr4 & CR4_PAE) paging = PAGING_PAE;
      mode |= paging << MODE_PAGING_SHIFT;
    }
    if (c.cpl == 3) {
      mode |= MODE_USER;
      c.readMask = TLB_PAGE_MASK | DENY_USER_READ | DENY_WATCH;
      c.writeMask = TLB_PAGE_MASK | DENY_USER_WRITE | DENY_SMC | DENY_WATCH;
    } else {
      c.readMask = TLB_PAGE_MASK | DENY_SUPER_READ | DENY_WATCH;
      c.writeMask = TLB_PAGE_MASK | DENY_SUPER_WRITE | DENY_SMC | DENY_WATCH;
    }
    if ((c.cr0 & CR0_PE) != 0 && (mode & MODE_CODE_MASK) != 64) mode |= Mode.nullSegments(c);
    c.mode = mode;
    c.fetchPage = TLB_EMPTY; // the rights of the next fetch may be others
  }
}
