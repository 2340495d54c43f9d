/**
 * Unit-test build: a vCPU in 64-bit mode that runs a few instructions, its exits handled as the run loop does, stopping at HLT or
 * when it waits for the device model that the test plays (test/ioreq/replay.test.ts, as-xen.test.ts, bench of the exit path).
 */
import { CTR_REPLAYS } from "../abi/counters";
import { SEG_CS, SEG_TR } from "../abi/cpu";
import { EXIT_BUDGET, EXIT_EPT_MISCONFIG, EXIT_EPT_VIOLATION, EXIT_HLT, EXIT_IO_INSTRUCTION } from "../abi/exits";
import { COUNTERS_BASE, COUNTERS_SIZE } from "../abi/layout";
import { P2M_ACCESS_RWX, P2M_RAM_RW } from "../abi/p2m-types";
import { Knobs } from "../base/machine";
import { onEptMisconfig } from "../hv/exits/on-ept-misconfig";
import { onEptViolation } from "../hv/exits/on-ept-violation";
import { onIo } from "../hv/exits/on-io";
import { ioreqComplete } from "../hv/ioreq/complete";
import { irqAssist } from "../hv/irq/assist";
import { logDirtyIsMarked } from "../hv/logdirty/bitmap";
import { logDirtyEnable } from "../hv/logdirty/global";
import { P2m } from "../hv/p2m/p2m";
import { VPF_BLOCKED_IN_XEN } from "../hv/vcpu";
import { Mode } from "../hw/mode";
import { Run } from "../hw/run";
import { allocFrame } from "../mem/allocator";
import { frameWritten } from "../mem/frame-access";
import { Frame } from "../mem/frame-table";
import { World, worldCreate } from "./world";

export {
  bind,
  clearPauseFlags,
  complete,
  crashReason,
  dm,
  dom0Address,
  frameHost,
  ioData,
  ioPending,
  memType,
  pauseFlags,
  resource,
  send,
} from "./ioreq";

const GUEST_PAGES: u32 = 1024;

/** What `go` stopped for. */
const STOP_HALT: u32 = 0;
const STOP_DEVICE: u32 = 1;
const STOP_CRASH: u32 = 2;
const STOP_LIVELOCK: u32 = 3;
/** | exit reason << 8. */
const STOP_OTHER: u32 = 4;

const EXITS_WITHOUT_PROGRESS: u32 = 1000;

/** Access rights in VMX format: 64-bit code, 32-bit data, busy TSS. */
const ATTR_CODE64: u32 = 0xa09b;
const ATTR_DATA: u32 = 0xc093;
const ATTR_TSS: u32 = 0x8b;

/** A guest with 4 MiB of RAM; the test writes its page tables to 0x1000 (CR3), its IDT to 0x60000, and its code. */
export function setup64(deviceAt: u32): void {
  worldCreate(8192, 1, GUEST_PAGES, deviceAt);
  memory.fill(COUNTERS_BASE, 0, COUNTERS_SIZE);
  const v = World.vcpu(0);
  v.pauseFlags = 0;
  v.initialised = 1;
  const c = v.cpu;
  for (let i: u32 = 0; i < 8; i++) {
    const s = c.seg(i);
    s.base = 0;
    s.limit = 0xffff_ffff;
    s.attr = i == <u32>SEG_CS ? ATTR_CODE64 : i == <u32>SEG_TR ? ATTR_TSS : ATTR_DATA;
    s.selector = i == <u32>SEG_CS ? 8 : 16;
  }
  c.idtrBase = 0x60000;
  c.idtrLimit = 511;
  c.gdtrBase = 0x61000;
  c.gdtrLimit = 23;
  c.cr3 = 0x1000;
  c.cr4 = 0x620;
  c.efer = 0x500;
  c.cr0 = 0x8000_0011;
  Mode.update(c);
}

/** Sets a knob of this machine; setup64 sets all of them back. */
export function setKnob(index: u32, value: u32): void {
  Knobs.set(<i32>index, value);
}

/** Linear address of guest RAM byte `gpa`. */
export function guestAddress(gpa: u32): u32 {
  P2m.lookup(World.guest, <u64>(gpa >> 12), 0);
  return <u32>Frame.host(World.guest.lookupMfn) + (gpa & 4095);
}

/** The test has written to the page of `gpa` itself. */
export function guestWritten(gpa: u32): void {
  P2m.lookup(World.guest, <u64>(gpa >> 12), 0);
  frameWritten(World.guest.lookupMfn);
}

/** One more page of RAM at `gfn`. */
export function addPage(gfn: u64): i32 {
  return P2m.set(World.guest, gfn, allocFrame(World.guest.slot, 0), 0, P2M_RAM_RW, P2M_ACCESS_RWX);
}

/** Log-dirty mode of the whole domain begins. */
export function trackWrites(): i32 {
  return logDirtyEnable(World.guest);
}

export function isDirty(gpa: u32): bool {
  return logDirtyIsMarked(World.guest, gpa >> 12);
}

export function setReg(index: u32, value: u64): void {
  World.vcpu(0).cpu.setReg(index, value);
}

export function reg(index: u32): u64 {
  return World.vcpu(0).cpu.reg(index);
}

export function setRip(rip: u64, rflags: u32): void {
  World.vcpu(0).cpu.rip = rip;
  World.vcpu(0).cpu.rflags = rflags;
}

export function rip(): u64 {
  return World.vcpu(0).cpu.rip;
}

export function rflags(): u32 {
  return World.vcpu(0).cpu.rflags;
}

export function counter(index: u32): u64 {
  return load<u64>(COUNTERS_BASE + ((<usize>index) << 3));
}

export function replays(): u32 {
  return <u32>counter(CTR_REPLAYS);
}

/** Runs until HLT, a request to the device model, a crash, or an exit that is not handled here. */
export function go(budget: u32): u32 {
  const v = World.vcpu(0);
  const c = v.cpu;
  let same: u32 = 0;
  while (true) {
    if (v.ioState != 0 || v.ioCompletion != 0 || v.ioPending != 0) {
      if (!ioreqComplete(v)) return v.domain.crashReason != 0 ? STOP_CRASH : STOP_DEVICE;
    }
    if (v.domain.crashReason != 0) return STOP_CRASH;
    if ((v.pauseFlags & VPF_BLOCKED_IN_XEN) != 0) return STOP_DEVICE;
    irqAssist(v);
    const before = c.retired;
    const reason = Run.cpuRun(c, budget);
    if (reason == <u32>EXIT_HLT) {
      Run.skip(c);
      return STOP_HALT;
    }
    if (reason == <u32>EXIT_EPT_VIOLATION) onEptViolation(v);
    else if (reason == <u32>EXIT_EPT_MISCONFIG) onEptMisconfig(v);
    else if (reason == <u32>EXIT_IO_INSTRUCTION) onIo(v);
    else return reason == <u32>EXIT_BUDGET ? STOP_OTHER : STOP_OTHER | (reason << 8);
    same = c.retired == before && v.ioPending == 0 ? same + 1 : 0;
    if (same > EXITS_WITHOUT_PROGRESS) return STOP_LIVELOCK;
  }
}
