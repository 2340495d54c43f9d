/**
 * Log-dirty mode by page-modification logging (spec 01 section 1.9; knob ept.pml): a tracked page of 4 KiB stays writable with its dirty flag
 * clear, and the processor logs its first write (hw/pml.ts), so that there is no exit for each page. A tracked superpage is still written
 * once with an exit, which splits it. A log is read when it is full, before anybody reads the bitmap, and when the mode ends.
 *
 * Each vCPU has a log, a frame of the hypervisor's own. Without memory for all of them writes fault as they do without the knob.
 */
import { KNOB_PML } from "../../abi/knobs";
import { P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { Knobs } from "../../base/machine";
import { Cpu } from "../../hw/cpu";
import { PML_ENTRIES } from "../../hw/pml";
import { allocFrame, freeFrame } from "../../mem/allocator";
import { FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../mem/frame-table";
import { Domain } from "../domain";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { logDirtyMark } from "./bitmap";

const EMPTY: u32 = PML_ENTRIES - 1;

/** Whether tracked pages of 4 KiB are logged instead of write-protected. */
export function pmlIsOn(d: Domain): bool {
  return d.vcpuCount != 0 && Vcpu.at(d.firstVcpu).cpu.pmlMfn != 0;
}

/** Log-dirty mode begins: every vCPU gets its log, or none does. The domain is paused. */
export function pmlEnable(d: Domain): void {
  if (Knobs.get(KNOB_PML) == 0) return;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const mfn = allocFrame(OWNER_XEN, FRAME_XEN_HEAP);
    if (mfn == 0) {
      pmlRelease(d);
      return;
    }
    const c = Vcpu.at(d.firstVcpu + id).cpu;
    c.pmlMfn = mfn;
    c.pmlIndex = EMPTY;
  }
}

/** The log fills from its end: the first entry in use, the youngest. */
function youngest(c: Cpu): u32 {
  return c.pmlIndex >= PML_ENTRIES ? 0 : c.pmlIndex + 1;
}

/** What a vCPU has logged is noted, and the pages are RAM until they are tracked again. */
export function pmlFlush(d: Domain, c: Cpu): void {
  if (c.pmlMfn == 0 || c.pmlIndex == EMPTY) return;
  P2m.lock(d);
  for (let i = youngest(c); i < PML_ENTRIES; i++) {
    const gfn = load<u64>(Frame.host(c.pmlMfn) + ((<usize>i) << 3)) >> 12;
    P2m.changeTypeOne(d, gfn, P2M_RAM_LOGDIRTY, P2M_RAM_RW); // or another type by now: it was written all the same
    logDirtyMark(d, gfn);
  }
  c.pmlIndex = EMPTY;
  P2m.unlock(d);
}

/** All logs of the domain, which is paused: before its bitmap is read. */
export function pmlFlushAll(d: Domain): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) pmlFlush(d, Vcpu.at(d.firstVcpu + id).cpu);
}

/** The logs go; what stands in them does not count any more. */
export function pmlRelease(d: Domain): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const c = Vcpu.at(d.firstVcpu + id).cpu;
    if (c.pmlMfn != 0) freeFrame(c.pmlMfn);
    c.pmlMfn = 0;
    c.pmlIndex = 0;
  }
}

/** Whether the page stands in a log: it counts as written, though the bitmap does not say so yet. */
export function pmlHasLogged(d: Domain, gfn: u64): bool {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const c = Vcpu.at(d.firstVcpu + id).cpu;
    if (c.pmlMfn == 0) continue;
    for (let i = youngest(c); i < PML_ENTRIES; i++) {
      if (load<u64>(Frame.host(c.pmlMfn) + ((<usize>i) << 3)) >> 12 == gfn) return true;
    }
  }
  return false;
}
