/**
 * Privileged and system instructions, one function each; the executor (hw/exec.ts) decodes operands and calls them.
 * Each checks privilege itself. On failure c.fault is set and nothing has changed. Descriptor tables: hw/system-tables.ts, ports:
 * hw/system-io.ts, flags: hw/system-flags.ts, SYSCALL and SYSENTER: hw/fast-calls.ts.
 */
import { SEG_GS } from "../abi/cpu";
import {
  EXIT_CPUID,
  EXIT_HLT,
  EXIT_INVD,
  EXIT_MONITOR,
  EXIT_MWAIT,
  EXIT_RDMSR,
  EXIT_RDPMC,
  EXIT_VMCALL,
  EXIT_WBINVD,
  EXIT_WRMSR,
  EXIT_XSETBV,
} from "../abi/exits";
import { CR0_EM, CR0_MP, CR0_PE, CR0_TS, CR4_DE, CR4_PCE, CR4_TSD } from "../abi/regs";
import { ControlRegs } from "./control-regs";
import { Cpu } from "./cpu";
import { Fault } from "./exceptions";
import { CR_CLTS, CR_LMSW, CR_MOV_TO, Intercepts } from "./intercepts";
import { Mode } from "./mode";
import { Tlb } from "./tlb";

const DR6_FIXED: u64 = 0xffff_0ff0;
const DR6_WRITABLE: u64 = 0xe00f;
const DR7_FIXED: u64 = 0x400;
const DR7_WRITABLE: u64 = 0xffff_2bff;

export class System {
  /** True at CPL 0; otherwise #GP(0) is queued. */
  static privileged(c: Cpu): bool {
    if (c.cpl == 0) return true;
    Fault.gp0(c);
    return false;
  }

  /** MOV CRn: registers 0, 2, 3, 4, 8; others are #UD. `value` is zero-extended outside 64-bit mode. */
  static movToCr(c: Cpu, cr: u32, value: u64, gpr: u32): void {
    if (!System.isControlRegister(c, cr)) {
      Fault.ud(c);
      return;
    }
    if (!System.privileged(c) || Intercepts.controlRegister(c, cr, CR_MOV_TO, gpr, value)) return;
    if (cr == 0) ControlRegs.write0(c, value);
    else if (cr == 2) c.cr2 = value;
    else if (cr == 3) ControlRegs.write3(c, value);
    else if (cr == 4) ControlRegs.write4(c, value);
    else if (value > 15) Fault.gp0(c);
    else System.setTaskPriority(c, value);
  }

  /** A lower task priority may let an interrupt in that waits: the processor leaves the guest to look (SDM 3C, TPR threshold). */
  private static setTaskPriority(c: Cpu, value: u64): void {
    if (value < c.cr8) c.attention = 1;
    c.cr8 = value;
  }

  static movFromCr(c: Cpu, cr: u32): u64 {
    if (!System.isControlRegister(c, cr)) {
      Fault.ud(c);
      return 0;
    }
    if (!System.privileged(c)) return 0;
    if (cr == 0) return c.cr0;
    if (cr == 2) return c.cr2;
    if (cr == 3) return c.cr3;
    return cr == 4 ? c.cr4 : c.cr8;
  }

  private static isControlRegister(c: Cpu, cr: u32): bool {
    return cr == 0 || (cr >= 2 && cr <= 4) || (cr == 8 && Mode.is64(c));
  }

  /** MOV DRn: 4 and 5 mean 6 and 7 unless CR4.DE makes them #UD. Breakpoints are stored but do not fire yet. */
  static movToDr(c: Cpu, dr: u32, value: u64): void {
    dr = System.debugRegister(c, dr);
    if (c.fault) return;
    if (dr >= 6 && value >> 32 != 0) {
      Fault.gp0(c);
      return;
    }
    if (dr == 6) c.dr6 = (value & DR6_WRITABLE) | DR6_FIXED;
    else if (dr == 7) c.dr7 = (value & DR7_WRITABLE) | DR7_FIXED;
    else store<u64>(changetype<usize>(c) + offsetof<Cpu>("dr0") + ((<usize>dr) << 3), value);
  }

