/**
 * Runs one vCPU for a while: completion of I/O, injection, guest code, exit, handler, again (docs/architecture.md section 4).
 *
 * Before: run/scheduler.ts chose it. After: hw/run.ts, then hv/exits/dispatch.ts.
 * An exit costs one tick of virtual time, so whatever a guest does, a budget comes to its end.
 */
import { CTR_EXITS } from "../abi/counters";
import {
  EXIT_ATTENTION,
  EXIT_BUDGET,
  EXIT_EPT_MISCONFIG,
  EXIT_EPT_VIOLATION,
  EXIT_MONITOR_TRAP_FLAG,
} from "../abi/exits";
import { STATE_IOREQ_NONE } from "../abi/ioreq";
import { KNOB_EVENT_RESPONSE, RESPONSE_AT_ONCE } from "../abi/knobs";
import { TRC_ENTRY, TRC_EXIT } from "../abi/trace-events";
import { W_COMPLETED, W_EXITED } from "../abi/windows";
import { Hv } from "../base/assert";
import { Count } from "../base/counters";
import { Machine } from "../base/machine";
import { Trace } from "../base/trace";
import { Variant } from "../base/variant";
import { Watch } from "../base/watch";
import { ACCESS_READ, Window } from "../base/window";
import { vcpuIsRunnable } from "../hv/domain/vcpu-state";
import { dispatchExit } from "../hv/exits/dispatch";
import { ioreqComplete } from "../hv/ioreq/complete";
import { Mapcache } from "../hv/ioreq/mapcache";
import { irqAssist } from "../hv/irq/assist";
import { RUNSTATE_RUNNING, runstateChange, runstatePublish } from "../hv/sched/runstate";
import { Vcpu } from "../hv/vcpu";
import { Verdict } from "../hv/verdict";
import { vmEventResume } from "../hv/vm-event/resume";
import { VcpuEvents } from "../hv/vm-event/vcpu-events";
import { Cpu } from "../hw/cpu";
import { Run } from "../hw/run";

const EXIT_COST: u64 = 1;
/** Invariant I-2 of spec 03: the guest does not run while a request of its is latched. */
const SITE_ENTERED_WITH_IO: u32 = 30;
/** I-2 as well: nor while a device model has not answered. */
const SITE_ENTERED_UNANSWERED: u32 = 32;

/** Exits 0..63 have their own counter, ours from 0x1000 on follow. */
function exitCounter(reason: u32): u32 {
  return reason < 64 ? reason : 64 + (reason & 63);
}

function countExit(reason: u32): void {
  Count.one(CTR_EXITS + <i32>exitCounter(reason));
}

function traceExit(v: Vcpu, c: Cpu, reason: u32): void {
  const isEpt = reason == <u32>EXIT_EPT_VIOLATION || reason == <u32>EXIT_EPT_MISCONFIG;
  Trace.event(TRC_EXIT, v.slot, reason, c.exitQualification, isEpt ? c.exitGpa : c.rip);
}

/** Something of the last I/O is still to be done before the guest may go on. */
function hasIoWork(v: Vcpu): bool {
  return (v.ioPending | v.ioState | v.ioCompletion) != 0 || Mapcache.isDue(v);
}

/** One entry into the guest, until the budget ends or an exit is handled. @returns false when the turn is over. */
function enter(v: Vcpu, c: Cpu, budget: u32): bool {
  irqAssist(v);
  Hv.assert(v.ioState == STATE_IOREQ_NONE, SITE_ENTERED_WITH_IO);
  Hv.assert(v.ioPending == 0, SITE_ENTERED_UNANSWERED);
  if (c.attention != 0) {
    // Something waits for an instruction to end, and there is no exit for when it has: look again after each one.
    c.attention = 0;
    budget = 1;
  }
  const isStepping = VcpuEvents.of(v).singleStep != 0;
  const retired = c.retired;
  let reason = Run.cpuRun(c, isStepping ? 1 : budget);
  // The monitor trap flag: an exit after one instruction.
  if (isStepping && reason == <u32>EXIT_BUDGET && c.retired != retired) reason = EXIT_MONITOR_TRAP_FLAG;
  if (reason == <u32>EXIT_BUDGET) return true;
  const m = Machine.get();
  m.now += EXIT_COST;
  if (reason == <u32>EXIT_ATTENTION) {
    c.attention = 0;
    return true;
  }
  return handle(v, c, reason);
}

/** The guest was left: the hypervisor does what the exit asks for. @returns false when the turn is over. */
function handle(v: Vcpu, c: Cpu, reason: u32): bool {
  countExit(reason);
  traceExit(v, c, reason);
  Window.at(W_EXITED, changetype<usize>(v), ACCESS_READ);
  const rip = c.rip;
  const verdict = dispatchExit(v, reason);
  // Before 461f048203: leaving the processor saves the registers it came with, over what an answer wrote meanwhile (C-61).
  if (reason == <u32>EXIT_EPT_VIOLATION && Variant.is(KNOB_EVENT_RESPONSE, RESPONSE_AT_ONCE)) c.rip = rip;
  Trace.event(TRC_ENTRY, v.slot, reason, <u64>verdict, 0);
  Watch.exit(v.slot, reason, exitCounter(reason));
  return verdict != Verdict.Block && verdict != Verdict.Crash;
}

/** An instruction that a listener had emulated is one that exits (CPUID, VMCALL, ...): as if the guest had run it. */
function leaveEmulated(v: Vcpu, c: Cpu): bool {
  const events = VcpuEvents.of(v);
  const exit = events.emulatedExit;
  if (exit == 0) return true;
  events.emulatedExit = 0;
  return handle(v, c, exit - 1);
}

/** Whether somebody else has to be looked at first: dom0, a timer, the next vCPU after a yield, or who watches. */
function isInterrupted(m: Machine): bool {
  return (m.hostAttention | m.yielded) != 0 || Watch.isStopping() || m.now >= m.nextDeadline;
}

/** A turn of `v` begins: it gets the processor. */
export function vcpuStart(v: Vcpu): void {
  runstateChange(v, RUNSTATE_RUNNING);
  runstatePublish(v);
}

/** Runs `v` for at most `budget` ticks of virtual time. Its runstate stays "running": the scheduler knows whether the turn is over. */
export function vcpuRun(v: Vcpu, budget: u64): void {
  const m = Machine.get();
  const c = v.cpu;
  const end = m.now + budget;
  m.currentVcpu = v.slot + 1;
  m.yielded = 0;
  while (m.now < end && vcpuIsRunnable(v)) {
    const hadIoWork = hasIoWork(v);
    const isStuck = hadIoWork && !ioreqComplete(v);
    if (hadIoWork && !isStuck) Window.at(W_COMPLETED, changetype<usize>(v), ACCESS_READ);
    if (isStuck) {
      m.now += EXIT_COST;
    } else if (VcpuEvents.of(v).work != 0 && vcpuIsRunnable(v) && !vmEventResume(v)) {
      m.now += EXIT_COST;
      if (!leaveEmulated(v, c) && !vcpuIsRunnable(v)) break;
    } else if (vcpuIsRunnable(v)) {
      // Still runnable: a shutdown that waited for the answer stops it here.
      // A timer set during the turn fires at its time, wherever the turn would have ended.
      const left = min<u64>(end, m.nextDeadline) - m.now;
      if (!enter(v, c, left > 0x7fff_ffff ? 0x7fff_ffff : <u32>left) && !vcpuIsRunnable(v)) break;
    }
    if (isInterrupted(m)) break;
  }
  m.currentVcpu = 0;
}
