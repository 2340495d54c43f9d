/**
 * Exits that happen only because a monitor listens (vm-event/monitored.ts): an exception for INT3, 28 for writes to control registers, 46 and 47 for the
 * descriptor-table instructions. Without a listener everything goes on as if it had not exited.
 */
import { VEC_BP } from "../../abi/cpu";
import {
  REASON_DESCRIPTOR_ACCESS,
  REASON_SOFTWARE_BREAKPOINT,
  REASON_WRITE_CTRLREG,
  VM_EVENT_MODE_MONITOR,
} from "../../abi/vm-event";
import { EVENT_SOFT_EXCEPTION, EVENT_VALID } from "../../hw/deliver";
import { Run } from "../../hw/run";
import { emulateInstruction } from "../emulate/emulate";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { DomainEvents } from "../vm-event/domain-events";
import { isControlRegisterReported } from "../vm-event/monitored";
import { controlRegisterWrite, PENDING_CR, pendingWrite } from "../vm-event/pending-write";
import { vmEventMonitor } from "../vm-event/request";
import { vmEventHasRing } from "../vm-event/ring";
import { injectGp } from "./inject";
import { gfnOfRip } from "./on-single-step";

/** HVMOP_TRAP_sw_exc. */
const TRAP_SOFTWARE_EXCEPTION: u64 = 6;

function isListening(v: Vcpu): bool {
  return vmEventHasRing(v.domain, VM_EVENT_MODE_MONITOR);
}

/** Register numbers of requests. */
function indexOf(cr: u32): u32 {
  return cr == 0 ? 0 : cr - 2;
}

export function onCrAccess(v: Vcpu): Verdict {
  const c = v.cpu;
  const cr = <u32>c.exitQualification & 15;
  const value = c.exitAccessData;
  const old = cr == 0 ? c.cr0 : cr == 3 ? c.cr3 : c.cr4;
  const index = indexOf(cr);
  const isSync = ((DomainEvents.of(v.domain).crSync >> index) & 1) != 0;
  if (isListening(v) && isControlRegisterReported(v.domain, index, value, old)) {
    pendingWrite(v, PENDING_CR + cr, 0, value);
    Run.skip(c);
    vmEventMonitor(v, REASON_WRITE_CTRLREG, isSync, index, value, old, 0);
    return v.pauseFlags != 0 ? Verdict.Block : Verdict.Done;
  }
  if (!controlRegisterWrite(v, cr, value)) return injectGp(v);
  Run.skip(c);
  return Verdict.Done;
}

/** INT3: the listener says how it goes on (it moves rip, or has the trap injected); else the guest's own handler has it. */
export function onBreakpoint(v: Vcpu): Verdict {
  const c = v.cpu;
  const length = c.exitInsnLength;
  if (isListening(v)) {
    const what = <u64>length | (TRAP_SOFTWARE_EXCEPTION << 32);
    vmEventMonitor(v, REASON_SOFTWARE_BREAKPOINT, true, gfnOfRip(v), 0, what, 0);
    return Verdict.Block;
  }
  c.entryEvent = <u32>VEC_BP | (EVENT_SOFT_EXCEPTION << 8) | EVENT_VALID;
  c.entryErrorCode = 0;
  c.entryInsnLength = length;
  return Verdict.Inject;
}

/** The instruction has not run: a listener lets it (EMULATE), or moves rip. */
export function onTableAccess(v: Vcpu): Verdict {
  const qualification = <u32>v.cpu.exitQualification;
  if (!isListening(v)) return emulateInstruction(v);
  const what = <u64>(qualification & 0xff) | ((<u64>(qualification >> 8) & 1) << 8);
  vmEventMonitor(v, REASON_DESCRIPTOR_ACCESS, true, qualification, 0, what, 0);
  return Verdict.Block;
}
