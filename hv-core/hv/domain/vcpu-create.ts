/**
 * vCPUs come into being: all of a domain at once (DOMCTL_max_vcpus), in consecutive slots, off-line and in the state after reset.
 * Their start state comes from the toolstack's context or from VCPUOP_initialise (sched/vcpu-context.ts).
 */
import { SEG_CS, SEG_LDTR, SEG_TR } from "../../abi/cpu";
import { NR_PCPUS } from "../../abi/domctl";
import { ENOMEM, OK } from "../../abi/errno";
import { KNOB_PADDR_BITS, KNOB_RMW_READ, KNOB_TLB_ENTRIES } from "../../abi/knobs";
import { MAX_VCPUS, VCPU_SIZE, VCPUS_BASE } from "../../abi/layout";
import { Knobs, Machine } from "../../base/machine";
import { Cpu } from "../../hw/cpu";
import { Mode } from "../../hw/mode";
import { Tlb } from "../../hw/tlb";
import { Domain } from "../domain";
import { LEGACY_MAX_VCPUS, VCPU_INFO_SIZE } from "../hypercall/shared-info";
import { lapicReset } from "../irq/lapic";
import { pvclockUpdate } from "../time/pvclock";
import { timersStop } from "../time/timers";
import { Vcpu, VPF_DOWN } from "../vcpu";
import { xstateReset } from "../xstate";

/** The PAT after reset, and the MTRR default type a PVH guest finds (spec 10 section 4). */
const PAT_RESET: u64 = 0x0007_0406_0007_0406;
export const MTRR_DEF_TYPE_WB: u64 = 0x806;

/** Every processor of the machine. */
const ALL_PCPUS: u64 = ((<u64>1) << NR_PCPUS) - 1;

const RUNSTATE_OFFLINE: u32 = 3;

// Access rights in VMX format: present 16-bit data and code as after reset, busy 32-bit TSS, LDT.
const ATTR_DATA: u32 = 0x93;
const ATTR_CODE: u32 = 0x9b;
const ATTR_TSS: u32 = 0x8b;
const ATTR_UNUSABLE: u32 = 0x1_0000;

/** Registers of a processor after reset (SDM 3A, table 10-1), the EPT root of its domain and an empty TLB. */
export function cpuReset(c: Cpu, eptRoot: u32): void {
  for (let i: u32 = 0; i < 16; i++) c.setReg(i, 0);
  for (let i: u32 = 0; i < 8; i++) {
    const s = c.seg(i);
    s.base = 0;
    s.limit = 0xffff;
    s.selector = 0;
    s.attr =
      i == <u32>SEG_CS ? ATTR_CODE : i == <u32>SEG_TR ? ATTR_TSS : i == <u32>SEG_LDTR ? ATTR_UNUSABLE : ATTR_DATA;
  }
  c.rip = 0xfff0;
  c.rflags = 2;
  c.flagKind = 0;
  c.gdtrBase = 0;
  c.gdtrLimit = 0;
  c.idtrBase = 0;
  c.idtrLimit = 0;
  c.cr0 = 0x10; // ET
  c.cr2 = 0;
  c.cr3 = 0;
  c.cr4 = 0;
  c.cr8 = 0;
  c.efer = 0;
  c.dr0 = 0;
  c.dr1 = 0;
  c.dr2 = 0;
  c.dr3 = 0;
  c.dr6 = 0xffff_0ff0;
  c.dr7 = 0x400;
  c.pat = PAT_RESET;
  c.cpl = 0;
  c.eptRoot = eptRoot;
  c.interruptibility = 0;
  c.entryEvent = 0;
  c.interruptWindow = 0;
  c.halted = 0;
  c.fault = 0;
  c.replay = 0;
  c.paddrBits = Knobs.get(KNOB_PADDR_BITS);
  Tlb.init(c, Knobs.get(KNOB_TLB_ENTRIES));
  c.asksReadHalf = Knobs.get(KNOB_RMW_READ);
  Mode.update(c);
}

/** First of `count` consecutive unused vCPU slots; MAX_VCPUS when there is no such run. */
function findSlots(count: u32): u32 {
  let run: u32 = 0;
  for (let slot: u32 = 0; slot < <u32>MAX_VCPUS; slot++) {
    run = Vcpu.at(slot).inUse == 0 ? run + 1 : 0;
    if (run == count) return slot + 1 - count;
  }
  return MAX_VCPUS;
}

/** vcpu_info of the first 32 lies in shared_info; the others have none before they register one. */
export function vcpuInfoDefault(d: Domain, v: Vcpu): void {
  v.vcpuInfoRegistered = 0;
  v.vcpuInfoMfn = v.id < LEGACY_MAX_VCPUS ? d.sharedInfoMfn : 0;
  v.vcpuInfoOffset = v.id < LEGACY_MAX_VCPUS ? v.id * VCPU_INFO_SIZE : 0;
}

function createOne(d: Domain, slot: u32, id: u32): void {
  memory.fill(VCPUS_BASE + <usize>slot * VCPU_SIZE, 0, VCPU_SIZE);
  const v = Vcpu.at(slot);
  v.inUse = 1;
  v.slot = slot;
  v.domid = d.domid;
  v.domainSlot = d.slot;
  v.id = id;
  v.pauseFlags = VPF_DOWN;
  v.hypercall64 = 1;
  v.runstate = RUNSTATE_OFFLINE;
  v.msrMtrrDefType = MTRR_DEF_TYPE_WB;
  v.hardAffinity = ALL_PCPUS;
  v.softAffinity = ALL_PCPUS;
  timersStop(v);
  vcpuInfoDefault(d, v);
  const c = v.cpu;
  c.slot = slot;
  c.tscOffset = 0 - d.createdAt;
  cpuReset(c, d.p2mRoot);
  xstateReset(c);
  lapicReset(v);
  pvclockUpdate(v);
}

/** Creates the domain's vCPUs. -ENOMEM when the machine has no such run of slots left. */
export function createVcpus(d: Domain): i32 {
  const first = findSlots(d.maxVcpus);
  if (first == <u32>MAX_VCPUS) return -ENOMEM;
  d.firstVcpu = first;
  for (let id: u32 = 0; id < d.maxVcpus; id++) createOne(d, first + id, id);
  d.vcpuCount = d.maxVcpus;
  const m = Machine.get();
  if (first + d.maxVcpus > m.vcpuMark) m.vcpuMark = first + d.maxVcpus;
  return OK;
}

/** The slots are free again; the records go so that no stale state is hashed or found. */
export function destroyVcpus(d: Domain): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    memory.fill(VCPUS_BASE + <usize>(d.firstVcpu + id) * VCPU_SIZE, 0, VCPU_SIZE);
  }
  d.vcpuCount = 0;
  const m = Machine.get();
  while (m.vcpuMark != 0 && Vcpu.at(m.vcpuMark - 1).inUse == 0) m.vcpuMark--;
}
