/**
 * What to inject at VM entry: an event a device model asked for, an NMI, the event-channel upcall, a LAPIC interrupt, in this
 * order (Xen's intr_assist). One event enters at a time; if another one waits, the processor exits again when it could be taken.
 *
 * Called before every entry by run/vcpu.ts, so it must be short when nothing is pending.
 */
import { CTR_INTERRUPTS_INJECTED } from "../../abi/counters";
import { VEC_NMI, VEC_PF } from "../../abi/cpu";
import { TRC_INJECT } from "../../abi/trace-events";
import { Count } from "../../base/counters";
import { Trace } from "../../base/trace";
import { Cpu } from "../../hw/cpu";
import { CALLBACK_VIA_VECTOR, callbackType, callbackVector } from "../evtchn/callback";
import { isUpcallPending } from "../hypercall/shared-info";
import { Vcpu } from "../vcpu";
import { EVENT_EXTERNAL, EVENT_NMI, EVENT_VALID } from "./event";
import { lapicAck, lapicPending, lapicTaskPriority } from "./lapic";

const FLAG_IF: u32 = 1 << 9;
/** Bits of Cpu.interruptibility. */
const BLOCKED_BY_STI_OR_SS: u32 = 3;
const BLOCKED_BY_NMI: u32 = 8;

/** What waits: 0 nothing, otherwise one of these | vector. */
const SOURCE_NMI: u32 = 0x100;
const SOURCE_UPCALL: u32 = 0x200;
const SOURCE_LAPIC: u32 = 0x400;

function pending(v: Vcpu): u32 {
  if (v.nmiPending != 0) return SOURCE_NMI | VEC_NMI;
  const d = v.domain;
  if (callbackType(d) == CALLBACK_VIA_VECTOR && isUpcallPending(v)) return SOURCE_UPCALL | callbackVector(d);
  const vector = lapicPending(v);
  return vector < 0 ? 0 : SOURCE_LAPIC | vector;
}

/** A LAPIC interrupt whose priority class is not above the task's has to wait. */
function isBelowTask(v: Vcpu, source: u32): bool {
  return (source & SOURCE_LAPIC) != 0 && (source & 0xf0) <= lapicTaskPriority(v);
}

/** Fills cpu.entryEvent with what enters the guest now, and arms the interrupt window for what must wait. */
export function irqAssist(v: Vcpu): void {
  const c = v.cpu;
  c.interruptWindow = 0;
  if ((v.injectEvent & EVENT_VALID) != 0) takeInjected(v, c);
  let source = pending(v);
  if (source == 0 || isBelowTask(v, source)) return;
  if ((c.entryEvent & EVENT_VALID) != 0 || !isTakable(c, source)) {
    openWindow(c, source);
    return;
  }
  c.entryEvent = (source & 255) | (source & SOURCE_NMI ? EVENT_NMI : EVENT_EXTERNAL) | EVENT_VALID;
  c.entryErrorCode = 0;
  if (source & SOURCE_NMI) v.nmiPending = 0;
  else if (source & SOURCE_LAPIC) lapicAck(v, source & 255);
  traceInjection(v, c);
  source = pending(v);
  if (source != 0) openWindow(c, source);
}

function isTakable(c: Cpu, source: u32): bool {
  if (c.interruptibility & BLOCKED_BY_STI_OR_SS) return false;
  return source & SOURCE_NMI ? (c.interruptibility & BLOCKED_BY_NMI) == 0 : (c.rflags & FLAG_IF) != 0;
}

/**
 * Look again as soon as it could be taken: the interrupt window, or for an NMI inside an NMI handler (there is no window for those)
 * after each instruction, until its IRET.
 */
function openWindow(c: Cpu, source: u32): void {
  if (source & SOURCE_NMI) c.attention = 1;
  else c.interruptWindow = 1;
}

/** The event of DMOP_inject_event. It is lost when another one is on its way, as in Xen. */
function takeInjected(v: Vcpu, c: Cpu): void {
  const event = v.injectEvent;
  v.injectEvent = 0;
  if ((c.entryEvent & EVENT_VALID) != 0) return;
  c.entryEvent = event;
  c.entryErrorCode = v.injectError;
  c.entryInsnLength = v.injectLength;
  if ((event & 255) == <u32>VEC_PF) c.cr2 = v.injectCr2;
  traceInjection(v, c);
}

function traceInjection(v: Vcpu, c: Cpu): void {
  Count.one(CTR_INTERRUPTS_INJECTED);
  Trace.event(TRC_INJECT, v.slot, c.entryEvent & 255, (c.entryEvent >> 8) & 7, c.entryErrorCode);
}

/** Whether something would be delivered if interrupts were enabled: a HLT or block then does not sleep. */
export function hvmEventPending(v: Vcpu): bool {
  if ((v.injectEvent & EVENT_VALID) != 0 || (v.cpu.entryEvent & EVENT_VALID) != 0) return true;
  const source = pending(v);
  return source != 0 && !isBelowTask(v, source);
}
