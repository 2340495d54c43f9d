/**
 * I/O resources when the machine is born: what the hypervisor keeps, what the initial domain gets, which devices are on the bus.
 *
 * dom0 holds all of the machine but what the hypervisor keeps for itself, as recorded (V431..V498); or, with knob iocap.dom0=listed, only what
 * the boot loader's list names (bootGrant). The denials are a snapshot, and nothing but the accountant's reservation outlasts it.
 */
import { BUS_FIRST_IRQ, DEV_PRESENT, MAX_BUS_DEVICES } from "../../abi/bus";
import { EINVAL, ENOMEM, EPERM, OK } from "../../abi/errno";
import { KNOB_IO_DEVICES, KNOB_IO_DOM0_CAPS, KNOB_IO_DOM0_PORTS, KNOB_IO_OWN, KNOB_PADDR_BITS } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { deviceAt } from "../../hw/bus";
import { Domain } from "../domain";
import { Counts } from "./account/counts";
import { HOLDER_XEN } from "./account/record";
import { Accountant } from "./account/tracker";
import { setOf } from "./change-right";
import { IO_FRAME, IO_IRQ, IO_PORT, IoState } from "./io-state";
import { portBitmapCreate, portsLetThrough } from "./port-bitmap";
import { RANGES_UNLIMITED, Rangeset } from "./rangeset";

const MAX_PORTS: u32 = 0x1_0000;
const LAPIC_FRAME: u64 = 0xfee00;
const IOAPIC_FRAME: u64 = 0xfec00;
/** Interrupt lines that dom0 holds. */
const FIRST_DOM0_LINE: u64 = 1;
const LAST_DOM0_LINE: u64 = 15;
const TIMER_LINE: u64 = 0;

/** Ports that the hypervisor keeps: PIC 20 and a0, PIT 40 and 61, its own serial line 3f8, PCI data cfc. As pairs first, last. */
function keptPort(i: u32, isLast: bool): u32 {
  switch (i) {
    case 0:
      return isLast ? 0x21 : 0x20;
    case 1:
      return isLast ? 0x43 : 0x40;
    case 2:
      return 0x61;
    case 3:
      return isLast ? 0xa1 : 0xa0;
    case 4:
      return isLast ? 0x3ff : 0x3f8;
    default:
      return isLast ? 0xcff : 0xcfc;
  }
}
const KEPT_PORTS: u32 = 6;

/** The accountant closes them for ever. The hypervisor's own mappings are reserved, and with knob iomem.own=count counted as well. */
function reserveOwn(): i32 {
  let rc = Accountant.reserve(IO_FRAME, LAPIC_FRAME, LAPIC_FRAME);
  if (rc == OK) rc = Accountant.reserve(IO_FRAME, IOAPIC_FRAME, IOAPIC_FRAME);
  if (rc == OK) rc = Accountant.reserve(IO_IRQ, TIMER_LINE, TIMER_LINE);
  for (let i: u32 = 0; i < KEPT_PORTS && rc == OK; i++)
    rc = Accountant.reserve(IO_PORT, keptPort(i, false), keptPort(i, true));
  if (rc != OK || Knobs.get(KNOB_IO_OWN) == 0) return rc;
  rc = Counts.add(LAPIC_FRAME, LAPIC_FRAME, HOLDER_XEN);
  return rc != OK ? rc : Counts.add(IOAPIC_FRAME, IOAPIC_FRAME, HOLDER_XEN);
}

function giveEverything(d: Domain): void {
  Rangeset.add(d.iomemCaps, 0, ((<u64>1) << (Knobs.get(KNOB_PADDR_BITS) - 12)) - 1);
  Rangeset.remove(d.iomemCaps, LAPIC_FRAME, LAPIC_FRAME);
  Rangeset.add(d.ioportCaps, 0, MAX_PORTS - 1);
  for (let i: u32 = 0; i < KEPT_PORTS; i++) Rangeset.remove(d.ioportCaps, keptPort(i, false), keptPort(i, true));
  Rangeset.add(d.irqCaps, FIRST_DOM0_LINE, LAST_DOM0_LINE);
  const disabled = Knobs.get(KNOB_IO_DOM0_PORTS);
  const first = disabled & 0xffff;
  if (disabled >> 16 != 0) Rangeset.remove(d.ioportCaps, first, min<u32>(first + (disabled >> 16) - 1, MAX_PORTS - 1));
}

function plugDevices(): void {
  const count = min<u32>(Knobs.get(KNOB_IO_DEVICES), MAX_BUS_DEVICES);
  if (count == 0) return;
  IoState.use(true);
  for (let i: u32 = 0; i < count; i++) store<u32>(deviceAt(i), 1, DEV_PRESENT);
}

/** Once, after dom0's vCPUs exist. @returns OK or -ENOMEM. */
export function iocapBoot(d: Domain): i32 {
  plugDevices();
  d.iomemCaps = Rangeset.create(RANGES_UNLIMITED);
  d.ioportCaps = Rangeset.create(RANGES_UNLIMITED);
  d.irqCaps = Rangeset.create(RANGES_UNLIMITED);
  if (Knobs.get(KNOB_IO_DOM0_CAPS) == 0) giveEverything(d);
  if (Accountant.isOn() && reserveOwn() != OK) return -ENOMEM;
  return portBitmapCreate(d);
}

/** The first domain is made: from now on rights change by hypercalls only. */
export function iocapSeal(): void {
  IoState.get().isSealed = 1;
}

/** Interrupt line of a device of the bus. */
export function deviceLine(index: u32): u32 {
  return BUS_FIRST_IRQ + index;
}

/**
 * The boot loader's list (knob iocap.dom0=listed): gives dom0 units first..last of a kind, or (isReserve) closes them for everybody.
 * @returns OK, -EPERM (the machine runs, or dom0 has everything anyway, or a unit is the hypervisor's), -EINVAL, -EBUSY, -ENOMEM.
 */
export function bootGrant(kind: u32, first: u64, last: u64, isReserve: bool): i32 {
  const limit: u64 =
    kind == IO_PORT ? 0xffff : kind == IO_IRQ ? 255 : ((<u64>1) << (Knobs.get(KNOB_PADDR_BITS) - 12)) - 1;
  if (kind > IO_IRQ || last < first || last > limit) return -EINVAL;
  if (IoState.get().isSealed != 0) return -EPERM;
  if (isReserve) return Accountant.isOn() ? Accountant.reserve(kind, first, last) : -EPERM;
  if (Knobs.get(KNOB_IO_DOM0_CAPS) == 0) return -EPERM;
  if (kind == IO_FRAME && first <= LAPIC_FRAME && last >= LAPIC_FRAME) return -EPERM;
  if (kind == IO_IRQ && first == TIMER_LINE) return -EPERM;
  for (let i: u32 = 0; kind == IO_PORT && i < KEPT_PORTS; i++)
    if (first <= <u64>keptPort(i, true) && last >= <u64>keptPort(i, false)) return -EPERM;
  const rc = Rangeset.add(load<u32>(setOf(Domain.at(0), kind)), first, last);
  if (rc == OK && kind == IO_PORT) portsLetThrough(Domain.at(0), <u32>first, <u32>last);
  return rc;
}
