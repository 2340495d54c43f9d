/**
 * Who runs: vCPUs of all domains take turns by instruction count (knob sched.quantum), timers fire in between, and when nobody
 * can run virtual time jumps to the next deadline. Next: run/vcpu.ts.
 */
import { KNOB_SCHED_QUANTUM } from "../abi/knobs";
import { MAX_VCPUS } from "../abi/layout";
import { RUN_ATTENTION, RUN_BREAK, RUN_BUDGET, RUN_IDLE } from "../abi/run";
import { ATTENTION_EVENT, ATTENTION_OUTPUT, Knobs, Machine } from "../base/machine";
import { Watch } from "../base/watch";
import { Domain } from "../hv/domain";
import { vcpuIsRunnable } from "../hv/domain/vcpu-state";
import { isUpcallPending } from "../hv/hypercall/shared-info";
import { runstateIdle } from "../hv/sched/runstate";
import { timersRun } from "../hv/time/timers";
import { NO_DEADLINE, Vcpu } from "../hv/vcpu";
import { vcpuRun, vcpuStart } from "./vcpu";

/** No vCPU can run. */
const NOBODY: u32 = MAX_VCPUS;

/** The next runnable vCPU in turn, NOBODY when there is none. */
function nextRunnable(m: Machine): u32 {
  const mark = m.vcpuMark;
  let slot = m.nextVcpu;
  for (let i: u32 = 0; i < mark; i++) {
    if (slot >= mark) slot = 0;
    if (vcpuIsRunnable(Vcpu.at(slot))) return slot;
    slot++;
  }
  return NOBODY;
}

/** Whether the vCPU of the last turn goes on with it: the caller's budget ended in its middle. */
function hasTurnLeft(m: Machine): bool {
  return m.turnLeft != 0 && vcpuIsRunnable(Vcpu.at(m.nextVcpu - 1));
}

/** The turn that was cut will not go on: its vCPU was stopped in the middle of it. */
function dropTurn(m: Machine): void {
  if (m.turnLeft == 0) return;
  m.turnLeft = 0;
  const v = Vcpu.at(m.nextVcpu - 1);
  if (v.inUse != 0) runstateIdle(v);
}

/** A new turn of the vCPU in `slot`. */
function beginTurn(m: Machine, slot: u32, end: u64): void {
  m.nextVcpu = slot + 1;
  vcpuStart(Vcpu.at(slot));
  takeTurn(m, slot, Knobs.get(KNOB_SCHED_QUANTUM), end);
}

/** Output alone does not end a turn: when it is fetched must not matter. */
function isTurnOver(m: Machine): bool {
  return (m.hostAttention & ATTENTION_EVENT) != 0 || m.yielded != 0 || m.now >= m.nextDeadline;
}

/**
 * Gives `slot` the `rest` of its turn, as far as the budget's `end` lets it. If that is what cut it, the turn goes on in the next
 * run(): who runs when must not depend on how the caller slices its budgets.
 */
function takeTurn(m: Machine, slot: u32, rest: u64, end: u64): void {
  const v = Vcpu.at(slot);
  const start = m.now;
  m.turnLeft = 0;
  vcpuRun(v, min<u64>(rest, end - start));
  const used = m.now - start;
  if (used < rest && vcpuIsRunnable(v) && !isTurnOver(m)) m.turnLeft = rest - used;
  else runstateIdle(v);
}

/** Whether the host has to look: output to fetch, or an event for dom0 that is still pending. Each arrival is reported once. */
function takeAttention(m: Machine): bool {
  const why = m.hostAttention;
  if (why == 0) return false;
  m.hostAttention = 0;
  if ((why & ATTENTION_OUTPUT) != 0) return true;
  return isUpcallPending(Vcpu.at(Domain.at(0).firstVcpu));
}

/** Later than any virtual time. */
const NEVER: u64 = 0xffff_ffff_ffff_ffff;

/**
 * Runs the machine for at most `maxInstructions` ticks; skipped idle time is free, each skip costs one.
 * @returns RUN_BUDGET, RUN_ATTENTION (dom0 has an event, or output waits), RUN_IDLE (only the outside can wake anybody) or RUN_BREAK.
 */
export function run(maxInstructions: u32): u32 {
  return runUntil(maxInstructions, NEVER);
}

/** As run, and not beyond virtual time `time` (two halves): it stops at the first boundary of instructions that is not before it. */
export function runTo(maxInstructions: u32, timeLow: u32, timeHigh: u32): u32 {
  return runUntil(maxInstructions, <u64>timeLow | ((<u64>timeHigh) << 32));
}

function runUntil(maxInstructions: u32, time: u64): u32 {
  const m = Machine.get();
  let end = m.now + maxInstructions;
  while (true) {
    timersRun();
    if (takeAttention(m)) return RUN_ATTENTION;
    if (Watch.isStopping()) {
      Watch.stopped();
      return RUN_BREAK;
    }
    if (m.now >= end || m.now >= time) return RUN_BUDGET;
    if (hasTurnLeft(m)) {
      takeTurn(m, m.nextVcpu - 1, m.turnLeft, min<u64>(end, time));
      continue;
    }
    dropTurn(m);
    const slot = nextRunnable(m);
    if (slot == NOBODY) {
      if (m.nextDeadline == NO_DEADLINE) return RUN_IDLE;
      end += m.nextDeadline - m.now - 1;
      m.now = m.nextDeadline;
      continue;
    }
    beginTurn(m, slot, min<u64>(end, time));
  }
}

/**
 * Runs only the vCPU in `slot` for at most `maxInstructions` ticks, for stepping. Timers that are due fire first.
 * @returns instructions retired, 0 when it cannot run or had to wait.
 */
export function runVcpu(slot: u32, maxInstructions: u32): u32 {
  if (slot >= <u32>MAX_VCPUS) return 0;
  const m = Machine.get();
  const v = Vcpu.at(slot);
  timersRun();
  m.hostAttention = 0; // the caller looks after every step
  if (!vcpuIsRunnable(v)) return 0;
  const before = v.cpu.retired;
  const end = m.now + maxInstructions;
  if (m.nextVcpu == slot + 1 && hasTurnLeft(m)) takeTurn(m, slot, m.turnLeft, end);
  else {
    dropTurn(m);
    beginTurn(m, slot, end);
  }
  return <u32>(v.cpu.retired - before);
}
