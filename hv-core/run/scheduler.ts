/**
 * Who runs: vCPUs of all domains take turns by instruction count (knob sched.quantum), timers fire in between, and when nobody
 * can run virtual time jumps to the next deadline. Next: run/vcpu.ts.
 */
import { KNOB_SCHED_QUANTUM } from "../abi/knobs";
import { MAX_VCPUS } from "../abi/layout";
import { RUN_ATTENTION, RUN_BUDGET, RUN_IDLE } from "../abi/run";
import { ATTENTION_OUTPUT, Knobs, Machine } from "../base/machine";
import { Domain } from "../hv/domain";
import { vcpuIsRunnable } from "../hv/domain/vcpu-state";
import { isUpcallPending } from "../hv/hypercall/shared-info";
import { timersRun } from "../hv/time/timers";
import { NO_DEADLINE, Vcpu } from "../hv/vcpu";
import { vcpuRun } from "./vcpu";

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

/** Whether the host has to look: output to fetch, or an event for dom0 that is still pending. Each arrival is reported once. */
function takeAttention(m: Machine): bool {
  const why = m.hostAttention;
  if (why == 0) return false;
  m.hostAttention = 0;
  if ((why & ATTENTION_OUTPUT) != 0) return true;
  return isUpcallPending(Vcpu.at(Domain.at(0).firstVcpu));
}

/**
 * Runs the machine for at most `maxInstructions` ticks; skipped idle time is free, each skip costs one.
 * @returns RUN_BUDGET, RUN_ATTENTION (dom0 has an event, or output waits) or RUN_IDLE (only the outside can wake anybody).
 */
export function run(maxInstructions: u32): u32 {
  const m = Machine.get();
  let end = m.now + maxInstructions;
  while (true) {
    timersRun();
    if (takeAttention(m)) return RUN_ATTENTION;
    if (m.now >= end) return RUN_BUDGET;
    const slot = nextRunnable(m);
    if (slot == NOBODY) {
      if (m.nextDeadline == NO_DEADLINE) return RUN_IDLE;
      end += m.nextDeadline - m.now - 1;
      m.now = m.nextDeadline;
      continue;
    }
    m.nextVcpu = slot + 1;
    const turn = min<u64>(Knobs.get(KNOB_SCHED_QUANTUM), min<u64>(end - m.now, m.nextDeadline - m.now));
    vcpuRun(Vcpu.at(slot), turn);
  }
}

/**
 * Runs only the vCPU in `slot` for at most `maxInstructions` ticks, for stepping. Timers that are due fire first.
 * @returns instructions retired, 0 when it cannot run or had to wait.
 */
export function runVcpu(slot: u32, maxInstructions: u32): u32 {
  if (slot >= <u32>MAX_VCPUS) return 0;
  const v = Vcpu.at(slot);
  timersRun();
  if (!vcpuIsRunnable(v)) return 0;
  const before = v.cpu.retired;
  vcpuRun(v, maxInstructions);
  return <u32>(v.cpu.retired - before);
}
