/**
 * The local APIC of a vCPU: reset, accepting an interrupt, acknowledging it, end of interrupt (SDM 3A, chapter 11).
 * Registers as the guest sees them: lapic-mmio.ts. Timer: lapic-timer.ts. IPIs: lapic-ipi.ts. Delivery: assist.ts.
 *
 * Written by: exits of this vCPU, IPIs of others, timers, event channels. The task priority lives in the processor (CR8).
 */

import { vcpuKick } from "../domain/vcpu-state";
import { NO_DEADLINE, Vcpu } from "../vcpu";
import {
  APIC_BASE_ADDRESS,
  APIC_BASE_BSP,
  APIC_BASE_MODE_MASK,
  APIC_BASE_MODE_XAPIC,
  APIC_DFR,
  APIC_ID,
  APIC_IRR,
  APIC_ISR,
  APIC_LAST,
  APIC_LVT_ERROR,
  APIC_LVT_TIMER,
  APIC_SVR,
  APIC_TMR,
  APIC_TPR,
  APIC_VERSION,
  APIC_VERSION_VALUE,
  ApicVector,
  ESR_RECEIVE_ILLEGAL,
  LVT_MASKED,
  SVR_ENABLED,
} from "./lapic-regs";

export { lapicTimerFired } from "./lapic-timer";

/** Vectors below this are reserved for exceptions and illegal in an interrupt. */
export const FIRST_VECTOR: u32 = 16;

/** State after RESET; the APIC is on in xAPIC mode, but disabled by software. */
export function lapicReset(v: Vcpu): void {
  for (let reg: u32 = 0; reg <= APIC_LAST; reg += 16) v.setLapicReg(reg, 0);
  v.setLapicReg(APIC_ID, (v.id * 2) << 24);
  v.setLapicReg(APIC_VERSION, APIC_VERSION_VALUE);
  v.setLapicReg(APIC_DFR, 0xffff_ffff);
  v.setLapicReg(APIC_SVR, 0xff);
  for (let reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg += 16) v.setLapicReg(reg, LVT_MASKED);
  v.apicBase = <u64>(APIC_BASE_ADDRESS | APIC_BASE_MODE_XAPIC | (v.id == 0 ? APIC_BASE_BSP : 0));
  v.lapicTimerPeriod = 0;
  v.lapicTimerStart = 0;
  v.lapicDeadline = NO_DEADLINE;
  v.lapicErrors = 0;
  v.nmiPending = 0;
  v.cpu.cr8 = 0;
}

export function lapicIsEnabled(v: Vcpu): bool {
  return (<u32>v.apicBase & APIC_BASE_MODE_XAPIC) != 0 && (v.lapicReg(APIC_SVR) & SVR_ENABLED) != 0;
}

/** An interrupt arrives: it waits in IRR until the processor takes it. An illegal vector is an error instead. */
export function lapicAccept(v: Vcpu, vector: u32, isLevel: bool): void {
  if (vector < FIRST_VECTOR) {
    lapicError(v, ESR_RECEIVE_ILLEGAL);
    return;
  }
  if (isLevel) ApicVector.set(v, APIC_TMR, vector);
  else ApicVector.clear(v, APIC_TMR, vector);
  ApicVector.set(v, APIC_IRR, vector);
  vcpuKick(v);
}

/** The per-vCPU upcall vector of event channels (HVMOP_set_evtchn_upcall_vector). */
export function lapicUpcall(v: Vcpu, vector: u32): void {
  lapicAccept(v, vector & 255, false);
}

/** Notes an error for the next write to ESR. An error LVT with an illegal vector is folded in and raises nothing (no recursion). */
export function lapicError(v: Vcpu, errors: u32): void {
  if ((v.lapicErrors & errors) == errors) return;
  v.lapicErrors |= errors;
  const lvt = v.lapicReg(APIC_LVT_ERROR);
  if ((lvt & LVT_MASKED) != 0) return;
  if ((lvt & 255) >= FIRST_VECTOR) lapicAccept(v, lvt & 255, false);
  else v.lapicErrors |= ESR_RECEIVE_ILLEGAL;
}

/** The vector that may interrupt what is being serviced now, -1 for none. The task priority is not looked at. */
export function lapicPending(v: Vcpu): i32 {
  const requested = ApicVector.highest(v, APIC_IRR);
  if (requested < 0 || !lapicIsEnabled(v)) return -1;
  const inService = ApicVector.highest(v, APIC_ISR);
  return inService >= 0 && (requested & 0xf0) <= (inService & 0xf0) ? -1 : requested;
}

/** The processor takes `vector`: IRR -> ISR. */
export function lapicAck(v: Vcpu, vector: u32): void {
  ApicVector.clear(v, APIC_IRR, vector);
  ApicVector.set(v, APIC_ISR, vector);
}

/** End of interrupt: the highest vector in service is done. @returns it when it was level-triggered, otherwise -1. */
export function lapicEoi(v: Vcpu): i32 {
  const vector = ApicVector.highest(v, APIC_ISR);
  if (vector < 0) return -1;
  ApicVector.clear(v, APIC_ISR, vector);
  return ApicVector.has(v, APIC_TMR, vector) ? vector : -1;
}

/** Task priority, as the register shows it: its class is CR8, the low bits are the register's own. */
export function lapicTaskPriority(v: Vcpu): u32 {
  return ((<u32>(v.cpu.cr8 & 15)) << 4) | (v.lapicReg(APIC_TPR) & 15);
}

/** Processor priority: the task's priority, unless what is in service is of a higher class (SDM 3A, 11.8.3.1). */
export function lapicProcessorPriority(v: Vcpu): u32 {
  const task = lapicTaskPriority(v);
  const inService = ApicVector.highest(v, APIC_ISR);
  const service: u32 = inService < 0 ? 0 : <u32>inService & 0xf0;
  return (task & 0xf0) >= service ? task : service;
}

/**
 * A write to IA32_APIC_BASE. x2APIC mode is not offered; the page may move.
 *
 * @returns false for #GP(0): reserved bits, or a mode that does not exist here.
 */
export function lapicSetBase(v: Vcpu, value: u64): bool {
  const mode = <u32>value & APIC_BASE_MODE_MASK;
  const reserved: u64 = ~((((<u64>1) << v.cpu.paddrBits) - 1) & ~0x2ff);
  if ((value & reserved & ~(<u64>APIC_BASE_BSP)) != 0) return false;
  if (mode != 0 && mode != APIC_BASE_MODE_XAPIC) return false;
  if (mode == 0 && (<u32>v.apicBase & APIC_BASE_MODE_MASK) != 0) lapicReset(v);
  v.apicBase = value;
  return true;
}
