/**
 * IRET, IRETD, IRETQ (SDM 2A): back from an exception or interrupt, to the same or an outer privilege; in 64-bit mode the stack is
 * always popped. A return to a nested task leaves the guest with EXIT_TASK_SWITCH.
 */
import { SEG_CS, SEG_TR } from "../abi/cpu";
import { EXIT_EPT_VIOLATION, EXIT_PML_FULL, EXIT_TASK_SWITCH, QUAL_NMI_UNBLOCKED_BIT } from "../abi/exits";
import { FLAG_FIXED, FLAG_NT, FLAG_RF, FLAG_VIF, FLAG_VIP, FLAG_VM } from "../abi/regs";
import { Cpu } from "./cpu";
import { FAULT_EXIT, Fault } from "./exceptions";
import { Flags } from "./flags";
import { Mode } from "./mode";
import { Returns } from "./returns";
import { Stack } from "./stack";
import { BLOCKED_BY_NMI, SystemFlags } from "./system-flags";

/** Source IRET in bits 31:30 of a task switch's qualification. */
const TASK_SWITCH_IRET: u64 = (<u64>1) << 30;

export class Iret {
  /**
   * `opSize` is 2, 4 or 8 bytes. On failure c.fault is set and nothing has changed but that NMIs are let through: IRET does that first,
   * also when it faults then (SDM 3A 6.7.1). An EPT violation on its stack says so in bit 12 of the qualification (SDM 3C 28.2.1).
   */
  static run(c: Cpu, opSize: u32): void {
    const blocked = c.interruptibility & BLOCKED_BY_NMI;
    c.interruptibility &= ~BLOCKED_BY_NMI;
    Iret.body(c, opSize);
    if (blocked == 0 || c.fault != FAULT_EXIT) return;
    const isTold = c.exitReason == EXIT_EPT_VIOLATION || c.exitReason == EXIT_PML_FULL;
    if (isTold) c.exitQualification |= (<u64>1) << QUAL_NMI_UNBLOCKED_BIT;
    // Other exits do not tell, and a replay is not the processor's own: the instruction begins again as it was.
    if (c.replay != 0 || !isTold) c.interruptibility |= blocked;
  }

  private static body(c: Cpu, opSize: u32): void {
    Flags.settle(c);
    const before = c.rflags;
    if ((before & FLAG_NT) != 0 && Mode.isProtected(c)) {
      if (Mode.isLong(c)) Fault.gp0(c);
      else Fault.exit(c, EXIT_TASK_SWITCH, TASK_SWITCH_IRET | c.seg(SEG_TR).selector);
      return;
    }
    const rip = Stack.read(c, c.rsp, opSize);
    if (c.fault) return;
    const selector = <u32>Stack.read(c, c.rsp + opSize, opSize) & 0xffff;
    if (c.fault) return;
    const flags = <u32>Stack.read(c, c.rsp + 2 * opSize, opSize);
    if (c.fault) return;
    const after = c.rsp + 3 * opSize;

    let changes = SystemFlags.loadable(c, opSize);
    if (opSize != 2) changes |= c.cpl == 0 ? FLAG_RF | FLAG_VIF | FLAG_VIP : FLAG_RF;

    if (!Mode.isProtected(c)) {
      c.rsp = Stack.merge(c.rsp, Mode.stackMask(c), after);
      const cs = c.seg(SEG_CS);
      cs.selector = selector;
      cs.base = (<u64>selector) << 4;
      c.rip = rip;
    } else {
      if ((flags & FLAG_VM) != 0 && c.cpl == 0 && opSize != 2 && !Mode.isLong(c)) {
        Fault.gp0(c); // virtual-8086 mode does not exist here
        return;
      }
      const raw = Returns.checkCode(c, selector, rip);
      if (c.fault) return;
      if (Mode.is64(c) || (selector & 3) > c.cpl) {
        const sp = Stack.read(c, after, opSize);
        if (c.fault) return;
        const ss = <u32>Stack.read(c, after + opSize, opSize) & 0xffff;
        if (c.fault) return;
        Returns.outer(c, selector, raw, rip, ss, sp, opSize);
        if (c.fault) return;
      } else Returns.same(c, selector, raw, rip, after);
    }
    c.rflags = (before & ~changes) | (flags & changes) | FLAG_FIXED;
  }
}
