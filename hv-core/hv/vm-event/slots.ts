/**
 * How a request gets onto a ring (spec 04 section 4.6): claim a slot, then put or cancel. A slot that is claimed is there for whoever
 * has it, so putting cannot fail, and what is done in between cannot be lost.
 *
 * A vCPU of the domain itself never loses an event: without a free slot it sleeps (resume.ts sends the event later), and when the ring
 * is nearly full it is stopped after its request ("black eye"), so that the other vCPUs still find a slot each. Everybody else gets -EBUSY.
 */
import { CTR_VM_EVENT_BLOCKED, CTR_VM_EVENT_WAITS, CTR_VM_EVENTS_SENT } from "../../abi/counters";
import { EBUSY, EOPNOTSUPP, OK } from "../../abi/errno";
import { FULL_NEEDS_ALL, FULL_WAKE_ALL, KNOB_EVENT_FULL } from "../../abi/knobs";
import { TRC_VM_EVENT_REQUEST } from "../../abi/trace-events";
import {
  EV_FLAGS,
  EV_REASON,
  EV_UNION,
  EV_VCPU_ID,
  EV_VERSION,
  EVF_FOREIGN,
  RING_REQ_PROD,
  VM_EVENT_SIZE,
  VM_EVENT_VERSION,
} from "../../abi/vm-event";
import { W_EVENT_PUT, W_NO_SLOT, W_RING_CHECKED } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Count } from "../../base/counters";
import { Machine } from "../../base/machine";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_READ, ACCESS_WRITE, Window } from "../../base/window";
import { frameWritten } from "../../mem/frame-access";
import { Domain } from "../domain";
import { evtchnNotifyXenPort } from "../evtchn/xen-port";
import { Vcpu, VPF_WAIT_QUEUE } from "../vcpu";
import { vmEventFillRegisters } from "./registers";
import { VmEventRing } from "./ring";
import { VcpuEvents } from "./vcpu-events";

const SITE_RING_GONE: u32 = 41;

/** Whether the running code works for a vCPU of `d`. */
export function isOwnVcpu(d: Domain): bool {
  const current = Machine.get().currentVcpu;
  return current != 0 && current <= <u32>0x200 && Vcpu.at(current - 1).domainSlot == d.slot;
}

/** Takes a slot. @returns OK, -EBUSY (none is free), -EOPNOTSUPP (nobody listens). */
export function vmEventClaim(d: Domain, mode: u32): i32 {
  const ring = VmEventRing.of(d, mode);
  if (!ring.isEnabled) return -EOPNOTSUPP;
  ring.acquire();
  let rc: i32 = OK;
  if (!ring.isEnabled) rc = -EOPNOTSUPP;
  else if (ring.available == 0) rc = -EBUSY;
  else if (isOwnVcpu(d)) ring.targetProducers++;
  else ring.foreignProducers++;
  ring.release();
  return rc;
}

/**
 * No slot was free for `v`, which latched its event: it sleeps until one is. It looks once more after it said so: a slot that became
 * free in between wakes nobody otherwise.
 */
export function vmEventWait(v: Vcpu, mode: u32): void {
  const ring = VmEventRing.of(v.domain, mode);
  Window.at(W_NO_SLOT, changetype<usize>(ring), ACCESS_READ);
  ring.acquire();
  if (ring.isEnabled && ring.available == 0) {
    Count.one(CTR_VM_EVENT_WAITS);
    ring.queued++;
    v.pauseFlags |= VPF_WAIT_QUEUE;
  }
  ring.release();
}

function releaseSlot(d: Domain, ring: VmEventRing): void {
  if (isOwnVcpu(d)) ring.targetProducers--;
  else ring.foreignProducers--;
}

/** Gives a claimed slot back: there is nothing to say. */
export function vmEventCancel(d: Domain, mode: u32): void {
  const ring = VmEventRing.of(d, mode);
  if (!ring.isEnabled) return;
  ring.acquire();
  releaseSlot(d, ring);
  vmEventWake(d, mode);
  ring.release();
}

/**
 * Fills a claimed slot and tells the listener. The union of the entry is the words `w0`..`w3`; `registersOf` is the vCPU whose registers
 * go with it, 0 = none.
 *
 * Window: between the look at the ring and its lock another processor may disable it. Nobody counts who still has a slot (finding E-2,
 * C-66); on a real machine the memory of the ring is then used after it was freed, here an assert says so.
 */
