/**
 * Answers of the listener (spec 04 section 4.6): pulled off the ring by its event or by VM_EVENT_RESUME, all that are there. The listener
 * is not trusted: an answer acts only on a vCPU of this domain that is paused for an event, and only as many are taken as requests were made.
 *
 * After: pause.ts; hv/paging/resume.ts for pages; resume.ts, where the vCPU does what it was told when it runs again.
 */
import { CTR_VM_EVENT_BAD_INDEX, CTR_VM_EVENTS_ANSWERED, CTR_VM_EVENTS_SKIPPED } from "../../abi/counters";
import { EINVAL, ENODEV } from "../../abi/errno";
import {
  AS_FIXED,
  KNOB_EVENT_RESPONSE,
  KNOB_PAGING_FOREIGN,
  RESPONSE_AT_ONCE,
  RESPONSE_UNCHECKED,
} from "../../abi/knobs";
import { MAILBOX_BASE } from "../../abi/layout";
import { TRC_VM_EVENT_RESPONSE } from "../../abi/trace-events";
import {
  EV_ACCESS_FLAGS,
  EV_FLAGS,
  EV_GFN,
  EV_PAGING_FLAGS,
  EV_READ_BYTES,
  EV_READ_MAX,
  EV_READ_SIZE,
  EV_REASON,
  EV_VCPU_ID,
  EV_VERSION,
  EVF_DENY,
  EVF_EMULATE,
  EVF_SET_EMUL_READ_DATA,
  EVF_SET_REGISTERS,
  EVF_TOGGLE_SINGLESTEP,
  EVF_VCPU_PAUSED,
  REASON_DESCRIPTOR_ACCESS,
  REASON_MEM_ACCESS,
  REASON_MEM_PAGING,
  REASON_MOV_TO_MSR,
  REASON_WRITE_CTRLREG,
  RING_RSP_EVENT,
  VM_EVENT_SIZE,
  VM_EVENT_VERSION,
} from "../../abi/vm-event";
import { W_RESPONSE_TAKEN } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { accessStillViolated } from "../access/check";
import { Domain } from "../domain";
import { pagingResume } from "../paging/resume";
import { Vcpu } from "../vcpu";
import { vmEventUnpause } from "./pause";
import { pendingDeny } from "./pending-write";
import { vmEventApplyRegisters, vmEventLatchRegisters } from "./registers";
import { VmEventRing } from "./ring";
import { vmEventWake } from "./slots";
import { VcpuEvents, WORK_EMULATE, WORK_REGISTERS } from "./vcpu-events";

/** No page belongs to the event: only the instruction itself is carried out. */
const NO_GFN: u64 = 0xf_ffff_ffff;
/** What is read of a response's fixed part; its data is used where it lies, and only once (MAILBOX + this offset). */
const COPY_AT: usize = MAILBOX_BASE + 0x9_c000;

/**
 * Takes one response off the ring into COPY_AT: read once, the listener may change it afterwards.
 * @returns 1 taken, 0 none, -EINVAL the index says more than was asked for.
 */
function take(d: Domain, mode: u32): i32 {
  const ring = VmEventRing.of(d, mode);
  if (!ring.isEnabled) return 0;
  ring.acquire();
  const waiting = ring.isEnabled ? ring.responses : 0;
  let rc: i32 = 0;
  if (waiting > ring.outstanding) {
    Count.one(CTR_VM_EVENT_BAD_INDEX);
    rc = -EINVAL;
  } else if (waiting != 0) {
    memory.copy(COPY_AT, ring.entry(ring.rspCons), VM_EVENT_SIZE);
    ring.rspCons++;
    store<u32>(ring.page, ring.rspCons + 1, RING_RSP_EVENT);
    vmEventWake(d, mode);
    rc = 1;
  }
  ring.release();
  return rc;
}

/** The vCPU that the response in COPY_AT names, 0 = it is to be skipped. */
function subject(d: Domain): usize {
  if (load<u32>(COPY_AT, EV_VERSION) != <u32>VM_EVENT_VERSION) return 0;
  const id = load<u32>(COPY_AT, EV_VCPU_ID);
  return id < d.vcpuCount ? changetype<usize>(Vcpu.at(d.firstVcpu + id)) : 0;
}

