/** Who may change which bit of RFLAGS: POPF, IRET, CLI, STI (SDM 2B, POPF and tables 4-16, 4-17). */
import {
  FLAG_AC,
  FLAG_AF,
  FLAG_CF,
  FLAG_DF,
  FLAG_ID,
  FLAG_IF,
  FLAG_IOPL,
  FLAG_IOPL_SHIFT,
  FLAG_NT,
  FLAG_OF,
  FLAG_PF,
  FLAG_SF,
  FLAG_TF,
  FLAG_ZF,
} from "../abi/regs";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { Mode } from "./mode";

/** Blocking of interrupts in Cpu.interruptibility. */
export const BLOCKED_BY_STI: u32 = 1;
export const BLOCKED_BY_MOV_SS: u32 = 2;
export const BLOCKED_BY_NMI: u32 = 8;

/** Flags that code of any privilege may load. */
const FLAGS_FREE: u32 =
  FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_TF | FLAG_DF | FLAG_OF | FLAG_NT | FLAG_AC | FLAG_ID;

export class SystemFlags {
  @inline static iopl(c: Cpu): u32 {
    return Mode.isProtected(c) ? (c.rflags & FLAG_IOPL) >> FLAG_IOPL_SHIFT : 3;
  }

  /** Bits of RFLAGS that a POPF of this operand size (2, 4, 8) loads; IRET loads RF besides. */
  static loadable(c: Cpu, opSize: u32): u32 {
    let bits = FLAGS_FREE;
    if (c.cpl == 0) bits |= FLAG_IOPL;
    if (c.cpl <= SystemFlags.iopl(c)) bits |= FLAG_IF;
    return opSize == 2 ? bits & 0xffff : bits;
  }

  /** #GP(0) above IOPL. */
  static cli(c: Cpu): void {
    if (c.cpl > SystemFlags.iopl(c)) Fault.gp0(c);
    else c.rflags &= ~(<u32>FLAG_IF);
  }

  /** #GP(0) above IOPL. Interrupts stay blocked for one more instruction when IF was clear. */
  static sti(c: Cpu): void {
    if (c.cpl > SystemFlags.iopl(c)) {
      Fault.gp0(c);
      return;
    }
    if ((c.rflags & FLAG_IF) == 0) c.interruptibility |= BLOCKED_BY_STI;
    c.rflags |= FLAG_IF;
  }
}
