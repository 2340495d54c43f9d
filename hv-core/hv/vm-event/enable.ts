/**
 * A listener comes and goes (spec 04 sections 4.3 and 4.6): its ring is a page of the domain, which the toolstack has named in an HVM
 * parameter and should take out of the guest's sight before the guest runs again (XSA-99).
 */
import { EBUSY, EINVAL, ENOENT, ENOSYS, EOPNOTSUPP, EPERM, OK } from "../../abi/errno";
import { HVM_PARAM_PAGING_RING_PFN } from "../../abi/hypercalls";
import { AS_FIXED, ERA_2012, EVENT_DISABLE_UNPAUSED, KNOB_ERA, KNOB_EVENT_DISABLE } from "../../abi/knobs";
import { P2M_ALLOC, P2M_MMIO_DIRECT, P2M_RAM_SHARED, P2M_UNSHARE } from "../../abi/p2m-types";
import { RING_RSP_EVENT, VM_EVENT_MODE_MONITOR, VM_EVENT_MODE_SHARING } from "../../abi/vm-event";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { getPage, putPage } from "../../mem/allocator";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { evtchnAllocXen, evtchnFree } from "../evtchn/xen-port";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";
import { Vcpu } from "../vcpu";
import { monitoredForget } from "./monitored";
import { VmEventRing } from "./ring";
import { VcpuEvents, WORK_LATCHED } from "./vcpu-events";

/** References the frame behind `gfn` for a ring: its mfn, or -ENOENT, -EPERM, -EINVAL (spec 04 section 4.3). */
function prepareRing(d: Domain, gfn: u64): i32 {
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, P2M_ALLOC | P2M_UNSHARE);
  const mfn = d.lookupMfn;
  let rc: i32 = OK;
  if (P2mType.isPaging(type) || type == <u32>P2M_RAM_SHARED) rc = -ENOENT;
  else if (type == <u32>P2M_MMIO_DIRECT) rc = -EPERM;
  else if (!P2mType.isWritable(type) || !Frame.isValid(mfn) || !getPage(mfn)) rc = -EINVAL;
  P2m.unlock(d);
  if (P2mType.isPaging(type)) pagingPopulate(d, gfn); // it will be there when the caller tries again
  if (rc != OK) return rc;
  Frame.at(mfn).typeCount++;
  return <i32>mfn;
}

/**
 * VM_EVENT_ENABLE. The listener's domain is `listener`.
 * @returns the domain's port; -EBUSY (2012: -EINVAL) when somebody listens, -EOPNOTSUPP (2012: -ENOSYS) without a gfn in the parameter,
 * what the page answers, -ENOSPC or -ENOMEM from the event channel.
 */
export function vmEventEnable(d: Domain, mode: u32, listener: u32): i32 {
  const ring = VmEventRing.of(d, mode);
  const is2012 = Knobs.get(KNOB_ERA) == <u32>ERA_2012;
  if (ring.isEnabled) return is2012 ? -EINVAL : -EBUSY;
  const gfn = d.param(HVM_PARAM_PAGING_RING_PFN + mode - 1);
  if (gfn == 0) return is2012 ? -ENOSYS : -EOPNOTSUPP;
  const mfn = prepareRing(d, gfn);
  if (mfn < 0) return mfn;
  const port = evtchnAllocXen(d, 0, listener, mode);
  if (port < 0) {
    releasePage(<u32>mfn);
    return port;
  }
  ring.port = port;
  ring.reqProd = 0;
  ring.rspCons = 0;
  ring.targetProducers = 0;
  ring.foreignProducers = 0;
  ring.queued = 0;
  ring.blocked = 0;
  ring.generation++;
  ring.mfn = mfn;
  store<u32>(ring.page, 1, RING_RSP_EVENT);
  return port;
}

function releasePage(mfn: u32): void {
  if (Frame.at(mfn).typeCount != 0) Frame.at(mfn).typeCount--;
  putPage(mfn);
}

/** Everything that waits for this ring goes on without it. */
function letGo(d: Domain, mode: u32): void {
  const flag = VmEventRing.pauseFlag(mode);
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    v.pauseFlags &= ~flag;
    if (mode != <u32>VM_EVENT_MODE_MONITOR) continue;
    const events = VcpuEvents.of(v);
    events.work &= WORK_LATCHED;
    events.emulateFlags = 0;
    events.singleStep = 0;
  }
}

/**
 * VM_EVENT_DISABLE. vCPUs that are paused for an unanswered event stay paused: only answers undo pauses. The domain is paused, so no vCPU
 * of it is between its check for a listener and its request; but one that waited for a slot and was woken has not run again yet, and
 * finds nobody when it does (V-5).
 * @returns OK; -EINVAL without a ring; -EBUSY while vCPUs sleep for a slot (knob vmEvent.disable=fixed: or anybody holds one).
 */
export function vmEventDisable(d: Domain, mode: u32): i32 {
  const ring = VmEventRing.of(d, mode);
  if (!ring.isEnabled) return -EINVAL;
  const isPaused = !Variant.is(KNOB_EVENT_DISABLE, EVENT_DISABLE_UNPAUSED);
  if (isPaused) domainPause(d);
  ring.acquire();
  const isHeld = (ring.targetProducers | ring.foreignProducers) != 0;
  const isBusy = ring.queued != 0 || (isHeld && Knobs.get(KNOB_EVENT_DISABLE) == <u32>AS_FIXED);
  if (!isBusy) free(d, ring, mode);
  ring.release();
  if (isPaused) domainUnpause(d);
  return isBusy ? -EBUSY : OK;
}

function free(d: Domain, ring: VmEventRing, mode: u32): void {
  evtchnFree(d, ring.port);
  const mfn = ring.mfn;
  ring.mfn = 0;
  ring.port = 0;
  ring.targetProducers = 0;
  ring.foreignProducers = 0;
  ring.blocked = 0;
  ring.queued = 0;
  letGo(d, mode);
  if (mode == <u32>VM_EVENT_MODE_MONITOR) monitoredForget(d);
  releasePage(mfn);
}

/** The domain dies: its rings go, whoever waits. Called before its event channels and frames go. */
export function vmEventDestroy(d: Domain): void {
  for (let mode: u32 = 1; mode <= <u32>VM_EVENT_MODE_SHARING; mode++) {
    const ring = VmEventRing.of(d, mode);
    if (ring.isEnabled) free(d, ring, mode);
  }
  for (let id: u32 = 0; id < d.vcpuCount; id++) VcpuEvents.of(Vcpu.at(d.firstVcpu + id)).work &= ~WORK_LATCHED;
}