/**
 * What the flags of the response tell the vCPU to do; it is paused, and does it when it runs again. The copy of the response is used up
 * before the p2m lock is asked for: another processor may take a response meanwhile.
 */
function instruct(v: Vcpu, flags: u32, reason: u32): void {
  const events = VcpuEvents.of(v);
  const gfn = load<u64>(COPY_AT, EV_GFN);
  const access = load<u32>(COPY_AT, EV_ACCESS_FLAGS);
  if ((flags & EVF_SET_REGISTERS) != 0) {
    vmEventLatchRegisters(v, COPY_AT);
    if (Variant.is(KNOB_EVENT_RESPONSE, RESPONSE_AT_ONCE)) vmEventApplyRegisters(v);
    else events.work |= WORK_REGISTERS;
  }
  if ((flags & EVF_SET_EMUL_READ_DATA) != 0) {
    const size = load<u32>(COPY_AT, EV_READ_SIZE);
    events.readSize = size < <u32>EV_READ_MAX ? size : EV_READ_MAX;
    memory.copy(events.readBytes, COPY_AT + EV_READ_BYTES, EV_READ_MAX);
  }
  const isWrite = reason == <u32>REASON_WRITE_CTRLREG || reason == <u32>REASON_MOV_TO_MSR;
  if ((flags & EVF_DENY) != 0 && isWrite) pendingDeny(v);
  if ((flags & EVF_TOGGLE_SINGLESTEP) != 0) events.singleStep ^= 1;
  events.emulateFlags = 0;
  events.work &= ~WORK_EMULATE;
  if ((flags & EVF_EMULATE) == 0) return;
  const isAccess = reason == <u32>REASON_MEM_ACCESS;
  if (!isAccess && reason != <u32>REASON_DESCRIPTOR_ACCESS) return;
  if (isAccess && !accessStillViolated(v.domain, gfn, access)) return;
  events.emulateFlags = flags;
  events.emulateGfn = isAccess ? gfn : NO_GFN;
  events.work |= WORK_EMULATE;
}

/**
 * Acts on every response that waits on the ring of this mode.
 * @returns OK; -ENODEV without a ring; -EINVAL when the ring's response index counts answers that nobody asked for: then nothing is taken.
 */
export function vmEventResponses(d: Domain, mode: u32): i32 {
  if (!VmEventRing.of(d, mode).isEnabled) return -ENODEV;
  let answered: u32 = 0;
  let skipped: u32 = 0;
  while (true) {
    const taken = take(d, mode);
    if (taken <= 0) {
      // Counted at the end: what a suspended continuation keeps must not depend on counters.
      Count.add(CTR_VM_EVENTS_ANSWERED, answered);
      Count.add(CTR_VM_EVENTS_SKIPPED, skipped);
      return taken;
    }
    const found = subject(d);
    const flags = load<u32>(COPY_AT, EV_FLAGS);
    const reason = load<u32>(COPY_AT, EV_REASON);
    const gfn = load<u64>(COPY_AT, EV_GFN);
    const pagingFlags = load<u32>(COPY_AT, EV_PAGING_FLAGS);
    const id = load<u32>(COPY_AT, EV_VCPU_ID);
    Trace.event(TRC_VM_EVENT_RESPONSE, TRACE_NO_VCPU, mode | (reason << 8) | (found != 0 ? 0x1_0000 : 0), id, flags);
    if (found == 0) {
      skipped++;
      continue;
    }
    const v = changetype<Vcpu>(found);
    const isPaused = VcpuEvents.of(v).pauseCount != 0 || Variant.is(KNOB_EVENT_RESPONSE, RESPONSE_UNCHECKED);
    if (isPaused) instruct(v, flags, reason);
    // S-11: the request of a foreign vCPU names that vCPU, and none of ours with this number need be paused.
    const isPageAnswer = reason == <u32>REASON_MEM_PAGING;
    if (isPageAnswer && (isPaused || Knobs.get(KNOB_PAGING_FOREIGN) == <u32>AS_FIXED)) {
      Window.at(W_RESPONSE_TAKEN, changetype<usize>(d), ACCESS_READ);
      pagingResume(d, gfn, pagingFlags);
    }
    if (isPaused) answered++;
    else skipped++;
    if (isPaused && (flags & EVF_VCPU_PAUSED) != 0) vmEventUnpause(v);
  }
}