  static movFromDr(c: Cpu, dr: u32): u64 {
    dr = System.debugRegister(c, dr);
    if (c.fault) return 0;
    if (dr == 6) return c.dr6;
    if (dr == 7) return c.dr7;
    return load<u64>(changetype<usize>(c) + offsetof<Cpu>("dr0") + ((<usize>dr) << 3));
  }

  private static debugRegister(c: Cpu, dr: u32): u32 {
    if (dr > 7 || ((dr == 4 || dr == 5) && (c.cr4 & CR4_DE) != 0)) {
      Fault.ud(c);
      return 0;
    }
    System.privileged(c);
    return dr == 4 || dr == 5 ? dr + 2 : dr;
  }

  static clts(c: Cpu): void {
    if (!System.privileged(c)) return;
    const value = c.cr0 & ~(<u64>CR0_TS);
    if (!Intercepts.controlRegister(c, 0, CR_CLTS, 0, value)) c.cr0 = value;
  }

  /** Loads PE (which it can only set), MP, EM and TS. */
  static lmsw(c: Cpu, value: u32): void {
    if (!System.privileged(c)) return;
    const low: u64 = CR0_MP | CR0_EM | CR0_TS;
    const after = (c.cr0 & ~low) | (<u64>value & (low | CR0_PE));
    if (!Intercepts.controlRegister(c, 0, CR_LMSW, 0, after)) ControlRegs.write0(c, after);
  }

  /** All of CR0; the executor cuts it to the operand size. No privilege needed (UMIP is hidden). */
  static smsw(c: Cpu): u64 {
    return c.cr0;
  }

  /** `lin` has the segment base in it; a non-canonical address does nothing. */
  static invlpg(c: Cpu, lin: u64): void {
    if (!System.privileged(c)) return;
    if (Mode.isCanonical(lin)) Tlb.flushPage(c, lin);
  }

  /** 64-bit mode only (the executor gives #UD elsewhere). */
  static swapgs(c: Cpu): void {
    if (!System.privileged(c)) return;
    const gs = c.seg(SEG_GS);
    const base = gs.base;
    gs.base = c.kernelGsBase;
    c.kernelGsBase = base;
  }

  /** The time-stamp counter after `retiredInRun` instructions of this run; #GP(0) above CPL 0 when CR4.TSD is set. */
  static rdtsc(c: Cpu, retiredInRun: u64): u64 {
    if (c.cpl != 0 && (c.cr4 & CR4_TSD) != 0) {
      Fault.gp0(c);
      return 0;
    }
    return c.tscBase + retiredInRun + c.tscOffset;
  }

  // Instructions that always leave the guest.

  static cpuid(c: Cpu): void {
    Fault.exit(c, EXIT_CPUID, 0);
  }

  /** VMCALL and VMMCALL, at any privilege: the hypervisor refuses those it does not want. */
  static vmcall(c: Cpu): void {
    Fault.exit(c, EXIT_VMCALL, 0);
  }

  static hlt(c: Cpu): void {
    System.exitIfPrivileged(c, EXIT_HLT);
  }

  static rdmsr(c: Cpu): void {
    System.exitIfPrivileged(c, EXIT_RDMSR);
  }

  static wrmsr(c: Cpu): void {
    System.exitIfPrivileged(c, EXIT_WRMSR);
  }

  static invd(c: Cpu): void {
    System.exitIfPrivileged(c, EXIT_INVD);
  }

  static wbinvd(c: Cpu): void {
    System.exitIfPrivileged(c, EXIT_WBINVD);
  }

  static xsetbv(c: Cpu): void {
    if (c.cpl != 0) Fault.ud(c);
    else Fault.exit(c, EXIT_XSETBV, 0);
  }

  static monitor(c: Cpu): void {
    System.exitIfPrivileged(c, EXIT_MONITOR);
  }

  static mwait(c: Cpu): void {
    System.exitIfPrivileged(c, EXIT_MWAIT);
  }

  static rdpmc(c: Cpu): void {
    if (c.cpl != 0 && (c.cr4 & CR4_PCE) == 0) Fault.gp0(c);
    else Fault.exit(c, EXIT_RDPMC, 0);
  }

  private static exitIfPrivileged(c: Cpu, reason: u32): void {
    if (System.privileged(c)) Fault.exit(c, reason, 0);
  }
}
