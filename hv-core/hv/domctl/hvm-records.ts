/**
 * The records of an HVM context, one at a time: which exist, how each is written and read back (public save format). Records of
 * devices this machine does not have (the PIC, timers, XSAVE, Viridian) are registered but never written, as in a
 * Xen whose domain lacks them; those of interrupt lines, in a domain without any, are written as all zero and read without effect.
 */
import { EINVAL, OK } from "../../abi/errno";
import { HVM_SAVE_CPU, HVM_SAVE_CPU_SIZE, HVM_SAVE_MTRR, HVM_SAVE_MTRR_SIZE } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { hasIrqLines, IOAPIC_PINS, IrqLines, irqLinesRecount } from "../irq/irq-lines";
import { lapicTaskPriority } from "../irq/lapic";
import {
  APIC_BASE_MODE_MASK,
  APIC_BASE_MODE_XAPIC,
  APIC_LAST,
  APIC_TIMER_DIVIDE,
  APIC_TIMER_INITIAL,
  APIC_TPR,
} from "../irq/lapic-regs";
import { lapicTimerStart } from "../irq/lapic-timer";
import { IOAPIC_BASE } from "../irq/vioapic";
import { Vcpu } from "../vcpu";
import { cpuRecordRead, cpuRecordWrite } from "./cpu-record";

const SAVE_IOAPIC: u32 = 4;
export const SAVE_LAPIC: u32 = 5;
export const SAVE_LAPIC_REGS: u32 = 6;
const SAVE_PCI_IRQ: u32 = 7;
const SAVE_ISA_IRQ: u32 = 8;
const SAVE_PCI_LINK: u32 = 9;
const SAVE_VMCE: u32 = 18;
const SAVE_TSC_ADJUST: u32 = 19;
/** Types 2..20 have a handler. */
export const SAVE_FIRST: u32 = 2;
export const SAVE_LAST: u32 = 20;
/** 2, 5, 6, 14, 16, 17, 18, 19, 20: one record for each vCPU. */
const PER_VCPU: u32 =
  (1 << 2) | (1 << 5) | (1 << 6) | (1 << 14) | (1 << 16) | (1 << 17) | (1 << 18) | (1 << 19) | (1 << 20);

const IOAPIC_SIZE: u32 = 400;
const LAPIC_SIZE: u32 = 24;
const LAPIC_REGS_SIZE: u32 = 1024;
const VMCE_SIZE: u32 = 32;
/** Offsets in an MTRR record: pat, 16 variable, 11 fixed, cap, def_type. */
const MTRR_PAT: usize = 0;
const MTRR_CAP: usize = 224;
const MTRR_DEF_TYPE: usize = 232;
const MTRR_CAP_VALUE: u64 = 0x508;

export function isPerVcpu(type: u32): bool {
  return ((PER_VCPU >> type) & 1) != 0;
}

/** Bytes of a record that is written or can be read; 0 for one that the domain does not have. */
export function recordSize(d: Domain, type: u32): u32 {
  switch (type) {
    case SAVE_IOAPIC:
      return hasIrqLines(d) ? IOAPIC_SIZE : 0;
    case HVM_SAVE_CPU:
      return HVM_SAVE_CPU_SIZE;
    case SAVE_LAPIC:
      return LAPIC_SIZE;
    case SAVE_LAPIC_REGS:
      return LAPIC_REGS_SIZE;
    case SAVE_PCI_IRQ:
      return 16;
    case SAVE_ISA_IRQ:
    case SAVE_PCI_LINK:
    case SAVE_TSC_ADJUST:
      return 8;
    case HVM_SAVE_MTRR:
      return HVM_SAVE_MTRR_SIZE;
    case SAVE_VMCE:
      return VMCE_SIZE;
    default:
      return 0;
  }
}

/** I/O APIC: {base u64, select u32, id u32, entries}; lines: their bits; links: a byte each. */
function linesWrite(lines: IrqLines, type: u32, to: usize): void {
  if (type == SAVE_PCI_IRQ) {
    store<u64>(to, lines.pci0);
    store<u64>(to, lines.pci1, 8);
  } else if (type == SAVE_ISA_IRQ) store<u64>(to, lines.isa);
  else if (type == SAVE_PCI_LINK) store<u32>(to, lines.route);
  else {
    store<u64>(to, IOAPIC_BASE);
    store<u32>(to, lines.select, 8);
    store<u32>(to, lines.id, 12);
    for (let pin: u32 = 0; pin < IOAPIC_PINS; pin++) store<u64>(to + ((<usize>pin) << 3), lines.entry(pin), 16);
  }
}

