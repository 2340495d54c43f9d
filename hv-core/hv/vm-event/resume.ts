/**
 * Before a vCPU enters the guest again: what events have left for it to do (VcpuEvents.work). The event that found no slot is sent, the
 * registers that a response set are written, the instruction that a response wants emulated is emulated.
 *
 * Before: run/vcpu.ts. After: the guest.
 */
import { CTR_VM_EVENT_EMULATED } from "../../abi/counters";
import { REASON_MEM_PAGING } from "../../abi/vm-event";
import { Count } from "../../base/counters";
import { accessEmulate } from "../access/emulate";
import { pagingPopulate } from "../paging/populate";
import { Vcpu } from "../vcpu";
import { pendingApply } from "./pending-write";
import { vmEventApplyRegisters } from "./registers";
import { vmEventAccess } from "./request";
import { VcpuEvents, WORK_EMULATE, WORK_LATCHED, WORK_REGISTERS, WORK_WRITE } from "./vcpu-events";

/** @returns true when the guest may be entered; false when the vCPU waits again or its domain crashed. */
export function vmEventResume(v: Vcpu): bool {
  const events = VcpuEvents.of(v);
  if ((events.work & WORK_LATCHED) != 0) {
    events.work &= ~WORK_LATCHED;
    sendLatched(v, events);
    return false; // it may be paused by now: look again
  }
  if ((events.work & WORK_REGISTERS) != 0) {
    events.work &= ~WORK_REGISTERS;
    vmEventApplyRegisters(v);
  }
  if ((events.work & WORK_WRITE) != 0) pendingApply(v);
  if ((events.work & WORK_EMULATE) == 0) return true;
  events.work &= ~WORK_EMULATE;
  accessEmulate(v);
  Count.one(CTR_VM_EVENT_EMULATED);
  return false; // one instruction has run: whoever asks for more has its turn
}

function sendLatched(v: Vcpu, events: VcpuEvents): void {
  const mode = events.latchMode;
  const reason = events.latchReason;
  const gfn = events.latchGfn;
  const offset = events.latchOffset;
  const gla = events.latchGla;
  const flags = events.latchFlags;
  const sync = events.latchSync != 0;
  events.latchMode = 0;
  events.latchReason = 0;
  events.latchGfn = 0;
  events.latchOffset = 0;
  events.latchGla = 0;
  events.latchFlags = 0;
  events.latchSync = 0;
  if (reason == <u32>REASON_MEM_PAGING) pagingPopulate(v.domain, gfn);
  else vmEventAccess(v, reason, sync, gfn, offset, gla, flags); // its listener may have gone while it waited (V-5)
}
