/**
 * A domain dies: its device models, event channels, mappings and frames go (spec 05 section 5.3, destroydomain). Frames that
 * another domain still maps keep a zombie alive; `reapDeadDomains` removes it when the last one has come back.
 */
import { CTR_LOOP_STEPS } from "../../abi/counters";
import { ERESTART, OK } from "../../abi/errno";
import { VIRQ_DOM_EXC } from "../../abi/hypercalls";
import { IO_RACE_TEARDOWN, KNOB_IO_RACE } from "../../abi/knobs";
import { TRC_DOMAIN_DESTROYED } from "../../abi/trace-events";
import { W_IO_TEARDOWN } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Machine } from "../../base/machine";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { freeFrame } from "../../mem/allocator";
import { FrameOwner } from "../../mem/frame-owner";
import { FRAME_ALLOCATED, Frame } from "../../mem/frame-table";
import { DOMAIN_ALIVE, DOMAIN_DEAD, DOMAIN_DYING, Domain } from "../domain";
import { evtchnDestroy } from "../evtchn/bind";
import { portsForget } from "../evtchn/port";
import { isVirqHandler, sendGlobalVirq, virqHandlersForget } from "../evtchn/virq";
import { grantReleaseMappings } from "../grant/release";
import { Grants } from "../grant/table";
import { claimForget } from "../hypercall/claim";
import { devicesForget } from "../iocap/assign";
import { iocapForget } from "../iocap/permission";
import { Rangeset } from "../iocap/rangeset";
import { ioreqDomainDestroy } from "../ioreq/domain";
import { irqLinesFree } from "../irq/irq-lines";
import { pmlRelease } from "../logdirty/pml";
import { P2m } from "../p2m/p2m";
import { pinnedRelease } from "../p2m/pinned";
import { tableFreeTree } from "../p2m/tables";
import { vcpuInfoForget } from "../sched/vcpu-info";
import { watchdogsStop } from "../sched/watchdog";
import { forkForget } from "../sharing/fork";
import { relinquishShared } from "../sharing/relinquish";
import { timersStop } from "../time/timers";
import { Vcpu } from "../vcpu";
import { vmEventDestroy } from "../vm-event/enable";
import { Vnuma } from "../vnuma/tables";
import { controllerPause } from "./pause";
import { DomainTable } from "./table";
import { destroyVcpus } from "./vcpu-create";

/** Frames looked at between two places where destroydomain may be preempted. */
const FRAMES_PER_CALL: u32 = 0x1_0000;

/** Drops the domain's own reference to its frames, a piece at a time; false while there are more to look at. */
function relinquishFrames(d: Domain): bool {
  const mark = Machine.get().frameMark;
  const first = d.relinquishNext;
  const end = mark - first > FRAMES_PER_CALL ? first + FRAMES_PER_CALL : mark;
  Count.add(CTR_LOOP_STEPS, end - first);
  for (let mfn = first; mfn < end; mfn++) {
    const frame = Frame.at(mfn);
    if (frame.owner == d.slot && (frame.flags & FRAME_ALLOCATED) != 0) freeFrame(mfn);
  }
  d.relinquishNext = end;
  return end == mark;
}

/** First phase: nobody runs in it or talks to it any more. */
function beginDestroy(d: Domain): void {
  controllerPause(d);
  d.state = DOMAIN_DYING;
  for (let id: u32 = 0; id < d.vcpuCount; id++) timersStop(Vcpu.at(d.firstVcpu + id));
  watchdogsStop(d);
  ioreqDomainDestroy(d);
  vmEventDestroy(d);
  pinnedRelease(d);
  evtchnDestroy(d);
  portsForget(d);
  virqHandlersForget(d);
  claimForget(d);
  iocapForget(d);
  irqLinesFree(d.irqLines);
  d.irqLines = 0;
  devicesForget(d);
  for (let id: u32 = 0; id < d.vcpuCount; id++) vcpuInfoForget(Vcpu.at(d.firstVcpu + id));
  Vnuma.replace(d, 0);
  Rangeset.destroy(d.p2mLogDirtyRanges);
  d.p2mLogDirtyRanges = 0;
  pmlRelease(d);
  forkForget(d);
}

/** Second phase, when no page is shared any more: the tables go. */
function dropTables(d: Domain): void {
  // A device model's mapping may be under way: from here on it finds no tables.
  // Variant: nobody runs in the domain any more, so its lock is left alone.
  const isLocking = !Variant.is(KNOB_IO_RACE, IO_RACE_TEARDOWN);
  if (isLocking) P2m.lock(d);
  else Window.at(W_IO_TEARDOWN, changetype<usize>(d), ACCESS_WRITE);
  tableFreeTree(d, d.p2mRoot, 4);
  d.p2mRoot = 0;
  if (isLocking) P2m.unlock(d);
  Grants.lock(d);
  Grants.forgetFrames(d);
  Grants.unlock(d);
  d.sharedInfoMfn = 0;
}

/** Kills the domain: -ERESTART while its shared pages and its frames are not all given back; again on a zombie: nothing to do. */
export function domainDestroy(d: Domain): i32 {
  if (d.state == DOMAIN_ALIVE) {
    beginDestroy(d);
    if (isDefined(RACE)) return -ERESTART; // a machine of the explorer is too small to be preempted for its size
  }
  if (d.state != DOMAIN_DYING) return OK;
  if (d.p2mRoot != 0) {
    if (!grantReleaseMappings(d) || !relinquishShared(d)) return -ERESTART;
    dropTables(d);
  }
  if (!relinquishFrames(d)) return -ERESTART;
  d.state = DOMAIN_DEAD;
  Machine.get().deadDomains++;
  sendGlobalVirq(VIRQ_DOM_EXC);
  reapDeadDomains();
  return OK;
}

/** Frees the slots of dead domains whose frames have all come back, and that no global VIRQ goes to: that is a reference, too. */
export function reapDeadDomains(): void {
  const m = Machine.get();
  if (m.deadDomains == 0) return;
  for (let slot: u32 = 0; slot < m.domainMark; slot++) {
    const d = Domain.at(slot);
    if (d.state != DOMAIN_DEAD || FrameOwner.of(slot).all != 0 || d.forks != 0 || isVirqHandler(d)) continue;
    destroyVcpus(d);
    Grants.destroy(d);
    m.deadDomains--;
    Trace.event(TRC_DOMAIN_DESTROYED, TRACE_NO_VCPU, d.domid, 0, 0);
    DomainTable.remove(d);
    sendGlobalVirq(VIRQ_DOM_EXC);
  }
}
