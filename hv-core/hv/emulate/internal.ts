/**
 * The handlers inside the hypervisor, which come before every device model (spec 02 step 1, spec 03 section 3.5 step 6): the local
 * APIC always, the I/O APIC of a domain that has one, and the small devices of hv-core/dev when the knob device.at says `core`.
 */
import { COUNTER_BASE, COUNTER_SIZE } from "../../abi/devices";
import { DEVICE_AT_CORE, KNOB_DEVICE_AT } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { counterAccess } from "../../dev/counter";
import { devicePort, isDevicePort } from "../../dev/ports";
import { MAX_DEVICE_DOMAINS } from "../../dev/state";
import { hasIrqLines } from "../irq/irq-lines";
import { lapicMmio } from "../irq/lapic-mmio";
import { APIC_BASE_MODE_MASK, APIC_BASE_MODE_XAPIC } from "../irq/lapic-regs";
import { IOAPIC_BASE, vioapicMmio } from "../irq/vioapic";
import { Vcpu } from "../vcpu";

const PAGE_MASK: u64 = 0xfff;

export class Internal {
  /** Whether the domain has the small devices of the core. */
  @inline static hasDevices(domainSlot: u32): bool {
    return Knobs.get(KNOB_DEVICE_AT) == <u32>DEVICE_AT_CORE && domainSlot < MAX_DEVICE_DOMAINS;
  }

  @inline static isLapicPage(v: Vcpu, gpa: u64): bool {
    return ((gpa ^ v.apicBase) & ~PAGE_MASK) == 0 && (<u32>v.apicBase & APIC_BASE_MODE_MASK) == APIC_BASE_MODE_XAPIC;
  }

  @inline static isIoapicPage(v: Vcpu, gpa: u64): bool {
    return (gpa & ~PAGE_MASK) == IOAPIC_BASE && hasIrqLines(v.domain);
  }

  /** Whether an access to `gpa` is answered in here. */
  @inline static claimsMemory(v: Vcpu, gpa: u64): bool {
    if (gpa - <u64>COUNTER_BASE < <u64>COUNTER_SIZE && Internal.hasDevices(v.domainSlot)) return true;
    return Internal.isLapicPage(v, gpa) || Internal.isIoapicPage(v, gpa);
  }

  /** Makes one access that claimsMemory accepted. @returns the data: what was read, or `data` again. */
  static memory(v: Vcpu, gpa: u64, size: u32, isRead: bool, data: u64): u64 {
    if (Internal.isLapicPage(v, gpa)) return lapicMmio(v, <u32>(gpa & PAGE_MASK), size, isRead, data);
    if (Internal.isIoapicPage(v, gpa)) return vioapicMmio(v.domain, <u32>(gpa & PAGE_MASK), size, isRead, data);
    return counterAccess(v.domainSlot, <u32>(gpa & PAGE_MASK), size, isRead, data);
  }

  @inline static claimsPort(v: Vcpu, port: u32, size: u32): bool {
    return Internal.hasDevices(v.domainSlot) && isDevicePort(port, size);
  }

  static port(v: Vcpu, port: u32, size: u32, isRead: bool, data: u32): u64 {
    return devicePort(v.domain, port, size, isRead, data);
  }
}
