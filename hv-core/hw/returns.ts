/**
 * What RET far and IRET have in common (SDM 2B, RET; 2A, IRET): the checks of the code segment returned to, the stack segment of an
 * outer privilege, and the commit. Values have been popped already; nothing is changed before everything has been checked.
 */
import { SEG_SS, VEC_GP, VEC_NP } from "../abi/cpu";
import { ATTR_CODE, ATTR_EXPAND_DOWN, ATTR_P } from "../abi/regs";
import { Cpu } from "./cpu";
import { Descriptor } from "./descriptor";
import { Fault } from "./exceptions";
import { Mode } from "./mode";
import { Segments } from "./segments";
import { Stack } from "./stack";

export class Returns {
  /** Reads and checks the code segment to return to. c.fault on failure. */
  static checkCode(c: Cpu, selector: u32, rip: u64): u64 {
    const raw = Segments.readCode(c, selector, 0);
    if (c.fault) return 0;
    const attr = Descriptor.attr(raw);
    const rpl = selector & 3;
    const dpl = Descriptor.dpl(raw);
    const isConforming = (attr & (ATTR_CODE | ATTR_EXPAND_DOWN)) == (ATTR_CODE | ATTR_EXPAND_DOWN);
    if (rpl < c.cpl || (isConforming ? dpl > rpl : dpl != rpl)) Segments.refuse(c, VEC_GP, selector, 0);
    else if ((attr & ATTR_P) == 0) Segments.refuse(c, VEC_NP, selector, 0);
    else if (!Segments.isTargetLegal(c, raw, rip)) Fault.gp0(c);
    else Descriptor.markAccessed(c, selector, raw);
    return raw;
  }

  /** Returns inside the current privilege: the stack position becomes `sp`. */
  static same(c: Cpu, selector: u32, raw: u64, rip: u64, sp: u64): void {
    c.rsp = Stack.merge(c.rsp, Mode.stackMask(c), sp);
    Segments.setCode(c, selector, raw, c.cpl);
    c.rip = rip;
  }

  /**
   * Returns to an outer privilege (or, for IRET in 64-bit mode, anywhere) with a stack that was popped too. `sp` is the new position,
   * of which `spSize` bytes were popped. On failure c.fault is set and nothing has changed.
   */
  static outer(c: Cpu, selector: u32, raw: u64, rip: u64, ss: u32, sp: u64, spSize: u32): void {
    const cpl = selector & 3;
    const goes64 = Segments.isCode64(c, raw);
    let stack: u64 = 0;
    const isNull = Descriptor.isNull(ss);
    if (isNull) {
      if (!goes64 || cpl == 3 || (ss & 3) != cpl) Fault.gp0(c);
    } else stack = Segments.checkStack(c, ss, cpl, VEC_GP, 0);
    if (c.fault) return;

    const old = c.rsp;
    const isOuter = cpl > c.cpl;
    Segments.setCode(c, selector, raw, cpl);
    if (isNull) Descriptor.fillNull(c.seg(SEG_SS), ss, cpl);
    else Descriptor.fill(c.seg(SEG_SS), ss, stack);
    Mode.update(c);
    const mask = Mode.stackMask(c);
    c.rsp = goes64 && spSize == 8 ? sp : Stack.merge(old, mask, sp);
    c.rip = rip;
    if (isOuter) Segments.dropInner(c);
  }
}
