/**
 * Answers for replay. "Emulation is replay" (docs/architecture.md section 4): the hypervisor runs the one executor of
 * instructions again and again against this small list, adding one answer each time, until the instruction retires.
 *
 * hw fills the last entry with what it needs (state NEED) and stops with EXIT_NEED_ANSWER; hv gets the data from a device, from
 * RAM or from nobody, sets state DONE, and replays. On the way every earlier access must find its own entry, in order.
 */
import { VCPU_ANSWERS_OFFSET, VCPU_HV_OFFSET } from "../abi/layout";
import { Cpu } from "./cpu";

export const ANSWER_NEED: u8 = 0;
export const ANSWER_DONE: u8 = 1;

export const ANSWER_MEMORY: u8 = 0;
export const ANSWER_PORT: u8 = 1;
/** RAM that the processor itself has read; `addr` is the linear address. */
export const ANSWER_OWN: u8 = 2;

export const ANSWER_READ: u8 = 1;
export const ANSWER_WRITE: u8 = 0;

/** Nothing to do for it when the instruction retires. */
export const TO_NOBODY: u32 = 0;
/** A device model, the hypervisor's own devices, or nobody at all. */
export const TO_DEVICE: u32 = 1;
/** A write to RAM that hv carries out when the instruction retires. */
export const TO_RAM: u32 = 2;

@unmanaged
export class Answer {
  /** Guest-physical address, or port. One answer never crosses a page. */
  addr: u64;
  /** Read: the data, filled by hv. Write: the data, filled by hw. */
  data: u64;
  /** Linear address of the access, for the record. */
  gla: u64;
  /** 1, 2, 4 or 8 bytes. */
  size: u8;
  /** ANSWER_READ or ANSWER_WRITE. */
  dir: u8;
  /** ANSWER_MEMORY or ANSWER_PORT. */
  space: u8;
  state: u8;
  /** TO_*. Written by hv. */
  goesTo: u32;
}

@unmanaged
export class Answers {
  count: u32;
  /** How many of them the running replay has used so far. */
  used: u32;
  /** 1 = a replayed access differed from its recorded answer (the guest's instruction changed under our feet). */
  mismatch: u32;
  private _pad: u32;

  @inline static of(cpu: Cpu): Answers {
    return changetype<Answers>(changetype<usize>(cpu) + VCPU_ANSWERS_OFFSET);
  }

  @inline entry(index: u32): Answer {
    return changetype<Answer>(changetype<usize>(this) + 16 + <usize>index * 32);
  }

  @inline clear(): void {
    this.count = 0;
    this.used = 0;
    this.mismatch = 0;
  }
}

/** More accesses than any instruction of ours makes to emulated memory (ENTER with 31 levels stays below). */
export const MAX_ANSWERS: u32 = 60;

if (offsetof<Answer>() != 32) ERROR("Answer is 32 bytes");
if (16 + MAX_ANSWERS * 32 > VCPU_HV_OFFSET - VCPU_ANSWERS_OFFSET) ERROR("Answers outgrew their place");
