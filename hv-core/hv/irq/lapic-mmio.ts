/**
 * The xAPIC page: what the guest's loads and stores at FEE00000 do. Registers are 32 bits wide on 128-bit borders; smaller accesses
 * inside a register work as on most processors, anything else reads 0 and writes nothing.
 */
import { Vcpu } from "../vcpu";
import { lapicEoi, lapicProcessorPriority, lapicTaskPriority } from "./lapic";
import { lapicSendIpi } from "./lapic-ipi";
import {
  APIC_DFR,
  APIC_EOI,
  APIC_ESR,
  APIC_ICR,
  APIC_ICR2,
  APIC_ID,
  APIC_LDR,
  APIC_LVT_ERROR,
  APIC_LVT_TIMER,
  APIC_PPR,
  APIC_SVR,
  APIC_TIMER_CURRENT,
  APIC_TIMER_DIVIDE,
  APIC_TIMER_INITIAL,
  APIC_TPR,
  LVT_MASKED,
  SVR_ENABLED,
  SVR_WRITABLE,
} from "./lapic-regs";
import { lapicTimerCount, lapicTimerModeWritten, lapicTimerStart } from "./lapic-timer";
import { vioapicEoi } from "./vioapic";

const ICR_BUSY: u32 = 1 << 12;
const DIVIDE_WRITABLE: u32 = 0xb;
/** Writable bits of the LVT entries from the timer's on: timer, thermal, performance, LINT0, LINT1, error. */
const LVT_TIMER_BITS: u32 = 0x7_00ff;
const LVT_NMI_BITS: u32 = 0x1_07ff;
const LVT_LINT_BITS: u32 = 0x1_f7ff; // bit 12, read-only on a processor, is kept by Xen 4.17
const LVT_ERROR_BITS: u32 = 0x1_00ff;

/** One access at byte `offset` of the page. @returns what was read, or `data`. */
export function lapicMmio(v: Vcpu, offset: u32, size: u32, isRead: bool, data: u64): u64 {
  const reg = offset & 0xff0;
  const inside = offset & 15;
  const isLegal = inside + size <= 4 && reg <= APIC_TIMER_DIVIDE;
  if (isRead) {
    if (!isLegal) return 0;
    return <u64>((readReg(v, reg) >> (inside << 3)) & mask(size));
  }
  if (!isLegal) return data;
  let value = <u32>data;
  if (size < 4) {
    const field = mask(size) << (inside << 3);
    value = (readReg(v, reg) & ~field) | ((value << (inside << 3)) & field);
  }
  writeReg(v, reg, value);
  return data;
}

function mask(size: u32): u32 {
  return 0xffff_ffff >> (32 - (size << 3));
}

function readReg(v: Vcpu, reg: u32): u32 {
  if (reg == APIC_TPR) return lapicTaskPriority(v);
  if (reg == APIC_PPR) return lapicProcessorPriority(v);
  if (reg == APIC_TIMER_CURRENT) return lapicTimerCount(v);
  return v.lapicReg(reg);
}

function writeReg(v: Vcpu, reg: u32, value: u32): void {
  switch (reg >> 4) {
    case APIC_ID >> 4:
      v.setLapicReg(APIC_ID, value);
      break;
    case APIC_TPR >> 4:
      v.setLapicReg(APIC_TPR, value & 255);
      v.cpu.cr8 = <u64>((value >> 4) & 15);
      break;
    case APIC_EOI >> 4:
      endOfInterrupt(v);
      break;
    case APIC_LDR >> 4:
      v.setLapicReg(APIC_LDR, value & 0xff00_0000);
      break;
    case APIC_DFR >> 4:
      v.setLapicReg(APIC_DFR, value | 0x0fff_ffff);
      break;
    case APIC_SVR >> 4:
      writeSpurious(v, value & SVR_WRITABLE);
      break;
    case APIC_ESR >> 4: // any write makes the errors so far visible
      v.setLapicReg(APIC_ESR, v.lapicErrors);
      v.lapicErrors = 0;
      break;
    case APIC_ICR >> 4:
      value &= ~ICR_BUSY;
      v.setLapicReg(APIC_ICR, value);
      lapicSendIpi(v, value, v.lapicReg(APIC_ICR2) >> 24);
      break;
    case APIC_ICR2 >> 4:
      v.setLapicReg(APIC_ICR2, value & 0xff00_0000);
      break;
    case APIC_TIMER_INITIAL >> 4:
      lapicTimerStart(v, value);
      break;
    case APIC_TIMER_DIVIDE >> 4:
      v.setLapicReg(APIC_TIMER_DIVIDE, value & DIVIDE_WRITABLE);
      break;
    default: // read-only registers stay as they are
      if (reg >= APIC_LVT_TIMER && reg <= APIC_LVT_ERROR) writeLvt(v, reg, value);
  }
}

/** The I/O APIC hears of the end of a level-triggered interrupt: its pin may send again. */
function endOfInterrupt(v: Vcpu): void {
  const vector = lapicEoi(v);
  if (vector >= 0) vioapicEoi(v.domain, <u32>vector);
}

/** Software disable masks every LVT entry. */
function writeSpurious(v: Vcpu, value: u32): void {
  v.setLapicReg(APIC_SVR, value);
  if ((value & SVR_ENABLED) != 0) return;
  for (let reg = APIC_LVT_TIMER; reg <= APIC_LVT_ERROR; reg += 16) v.setLapicReg(reg, v.lapicReg(reg) | LVT_MASKED);
}

function writeLvt(v: Vcpu, reg: u32, value: u32): void {
  if ((v.lapicReg(APIC_SVR) & SVR_ENABLED) == 0) value |= LVT_MASKED;
  switch ((reg - APIC_LVT_TIMER) >> 4) {
    case 0:
      value &= LVT_TIMER_BITS;
      lapicTimerModeWritten(v, v.lapicReg(reg), value);
      break;
    case 1:
    case 2:
      value &= LVT_NMI_BITS;
      break;
    case 3:
    case 4:
      value &= LVT_LINT_BITS;
      break;
    default:
      value &= LVT_ERROR_BITS;
  }
  v.setLapicReg(reg, value);
}
