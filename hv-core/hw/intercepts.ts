/**
 * Instructions that leave the guest only when the hypervisor asks for it (VM-execution controls and exception bitmap, SDM 3C 24.6): writes to
 * control registers, the descriptor-table instructions, INT3. Faults of privilege come first. A replay is the hypervisor's own and never exits.
 *
 * What the processor tells in other VMCS fields stands here: the new value of a control register in exitAccessData, the interruption
 * information of INT3 and the instruction information of table accesses in the qualification.
 */
import { VEC_BP } from "../abi/cpu";
import { EXIT_CR_ACCESS, EXIT_EXCEPTION, EXIT_GDTR_IDTR, EXIT_LDTR_TR } from "../abi/exits";
import { Cpu } from "./cpu";
import { EVENT_SOFT_EXCEPTION, EVENT_VALID } from "./deliver";
import { Fault } from "./exceptions";

/** Bits of Cpu.intercepts; writes to control register n: bit n. */
export const INTERCEPT_BREAKPOINT: u32 = 1 << 16;
export const INTERCEPT_TABLES: u32 = 1 << 17;

/** Kinds of a control-register access, bits 5:4 of the qualification. */
export const CR_MOV_TO: u32 = 0;
export const CR_CLTS: u32 = 2;
export const CR_LMSW: u32 = 3;

/** Tables, as in vm_event's desc_access. */
export const TABLE_IDTR: u32 = 1;
export const TABLE_GDTR: u32 = 2;
export const TABLE_LDTR: u32 = 3;
export const TABLE_TR: u32 = 4;

export class Intercepts {
  @inline private static has(c: Cpu, bits: u32): bool {
    return (c.intercepts & bits) != 0 && c.replay == 0;
  }

  /** @returns true when the write of `value` to CR`cr` is an exit, which is queued. */
  static controlRegister(c: Cpu, cr: u32, kind: u32, gpr: u32, value: u64): bool {
    if (!Intercepts.has(c, (<u32>1) << cr)) return false;
    Fault.exit(c, EXIT_CR_ACCESS, cr | (kind << 4) | (gpr << 8));
    c.exitAccessData = value;
    return true;
  }

  static breakpoint(c: Cpu): bool {
    if (!Intercepts.has(c, INTERCEPT_BREAKPOINT)) return false;
    Fault.exit(c, EXIT_EXCEPTION, <u32>VEC_BP | (EVENT_SOFT_EXCEPTION << 8) | EVENT_VALID);
    return true;
  }

  /** An instruction that loads (`isWrite`) or stores one of the tables. */
  static table(c: Cpu, table: u32, isWrite: bool): bool {
    if (!Intercepts.has(c, INTERCEPT_TABLES)) return false;
    Fault.exit(c, table <= TABLE_GDTR ? EXIT_GDTR_IDTR : EXIT_LDTR_TR, table | ((<u32>isWrite) << 8));
    return true;
  }
}
