/** CPUID (exit 10): the fixed leaves of cpuid-leaves.ts, and those that depend on the vCPU, its registers or the machine. */
import { KNOB_PADDR_BITS, KNOB_TSC_KHZ } from "../../abi/knobs";
import { Knobs, Machine } from "../../base/machine";
import { Run } from "../../hw/run";
import { CpuidTable } from "../cpuid/table";
import { XEN_VERSION_WORD } from "../hypercall/xen-version";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { injectGp } from "./inject";

// Leaf 40000004, eax: virtual APIC registers 0, x2APIC 1, vcpu id 3, domid 4, upcall vector 6. The record has bits 2, 3, 4, 6;
// bit 2 (IOMMU mappings) as well although no device is passed through.
const XEN_HVM_FEATURES: u32 = 0x5c;
/** MSR 140 bit 0: CPUID outside ring 0 is #GP(0). */
const CPUID_FAULTING: u64 = 1;
const CPUID_APIC_BIT: u32 = 1 << 9;
const APIC_BASE_ENABLED: u64 = 1 << 11;

function setResult(v: Vcpu, a: u32, b: u32, c: u32, d: u32): void {
  const cpu = v.cpu;
  cpu.rax = a;
  cpu.rbx = b;
  cpu.rcx = c;
  cpu.rdx = d;
}

/** Leaf 1: APIC id (twice the vCPU's), logical processors, and the APIC bit while it is enabled. */
function features(v: Vcpu, row: usize): void {
  const ebx = load<u32>(row, 4) | (((v.id * 2) & 255) << 24);
  const hasApic = (v.apicBase & APIC_BASE_ENABLED) != 0;
  const edx = load<u32>(row, 12);
  setResult(v, load<u32>(row), ebx, load<u32>(row, 8), hasApic ? edx : edx & ~CPUID_APIC_BIT);
}

/** Leaf 40000003, subleaf 0: TSC emulated (0), RDTSCP known to the host (2), as recorded. */
const TIME_FEATURES: u32 = 5;

/** Leaf 40000003: the clock. Subleaf 0 mode and frequency, 1 offset and scale of the TSC, 2 the host's frequency. */
function time(v: Vcpu, subleaf: u32): void {
  const khz = Knobs.get(KNOB_TSC_KHZ);
  const d = v.domain;
  const m = Machine.get();
  const offset = v.cpu.tscOffset;
  switch (subleaf) {
    case 0:
      setResult(v, TIME_FEATURES, d.tscMode, d.tscKhz, d.tscIncarnation);
      return;
    case 1:
      setResult(v, <u32>offset, <u32>(offset >> 32), m.timeMul, m.timeShift);
      return;
    case 2:
      setResult(v, khz, 0, 0, 0);
      return;
    default:
      setResult(v, 0, 0, 0, 0);
  }
}

/** Width of physical addresses: the machine's, or what the domain's policy says. */
function paddrBits(row: usize): u32 {
  const bits = load<u32>(row) & 0xff;
  const most = Knobs.get(KNOB_PADDR_BITS);
  return bits < most ? bits : most;
}

function answer(v: Vcpu, leaf: u32, subleaf: u32): void {
  const row = CpuidTable.row(v.domain, leaf, subleaf);
  switch (leaf) {
    case 1:
      features(v, row);
      return;
    case 0xb:
      // No topology: the record has the subleaf number and nothing else.
      setResult(v, 0, 0, subleaf <= 1 ? subleaf : 0, 0);
      return;
    case 0x4000_0001:
      setResult(v, XEN_VERSION_WORD, 0, 0, 0);
      return;
    case 0x4000_0003:
      time(v, subleaf);
      return;
    case 0x4000_0004:
      setResult(v, XEN_HVM_FEATURES, v.id, v.domid, 0);
      return;
    case 0x8000_0008:
      setResult(v, 0x3000 | paddrBits(row), 0, load<u32>(row, 8), 0);
      return;
    default:
      break;
  }
  if (row == 0) setResult(v, 0, 0, 0, 0);
  else setResult(v, load<u32>(row), load<u32>(row, 4), load<u32>(row, 8), load<u32>(row, 12));
}

export function onCpuid(v: Vcpu): Verdict {
  const c = v.cpu;
  if (c.cpl != 0 && (v.msrMiscEnable & CPUID_FAULTING) != 0) return injectGp(v);
  answer(v, <u32>c.rax, <u32>c.rcx);
  Run.skip(c);
  return Verdict.Done;
}
