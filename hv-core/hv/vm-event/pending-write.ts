/**
 * A write to a control register or an MSR that a monitor hears of: the instruction is over, the write is made when the vCPU goes on, unless
 * the response says DENY (Xen: vm_event's write_data). A value that the processor refuses then is #GP(0).
 */

import { ControlRegs } from "../../hw/control-regs";
import { FAULT_NONE } from "../../hw/exceptions";
import { MSR_OK } from "../../hw/msr";
import { injectGp } from "../exits/inject";
import { msrWrite } from "../exits/on-msr";
import { Vcpu } from "../vcpu";
import { VcpuEvents, WORK_WRITE } from "./vcpu-events";

export const PENDING_MSR: u32 = 1;
/** Control register n: this plus n. */
export const PENDING_CR: u32 = 16;

/** Keeps the write until the vCPU runs again. */
export function pendingWrite(v: Vcpu, what: u32, msr: u32, value: u64): void {
  v.pendingWrite = what;
  v.pendingMsr = msr;
  v.pendingValue = value;
  VcpuEvents.of(v).work |= WORK_WRITE;
}

/** The listener does not want it. */
export function pendingDeny(v: Vcpu): void {
  VcpuEvents.of(v).work &= ~WORK_WRITE;
  v.pendingWrite = 0;
  v.pendingMsr = 0;
  v.pendingValue = 0;
}

/** Writes control register `cr`. @returns false when the processor refuses the value; nothing has changed then. */
export function controlRegisterWrite(v: Vcpu, cr: u32, value: u64): bool {
  const c = v.cpu;
  if (cr == 0) ControlRegs.write0(c, value);
  else if (cr == 3) ControlRegs.write3(c, value);
  else ControlRegs.write4(c, value);
  const isDone = c.fault == FAULT_NONE;
  c.fault = FAULT_NONE;
  return isDone;
}

/** Makes the write that waits. */
export function pendingApply(v: Vcpu): void {
  const what = v.pendingWrite;
  const msr = v.pendingMsr;
  const value = v.pendingValue;
  pendingDeny(v);
  const isDone =
    what == PENDING_MSR ? msrWrite(v, msr, value) == MSR_OK : controlRegisterWrite(v, what - PENDING_CR, value);
  if (!isDone) injectGp(v);
}
