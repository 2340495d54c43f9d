/**
 * The power-management device of a HVM domain (XEN_X86_EMU_PM in its emulation_flags): the ACPI status and enable registers in which
 * the power and sleep buttons show, and the ACPI timer. It stands at one of two places, HVM_PARAM_ACPI_IOPORTS_LOCATION says which.
 *
 * The SCI, ISA line 9, is asserted as long as a button's status bit and its enable bit are both set (irq/vioapic.ts).
 */
import { HVM_PARAM_ACPI_IOPORTS_LOCATION } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { isaLine } from "../irq/vioapic";
import { Vcpu } from "../vcpu";
import { systemTime } from "./time";

const EMU_PM: u32 = 1 << 2;
const FIRST_PLACE: u32 = 0x1f40;
const SECOND_PLACE: u32 = 0xb000;
/** Status u16, enable u16; the timer of four bytes at 8. */
const EVENT_BLOCK: u32 = 4;
const TIMER: u32 = 8;
/** 3.579545 MHz, a counter of 32 bits. */
const TIMER_HZ: u64 = 3_579_545;

const SCI_IRQ: u32 = 9;

export const PM_POWER_BUTTON: u32 = 1 << 8;
export const PM_SLEEP_BUTTON: u32 = 1 << 9;

export class PmPorts {
  @inline static has(d: Domain): bool {
    return (d.emulationFlags & EMU_PM) != 0;
  }

  @inline static base(d: Domain): u32 {
    return d.param(HVM_PARAM_ACPI_IOPORTS_LOCATION) == 0 ? FIRST_PLACE : SECOND_PLACE;
  }

  /** A button is pressed. Without the device there is no button. */
  static press(d: Domain, button: u32): void {
    if (!PmPorts.has(d)) return;
    d.pmStatus |= button;
    PmPorts.updateSci(d);
  }

  /** To be called after either register has changed. */
  static updateSci(d: Domain): void {
    isaLine(d, SCI_IRQ, (d.pmStatus & d.pmEnable & (PM_POWER_BUTTON | PM_SLEEP_BUTTON)) != 0);
  }

  /** One access to a port. @returns false when it is none of the device's; otherwise v.ioData has what was read. */
  static access(v: Vcpu, port: u32, size: u32, isRead: bool, data: u64): bool {
    const d = v.domain;
    if (!PmPorts.has(d)) return false;
    const offset = port - PmPorts.base(d);
    if (offset == TIMER && size == 4) {
      if (isRead) v.ioData = <u32>(((systemTime() / 1000) * TIMER_HZ) / 1_000_000);
      return true;
    }
    if (offset >= EVENT_BLOCK || offset + size > EVENT_BLOCK) return false;
    if (isRead) v.ioData = (<u64>(d.pmStatus | (d.pmEnable << 16)) >> (offset << 3)) & PmPorts.mask(size);
    else PmPorts.write(d, offset, size, <u32>data);
    return true;
  }

  @inline static mask(size: u32): u64 {
    return ((<u64>1) << (size << 3)) - 1;
  }

  /** Writing one to a status bit clears it; enable bits are kept. */
  static write(d: Domain, offset: u32, size: u32, data: u32): void {
    const lanes = (<u32>PmPorts.mask(size)) << (offset << 3);
    const bits = (data << (offset << 3)) & lanes;
    d.pmStatus &= ~(bits & 0xffff);
    d.pmEnable = (d.pmEnable & ~(lanes >> 16)) | (bits >> 16);
    PmPorts.updateSci(d);
  }
}
