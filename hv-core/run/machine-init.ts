/** A machine is born: frames, clock, knobs with their defaults, and dom0, which is a domain whose vCPU the host plays. */
import { EBUSY, EINVAL, ENOMEM, OK } from "../abi/errno";
import { KNOB_PADDR_BITS, KNOB_SCHED_QUANTUM, KNOB_TLB_ENTRIES, KNOB_TRACE_MASK, KNOB_TSC_KHZ } from "../abi/knobs";
import { FRAMES_BASE, FRESH_FRAMES_MARK, MAX_FRAMES, PAGE_SHIFT, TRACE_BASE } from "../abi/layout";
import { TRACE_MASK } from "../abi/trace-events";
import { Knobs, Machine } from "../base/machine";
import { Domain } from "../hv/domain";
import { domainCreate } from "../hv/domain/create";
import { createVcpus } from "../hv/domain/vcpu-create";
import { iocapDom0 } from "../hv/iocap/permission";
import { MmioRo } from "../hv/p2m/mmio-ro";
import { physmapAdd } from "../hv/p2m/physmap";
import { wallClockUpdate } from "../hv/time/pvclock";
import { timeInit } from "../hv/time/time";
import { NO_DEADLINE, Vcpu } from "../hv/vcpu";
import { allocatorInit, allocFrame } from "../mem/allocator";

/** dom0 has every port of the 2-level layout, and EPT tables without limit. */
const DOM0_PORTS: u32 = 4095;
const DOM0_POOL: u32 = 0xffff;

/** Values of knobs that nobody set. */
const DEFAULT_TLB_ENTRIES: u32 = 1024;
const DEFAULT_QUANTUM: u32 = 10_000;
const DEFAULT_TSC_KHZ: u32 = 2_596_122;
const DEFAULT_PADDR_BITS: u32 = 40;

function defaultKnob(index: i32, value: u32): void {
  if (Knobs.get(index) == 0) Knobs.set(index, value);
}

/** Values that would break an invariant: a TLB size that is no power of two, or out of range. */
function areKnobsValid(): bool {
  const entries = Knobs.get(KNOB_TLB_ENTRIES);
  const bits = Knobs.get(KNOB_PADDR_BITS);
  return entries >= 16 && entries <= 1024 && popcnt<u32>(entries) == 1 && bits >= 32 && bits <= 48;
}

function hasMemoryFor(frameCount: u32): bool {
  return <u64>FRAMES_BASE + ((<u64>frameCount) << PAGE_SHIFT) <= (<u64>memory.size()) << 16;
}

/** dom0: RAM from gfn 0 on in consecutive frames, one vCPU that stays off-line because the host plays it. */
function createDom0(pages: u32): i32 {
  const first = allocFrame(0, 0);
  for (let i: u32 = 1; i < pages; i++) if (allocFrame(0, 0) == 0) return -ENOMEM;
  const slot = domainCreate(0, 1, DOM0_PORTS);
  if (slot != 0) return slot < 0 ? slot : -EBUSY;
  const d = Domain.at(0);
  d.isPrivileged = 1;
  d.controllerPause = 0;
  d.maxPages = 0xffff_ffff;
  d.pagingPool = DOM0_POOL;
  for (let i: u32 = 0; i < pages; i++) {
    const error = physmapAdd(d, i, first + i, 0);
    if (error != OK) return error;
  }
  const error = createVcpus(d);
  if (error != OK) return error;
  Vcpu.at(d.firstVcpu).cpu.cr0 = 0x11;
  wallClockUpdate(d);
  iocapDom0(d);
  return OK;
}

/**
 * Once for each instance, after the knobs are set.
 * @returns OK; -EBUSY (done before), -EINVAL (a knob or a size is impossible), -ENOMEM (linear memory or frames do not suffice).
 */
export function machineInit(frameCount: u32, dom0Pages: u32): i32 {
  const m = Machine.get();
  if (m.frameCount != 0) return -EBUSY;
  defaultKnob(KNOB_TLB_ENTRIES, DEFAULT_TLB_ENTRIES);
  defaultKnob(KNOB_SCHED_QUANTUM, DEFAULT_QUANTUM);
  defaultKnob(KNOB_TSC_KHZ, DEFAULT_TSC_KHZ);
  defaultKnob(KNOB_PADDR_BITS, DEFAULT_PADDR_BITS);
  if (!areKnobsValid() || dom0Pages == 0 || frameCount > <u32>MAX_FRAMES || dom0Pages >= frameCount) return -EINVAL;
  if (!hasMemoryFor(frameCount)) return -ENOMEM;
  store<u32>(TRACE_BASE, Knobs.get(KNOB_TRACE_MASK), TRACE_MASK);
  store<u32>(FRESH_FRAMES_MARK, 1);
  allocatorInit(frameCount);
  MmioRo.init();
  timeInit();
  m.nextDeadline = NO_DEADLINE;
  m.domidRover = 1;
  return createDom0(dom0Pages);
}
