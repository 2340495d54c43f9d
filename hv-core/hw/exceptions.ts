/**
 * How an instruction says that it cannot go on: it queues an exception or an exit in the processor and is abandoned.
 *
 * Whoever finds the fault calls one of these; every caller on the way up sees `c.fault != 0` and returns without having
 * changed a register. The run loop then hands the fault to hw/deliver.ts.
 */
import { CTR_PAGE_FAULTS } from "../abi/counters";
import { VEC_GP, VEC_PF, VEC_UD } from "../abi/cpu";
import { Count } from "../base/counters";
import { Cpu } from "./cpu";

/** Values of Cpu.fault. */
export const FAULT_NONE: u32 = 0;
export const FAULT_EXCEPTION: u32 = 1;
export const FAULT_EXIT: u32 = 2;
/** A breakpoint, or an access that is watched: the instruction has not begun (hw/run.ts). */
export const FAULT_WATCH: u32 = 3;

export class Fault {
  /** An exception without an error code. */
  static raise(c: Cpu, vector: u32): void {
    c.fault = FAULT_EXCEPTION;
    c.faultVector = vector;
    c.faultError = 0;
    c.faultHasError = 0;
  }

  /** An exception with an error code. */
  static raiseError(c: Cpu, vector: u32, error: u32): void {
    c.fault = FAULT_EXCEPTION;
    c.faultVector = vector;
    c.faultError = error;
    c.faultHasError = 1;
  }

  /** #PF at linear address `lin`; CR2 is set at once. */
  static pageFault(c: Cpu, lin: u64, error: u32): void {
    Count.one(CTR_PAGE_FAULTS);
    c.cr2 = lin;
    Fault.raiseError(c, VEC_PF, error);
  }

  /** The instruction leaves the guest: `reason` is one of abi/exits.ts. */
  static exit(c: Cpu, reason: u32, qualification: u64): void {
    c.fault = FAULT_EXIT;
    c.exitReason = reason;
    c.exitQualification = qualification;
    c.exitIdtVectoring = 0;
    c.exitIdtError = 0;
  }

  @inline static gp0(c: Cpu): void {
    Fault.raiseError(c, VEC_GP, 0);
  }

  @inline static ud(c: Cpu): void {
    Fault.raise(c, VEC_UD);
  }
}
