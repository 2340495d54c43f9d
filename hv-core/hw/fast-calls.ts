/** SYSCALL, SYSRET, SYSENTER, SYSEXIT (SDM 2B, and AMD64 volume 3 for SYSCALL outside 64-bit mode). */
import { SEG_CS, SEG_SS } from "../abi/cpu";
import {
  ATTR_ACCESSED,
  ATTR_CODE,
  ATTR_DB,
  ATTR_DPL_SHIFT,
  ATTR_G,
  ATTR_L,
  ATTR_P,
  ATTR_S,
  ATTR_WRITABLE,
  EFER_SCE,
  FLAG_FIXED,
  FLAG_IF,
  FLAG_RF,
  FLAG_VM,
} from "../abi/regs";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { Flags } from "./flags";
import { Mode } from "./mode";
import { System } from "./system";

const FLAT_CODE: u32 = ATTR_S | ATTR_P | ATTR_G | ATTR_CODE | ATTR_WRITABLE | ATTR_ACCESSED;
const FLAT_DATA: u32 = ATTR_S | ATTR_P | ATTR_G | ATTR_DB | ATTR_WRITABLE | ATTR_ACCESSED;
/** Flags that SYSRET cannot load. */
const SYSRET_KEEPS_OUT: u32 = FLAG_RF | FLAG_VM;

export class FastCalls {
  /** #UD unless EFER.SCE is set in 64-bit mode (compatibility mode has no SYSCALL on this vendor's processors). */
  static syscall(c: Cpu, nextRip: u64): void {
    if ((c.efer & EFER_SCE) == 0 || !Mode.is64(c)) {
      Fault.ud(c);
      return;
    }
    Flags.settle(c);
    c.rcx = nextRip;
    c.r11 = <u64>(c.rflags & ~(<u32>FLAG_RF));
    c.rflags = (c.rflags & ~(<u32>c.sfmask) & ~(<u32>FLAG_RF)) | FLAG_FIXED;
    const selector = <u32>(c.star >> 32) & 0xfffc;
    FastCalls.flat(c, selector, selector + 8, 0, true);
    c.rip = c.lstar;
  }

  /** `opSize` 8 returns to 64-bit code, 4 to compatibility mode. #GP(0) for a non-canonical RCX is raised before anything changes. */
  static sysret(c: Cpu, opSize: u32): void {
    if ((c.efer & EFER_SCE) == 0 || !Mode.is64(c)) {
      Fault.ud(c);
      return;
    }
    if (!System.privileged(c)) return;
    if (opSize == 8 && !Mode.isCanonical(c.rcx)) {
      Fault.gp0(c);
      return;
    }
    Flags.settle(c);
    c.rflags = (<u32>c.r11 & 0x003f_7fd7 & ~SYSRET_KEEPS_OUT) | FLAG_FIXED;
    const base = <u32>(c.star >> 48) & 0xffff;
    FastCalls.flat(c, opSize == 8 ? base + 16 : base, base + 8, 3, opSize == 8);
    c.rip = opSize == 8 ? c.rcx : c.rcx & 0xffff_ffff;
  }

  static sysenter(c: Cpu): void {
    const selector = <u32>c.sysenterCs & 0xfffc;
    if (!Mode.isProtected(c) || selector == 0) {
      Fault.gp0(c);
      return;
    }
    const goes64 = Mode.isLong(c);
    c.rflags &= ~(<u32>(FLAG_IF | FLAG_VM));
    FastCalls.flat(c, selector, selector + 8, 0, goes64);
    c.rip = goes64 ? c.sysenterEip : c.sysenterEip & 0xffff_ffff;
    c.rsp = goes64 ? c.sysenterEsp : c.sysenterEsp & 0xffff_ffff;
  }

  /** `opSize` 8 returns to 64-bit code (long mode only). */
  static sysexit(c: Cpu, opSize: u32): void {
    const selector = <u32>c.sysenterCs & 0xfffc;
    if (!Mode.isProtected(c) || selector == 0 || c.cpl != 0) {
      Fault.gp0(c);
      return;
    }
    const goes64 = opSize == 8;
    if (goes64 && (!Mode.isCanonical(c.rdx) || !Mode.isCanonical(c.rcx))) {
      Fault.gp0(c);
      return;
    }
    const code = selector + (goes64 ? 32 : 16);
    FastCalls.flat(c, code, code + 8, 3, goes64);
    c.rip = goes64 ? c.rdx : c.rdx & 0xffff_ffff;
    c.rsp = goes64 ? c.rcx : c.rcx & 0xffff_ffff;
  }

  /** CS and SS as these instructions load them: flat, without looking at a descriptor table. */
  private static flat(c: Cpu, code: u32, stack: u32, cpl: u32, is64: bool): void {
    const cs = c.seg(SEG_CS);
    cs.selector = (code & 0xfffc) | cpl;
    cs.base = 0;
    cs.limit = 0xffff_ffff;
    cs.attr = FLAT_CODE | (cpl << ATTR_DPL_SHIFT) | (is64 ? ATTR_L : ATTR_DB);
    const ss = c.seg(SEG_SS);
    ss.selector = (stack & 0xfffc) | cpl;
    ss.base = 0;
    ss.limit = 0xffff_ffff;
    ss.attr = FLAT_DATA | (cpl << ATTR_DPL_SHIFT);
    c.cpl = cpl;
    Mode.update(c);
  }
}