export function vmEventPut(
  d: Domain,
  mode: u32,
  reason: u32,
  vcpuId: u32,
  flags: u32,
  w0: u64,
  w1: u64,
  w2: u64,
  w3: u64,
  registersOf: usize,
): void {
  const ring = VmEventRing.of(d, mode);
  if (!ring.isEnabled) return; // disabled since the claim; nobody waits for an answer that is not asked for
  const generation = ring.generation;
  Window.at(W_RING_CHECKED, changetype<usize>(ring), ACCESS_READ);
  if (isDefined(RACE)) Hv.assert(ring.isEnabled && ring.generation == generation, SITE_RING_GONE);
  ring.acquire();
  const isOwn = isOwnVcpu(d);
  if (!isOwn) flags |= EVF_FOREIGN;
  const entry = ring.entry(ring.reqProd);
  memory.fill(entry, 0, VM_EVENT_SIZE);
  store<u32>(entry, VM_EVENT_VERSION, EV_VERSION);
  store<u32>(entry, flags, EV_FLAGS);
  store<u32>(entry, reason, EV_REASON);
  store<u32>(entry, vcpuId, EV_VCPU_ID);
  store<u64>(entry, w0, EV_UNION);
  store<u64>(entry, w1, EV_UNION + 8);
  store<u64>(entry, w2, EV_UNION + 16);
  store<u64>(entry, w3, EV_UNION + 24);
  if (registersOf != 0) vmEventFillRegisters(changetype<Vcpu>(registersOf), entry);
  ring.reqProd++;
  store<u32>(ring.page, ring.reqProd, RING_REQ_PROD);
  frameWritten(ring.mfn);
  Trace.event(
    TRC_VM_EVENT_REQUEST,
    isOwn ? Machine.get().currentVcpu - 1 : TRACE_NO_VCPU,
    mode | (reason << 8),
    w0,
    flags,
  );
  releaseSlot(d, ring);
  const isStopped = isOwn && stopBeforeFull(d, ring, mode);
  const port = ring.port;
  ring.release();
  Window.at(W_EVENT_PUT, changetype<usize>(ring), ACCESS_WRITE);
  evtchnNotifyXenPort(d, port);
  Count.one(CTR_VM_EVENTS_SENT);
  if (isStopped) Count.one(CTR_VM_EVENT_BLOCKED);
}

/** Fewer slots than vCPUs are left: this one, unless its event stops it anyway, makes no further request until there is room. */
function stopBeforeFull(d: Domain, ring: VmEventRing, mode: u32): bool {
  const v = Vcpu.at(Machine.get().currentVcpu - 1);
  const flag = VmEventRing.pauseFlag(mode);
  if (ring.available >= d.vcpuCount || VcpuEvents.of(v).pauseCount != 0 || (v.pauseFlags & flag) != 0) return false;
  v.pauseFlags |= flag;
  ring.blocked++;
  return true;
}

/** Slots may be free: who sleeps for one goes first, then who was stopped, in turn. The caller holds the ring's lock. */
export function vmEventWake(d: Domain, mode: u32): void {
  const ring = VmEventRing.of(d, mode);
  let room = ring.available;
  const isQueue = ring.queued != 0;
  const flag = isQueue ? VPF_WAIT_QUEUE : VmEventRing.pauseFlag(mode);
  if (room == 0 || (!isQueue && ring.blocked == 0)) return;
  if (Variant.is(KNOB_EVENT_FULL, FULL_NEEDS_ALL) && room < d.vcpuCount) return;
  if (!isQueue && Variant.is(KNOB_EVENT_FULL, FULL_WAKE_ALL)) room = d.vcpuCount;
  let id = ring.lastWoken;
  for (let i: u32 = 0; i < d.vcpuCount && room != 0; i++) {
    id = id + 1 >= d.vcpuCount ? 0 : id + 1;
    const v = Vcpu.at(d.firstVcpu + id);
    if ((v.pauseFlags & flag) == 0) continue;
    if (isQueue && VcpuEvents.of(v).latchMode != mode) continue;
    v.pauseFlags &= ~flag;
    if (isQueue) ring.queued--;
    else ring.blocked--;
    ring.lastWoken = id;
    room--;
  }
}
