/**
 * What the explorer needs around a step of an actor (docs/explorer.md); in the race build only. Time stands still between steps:
 * otherwise no two states would ever be equal, and no cycle found.
 */
import { KNOB_TRACE_MASK } from "../abi/knobs";
import { Knobs, Machine } from "../base/machine";
import { vcpuIsRunnable } from "../hv/domain/vcpu-state";
import { RUNSTATE_RUNNING, runstateIdle } from "../hv/sched/runstate";
import { Vcpu } from "../hv/vcpu";
import { vcpuRun, vcpuStart } from "./vcpu";

/** Virtual time at the start of every operation. */
const STANDSTILL: u64 = 1 << 24;

export const WORK_RUNNABLE: u32 = 1;
export const WORK_IO: u32 = 2;
export const WORK_RUNNING: u32 = 4;

/** A step begins on `processor` (vCPU slot + 1, or a number from CONT_FIRST_PROCESSOR on), `ticks` after its operation began. */
export function exploreEnter(processor: u32, ticks: u32): void {
  const m = Machine.get();
  m.now = STANDSTILL + ticks;
  m.currentVcpu = processor;
}

/** A step is over. @returns ticks since its operation began; all accounts of time are as if none had passed. */
export function exploreLeave(): u32 {
  const m = Machine.get();
  const ticks = <u32>(m.now - STANDSTILL);
  m.now = STANDSTILL;
  m.currentVcpu = 0;
  for (let slot: u32 = 0; slot < m.vcpuMark; slot++) {
    const v = Vcpu.at(slot);
    v.cpu.retired = 0;
    v.runstateEntry = 0;
    v.runstateTime0 = 0;
    v.runstateTime1 = 0;
    v.runstateTime2 = 0;
    v.runstateTime3 = 0;
  }
  return ticks;
}

/** WORK_* bits of the vCPU in `slot`: whether it may run, has something of an I/O access left to do, has a processor now. */
export function vcpuWork(slot: u32): u32 {
  const v = Vcpu.at(slot);
  const hasIo = (v.ioPending | v.ioState | v.ioCompletion) != 0;
  return (
    (vcpuIsRunnable(v) ? WORK_RUNNABLE : 0) |
    (hasIo ? WORK_IO : 0) |
    (v.runstate == RUNSTATE_RUNNING ? WORK_RUNNING : 0)
  );
}

/** One step of the vCPU in `slot` outside the hypervisor: completion of I/O, one guest instruction, and the exit if there is one. */
export function exploreRun(slot: u32): u32 {
  const v = Vcpu.at(slot);
  vcpuStart(v);
  vcpuRun(v, 1);
  runstateIdle(v);
  return 0;
}

/** Which classes of trace events are recorded from now on: for telling a schedule once more. Not for searches: it is state. */
export function exploreTrace(mask: u32): void {
  Knobs.set(KNOB_TRACE_MASK, mask);
}
