/**
 * Events of vCPUs: claim, pause, put; or latch it when no slot is free (spec 04 section 4.6). Here for the monitor
 * ring and for unsharing; the paging ring's requests are in hv/paging/populate.ts, because theirs change the page in between.
 */
import { CRASH_EVENT_UNSENT } from "../../abi/crash";
import { EBUSY, EOPNOTSUPP, OK } from "../../abi/errno";
import { FULL_LOST, KNOB_EVENT_FULL, KNOB_EVENT_UNSENT, UNSENT_CRASH } from "../../abi/knobs";
import { P2M_RAM_SHARED } from "../../abi/p2m-types";
import { EVF_VCPU_PAUSED, REASON_MEM_SHARING, VM_EVENT_MODE_MONITOR, VM_EVENT_MODE_SHARING } from "../../abi/vm-event";
import { W_EVENT_CLAIMED } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Knobs, Machine } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { vmEventPause } from "./pause";
import { isOwnVcpu, vmEventClaim, vmEventPut, vmEventWait } from "./slots";
import { VcpuEvents, WORK_LATCHED } from "./vcpu-events";

const SITE_EVENT_UNDER_P2M: u32 = 43;

/** vcpu_id of whoever the running code works for. */
export function currentVcpuId(): u32 {
  const current = Machine.get().currentVcpu;
  return current == 0 || current > 0x200 ? 0 : Vcpu.at(current - 1).id;
}

/** Keeps an event for which there is no slot; the vCPU sleeps until there is one. */
export function vmEventLatch(
  v: Vcpu,
  mode: u32,
  reason: u32,
  sync: bool,
  gfn: u64,
  offset: u64,
  gla: u64,
  flags: u32,
): void {
  const events = VcpuEvents.of(v);
  if ((events.work & WORK_LATCHED) != 0) return; // one at a time: the touch that made this one will be made again
  events.latchMode = mode;
  events.latchReason = reason;
  events.latchSync = sync ? 1 : 0;
  events.latchGfn = gfn;
  events.latchOffset = offset;
  events.latchGla = gla;
  events.latchFlags = flags;
  events.work |= WORK_LATCHED;
  vmEventWait(v, mode);
}

/**
 * Sends an event of `v` to the monitor ring, with its registers; `sync` pauses it until it is answered. `gfn`, `offset`, `gla` and
 * `flags` fill the union as mem_access has it.
 * @returns OK (sent, or latched), -EOPNOTSUPP (nobody listens).
 */
export function vmEventMonitor(v: Vcpu, reason: u32, sync: bool, gfn: u64, offset: u64, gla: u64, flags: u32): i32 {
  const d = v.domain;
  if (isDefined(DEBUG)) Hv.assert(!P2m.isLocked(d), SITE_EVENT_UNDER_P2M); // V-c: it may have to sleep
  const rc = vmEventClaim(d, VM_EVENT_MODE_MONITOR);
  if (rc == -EBUSY) {
    if (Variant.is(KNOB_EVENT_FULL, FULL_LOST)) return OK;
    vmEventLatch(v, VM_EVENT_MODE_MONITOR, reason, sync, gfn, offset, gla, flags);
    return OK;
  }
  if (rc != OK) return -EOPNOTSUPP;
  Window.at(W_EVENT_CLAIMED, changetype<usize>(d), ACCESS_WRITE);
  if (sync) vmEventPause(v);
  const paused: u32 = sync ? EVF_VCPU_PAUSED : 0;
  vmEventPut(d, VM_EVENT_MODE_MONITOR, reason, v.id, paused, gfn, offset, gla, flags, changetype<usize>(v));
  return OK;
}

/**
 * The same for a violated page access (spec 02 section 2.2, exit c). When the listener went since the access was checked the domain
 * crashes, or the access is made again and finds that nobody listens (knob vmEvent.unsent).
 */
export function vmEventAccess(v: Vcpu, reason: u32, sync: bool, gfn: u64, offset: u64, gla: u64, flags: u32): void {
  if (vmEventMonitor(v, reason, sync, gfn, offset, gla, flags) == OK) return;
  if (Knobs.get(KNOB_EVENT_UNSENT) == <u32>UNSENT_CRASH) domainCrash(v.domain, CRASH_EVENT_UNSENT);
}

/**
 * A shared page of `d` could not be unshared for lack of memory: whoever listens on the sharing ring is told, so that it makes some
 * (spec 04, "ENOMEM protocol"). The domain's own vCPU is paused until it is answered and then touches the page again. Never sleeps,
 * so it may be called under the p2m lock: with a full ring the event is lost and the next touch makes another.
 *
 * For hv/sharing: call it where a lookup with P2M_UNSHARE fails; `vmEventHasRing(d, VM_EVENT_MODE_SHARING)` says whether to crash.
 * @returns OK, -EBUSY (no slot), -EOPNOTSUPP (nobody listens).
 */
export function vmEventSharingEnomem(d: Domain, gfn: u64): i32 {
  const rc = vmEventClaim(d, VM_EVENT_MODE_SHARING);
  if (rc != OK) return rc;
  const isOwn = isOwnVcpu(d);
  if (isOwn) vmEventPause(Vcpu.at(Machine.get().currentVcpu - 1));
  const paused: u32 = isOwn ? EVF_VCPU_PAUSED : 0;
  vmEventPut(d, VM_EVENT_MODE_SHARING, REASON_MEM_SHARING, currentVcpuId(), paused, gfn, P2M_RAM_SHARED, 0, 0, 0);
  return OK;
}