/** The pins' counts follow from the lines; nothing is sent. -EINVAL for links that lead nowhere. */
function linesRead(d: Domain, type: u32, from: usize): i32 {
  const lines = IrqLines.of(d);
  if (type == SAVE_PCI_IRQ) {
    lines.pci0 = load<u64>(from);
    lines.pci1 = load<u64>(from, 8);
  } else if (type == SAVE_ISA_IRQ) lines.isa = load<u16>(from);
  else if (type == SAVE_PCI_LINK) {
    if ((load<u32>(from) & 0xf0f0_f0f0) != 0) return -EINVAL;
    lines.route = load<u32>(from);
  } else {
    lines.select = load<u32>(from, 8) & 0xff;
    lines.id = load<u32>(from, 12) & 15;
    for (let pin: u32 = 0; pin < IOAPIC_PINS; pin++) lines.setEntry(pin, load<u64>(from + ((<usize>pin) << 3), 16));
  }
  irqLinesRecount(d);
  return OK;
}

/** Writes the record of this type for `v` (of no meaning to a domain's record) at `to`. @returns its bytes, 0 = there is none now. */
export function recordWrite(v: Vcpu, type: u32, to: usize): u32 {
  const size = recordSize(v.domain, type);
  if (size == 0 || (type == <u32>HVM_SAVE_CPU && v.initialised == 0)) return 0;
  memory.fill(to, 0, size);
  switch (type) {
    case HVM_SAVE_CPU:
      cpuRecordWrite(v, to);
      break;
    case SAVE_LAPIC:
      store<u64>(to, v.apicBase);
      store<u32>(to, v.lapicReg(APIC_TIMER_DIVIDE), 12);
      break;
    case SAVE_LAPIC_REGS:
      for (let reg: u32 = 0; reg <= APIC_LAST; reg += 16) store<u32>(to + reg, v.lapicReg(reg));
      store<u32>(to + APIC_TPR, lapicTaskPriority(v));
      break;
    case SAVE_IOAPIC:
    case SAVE_PCI_IRQ:
    case SAVE_ISA_IRQ:
    case SAVE_PCI_LINK:
      if (hasIrqLines(v.domain)) linesWrite(IrqLines.of(v.domain), type, to);
      break;
    case HVM_SAVE_MTRR:
      store<u64>(to + MTRR_PAT, v.cpu.pat);
      store<u64>(to + MTRR_CAP, MTRR_CAP_VALUE);
      store<u64>(to + MTRR_DEF_TYPE, v.msrMtrrDefType);
      break;
    default:
      break;
  }
  return size;
}

/** Takes a record into `v`. OK or -EINVAL. */
export function recordRead(v: Vcpu, type: u32, from: usize, length: u32): i32 {
  const size = recordSize(v.domain, type);
  if (size == 0 || length != size) return -EINVAL;
  switch (type) {
    case HVM_SAVE_CPU:
      return cpuRecordRead(v, from);
    case SAVE_LAPIC:
      if ((<u32>load<u64>(from) & APIC_BASE_MODE_MASK & ~APIC_BASE_MODE_XAPIC) != 0) return -EINVAL; // no x2APIC
      v.apicBase = load<u64>(from);
      break;
    case SAVE_LAPIC_REGS:
      for (let reg: u32 = 0; reg <= APIC_LAST; reg += 16) v.setLapicReg(reg, load<u32>(from + reg));
      v.cpu.cr8 = (load<u32>(from + APIC_TPR) >> 4) & 15;
      if (v.lapicReg(APIC_TIMER_INITIAL) != 0) lapicTimerStart(v, v.lapicReg(APIC_TIMER_INITIAL));
      break;
    case SAVE_IOAPIC:
    case SAVE_PCI_IRQ:
    case SAVE_ISA_IRQ:
    case SAVE_PCI_LINK:
      return hasIrqLines(v.domain) ? linesRead(v.domain, type, from) : OK;
    case HVM_SAVE_MTRR:
      v.msrMtrrDefType = load<u64>(from + MTRR_DEF_TYPE);
      break;
    default:
      break;
  }
  return OK;
}
