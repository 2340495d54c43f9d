/**
 * Delivery of events: exceptions an instruction raised, software interrupts, and what the hypervisor injects at VM entry.
 *
 * Before: hw/exceptions.ts queued a fault and the run loop abandoned the instruction. Here: one attempt through hw/gates.ts; when
 * that fails too, the double-fault rules (SDM 3A, table 6-5) until something works, the processor shuts down, or an exit happens.
 */
import { CTR_EXCEPTIONS } from "../abi/counters";
import { VEC_BP, VEC_DB, VEC_DE, VEC_DF, VEC_GP, VEC_NMI, VEC_OF, VEC_PF, VEC_TS } from "../abi/cpu";
import { EXIT_TRIPLE_FAULT } from "../abi/exits";
import { FLAG_RF } from "../abi/regs";
import { Count } from "../base/counters";
import { Cpu } from "./cpu";
import { FAULT_EXIT, Fault } from "./exceptions";
import { Flags } from "./flags";
import { Gates } from "./gates";
import { BLOCKED_BY_MOV_SS, BLOCKED_BY_NMI, BLOCKED_BY_STI } from "./system-flags";

/** Event types of VMX (SDM 3C, table 24-16). */
export const EVENT_EXTERNAL: u32 = 0;
export const EVENT_NMI: u32 = 2;
export const EVENT_HARD_EXCEPTION: u32 = 3;
/** INT n. */
export const EVENT_SOFT_INTERRUPT: u32 = 4;
/** INT1 (ICEBP). */
export const EVENT_PRIVILEGED_SOFT_EXCEPTION: u32 = 5;
/** INT3 and INTO. */
export const EVENT_SOFT_EXCEPTION: u32 = 6;

/** Interruption information: bit 11 = an error code is delivered, bit 31 = valid. */
export const EVENT_HAS_ERROR: u32 = 0x800;
export const EVENT_VALID: u32 = (<u32>1) << 31;

export class Deliver {
  /**
   * Handles what c.fault announces and clears it.
   * @returns 0 = the guest goes on at c.rip (its handler); otherwise an exit reason.
   */
  @inline static fault(c: Cpu): u32 {
    if (c.fault == FAULT_EXIT) {
      c.fault = 0;
      return c.exitReason;
    }
    return Deliver.event(c, c.faultVector, EVENT_HARD_EXCEPTION, c.faultHasError != 0, c.faultError, 0);
  }

  /** Delivers the event that the hypervisor left in c.entryEvent. @returns as fault(). */
  static entryEvent(c: Cpu): u32 {
    const event = c.entryEvent;
    c.entryEvent = 0;
    c.halted = 0;
    const type = (event >> 8) & 7;
    const isSoft = type >= EVENT_SOFT_INTERRUPT;
    const length = isSoft ? c.entryInsnLength : 0;
    return Deliver.event(c, event & 0xff, type, (event & EVENT_HAS_ERROR) != 0, c.entryErrorCode, length);
  }

  /** INT n, INT3, INTO, INT1: `kind` is the event type 4, 5 or 6; execution goes on at `nextRip` afterwards. @returns as fault(). */
  static softwareInterrupt(c: Cpu, vector: u32, kind: u32, nextRip: u64): u32 {
    return Deliver.event(c, vector, kind, false, 0, <u32>(nextRip - c.rip));
  }

  private static event(c: Cpu, vector: u32, type: u32, hasError: bool, error: u32, insnLength: u32): u32 {
    Flags.settle(c);
    while (true) {
      const isException = type == EVENT_HARD_EXCEPTION || type == EVENT_SOFT_EXCEPTION;
      if (isException) Count.one(CTR_EXCEPTIONS);
      const isSoftware = type == EVENT_SOFT_INTERRUPT || type == EVENT_SOFT_EXCEPTION;
      const ext: u32 = isSoftware ? 0 : 1;
      let flags = c.rflags;
      if (type == EVENT_HARD_EXCEPTION && Deliver.isFaultClass(vector)) flags |= FLAG_RF;
      c.fault = 0;
      Gates.enter(c, vector, c.rip + insnLength, flags, hasError, error, isSoftware, ext);
      if (c.fault == 0) {
        c.interruptibility &= ~(BLOCKED_BY_STI | BLOCKED_BY_MOV_SS);
        if (type == EVENT_NMI) c.interruptibility |= BLOCKED_BY_NMI;
        return 0;
      }
      if (c.fault == FAULT_EXIT) {
        c.fault = 0;
        c.exitIdtVectoring = EVENT_VALID | (type << 8) | vector | (hasError ? EVENT_HAS_ERROR : 0);
        c.exitIdtError = error;
        if (insnLength != 0) c.exitInsnLength = insnLength;
        return c.exitReason;
      }
      if (vector == VEC_DF && type == EVENT_HARD_EXCEPTION) return Deliver.shutdown(c);
      const second = c.faultVector;
      if (type == EVENT_HARD_EXCEPTION && Deliver.makesDoubleFault(vector, second)) {
        vector = VEC_DF;
        hasError = true;
        error = 0;
      } else {
        vector = second;
        hasError = c.faultHasError != 0;
        error = c.faultError;
      }
      type = EVENT_HARD_EXCEPTION;
      insnLength = 0;
    }
  }

  /** Triple fault. */
  private static shutdown(c: Cpu): u32 {
    Fault.exit(c, EXIT_TRIPLE_FAULT, 0);
    c.fault = 0;
    return EXIT_TRIPLE_FAULT;
  }

  private static makesDoubleFault(first: u32, second: u32): bool {
    if (first == VEC_PF) return second == VEC_PF || Deliver.isContributory(second);
    return Deliver.isContributory(first) && Deliver.isContributory(second);
  }

  /** #DE, #TS, #NP, #SS, #GP. */
  private static isContributory(vector: u32): bool {
    return vector == VEC_DE || (vector >= <u32>VEC_TS && vector <= <u32>VEC_GP);
  }

  /** Faults push RF = 1, so that an instruction breakpoint is not taken twice; traps and aborts leave it alone. */
  private static isFaultClass(vector: u32): bool {
    return vector != VEC_DB && vector != VEC_NMI && vector != VEC_BP && vector != VEC_OF && vector != VEC_DF;
  }
}
