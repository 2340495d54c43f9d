/**
 * The virtual I/O APIC of an HVM domain (82093AA data sheet; version and pins as Xen 4.17 shows them): an edge of a pin becomes a message
 * to local APICs, as the pin's redirection entry says. A level-triggered pin sends one message, and the next one only after the end of interrupt.
 *
 *   redirection entry: 63..56 destination | 16 masked | 15 level | 14 remote IRR | 11 logical | 10..8 delivery mode | 7..0 vector
 */
import { Domain } from "../domain";
import { ENTRY_MASKED, IOAPIC_PINS, IrqLines, ISA_IRQS, linkOfPci, PCI_LINKS, pinOfIsa, pinOfPci } from "./irq-lines";
import { lapicMessage } from "./lapic-ipi";

export const IOAPIC_BASE: u64 = 0xfec0_0000;
/** Registers of the page: select, window, end of interrupt. */
const SELECT: u32 = 0;
const WINDOW: u32 = 0x10;
const END: u32 = 0x40;
/** Registers behind the window. */
const ID: u32 = 0;
const VERSION: u32 = 1;
const ARBITRATION: u32 = 2;
const FIRST_ENTRY: u32 = 0x10;
const VERSION_VALUE: u32 = 0x11;

const ENTRY_LEVEL: u64 = 1 << 15;
const ENTRY_REMOTE_IRR: u64 = 1 << 14;
const ENTRY_DELIVERY_STATUS: u64 = 1 << 12;
const ENTRY_LOGICAL: u64 = 1 << 11;
const MODE_FIXED: u32 = 0;
const MODE_LOWEST: u32 = 1;
const MODE_NMI: u32 = 4;

/** The message of a pin. Modes other than fixed, lowest priority and NMI go nowhere. */
function deliver(d: Domain, entry: u64): void {
  const mode = (<u32>entry >> 8) & 7;
  if (mode != MODE_FIXED && mode != MODE_LOWEST && mode != MODE_NMI) return;
  // Bits 7..0, 10..8, 11 and 15 mean the same in the interrupt command register.
  const command = <u32>(entry & (ENTRY_LEVEL | ENTRY_LOGICAL)) | (mode << 8) | (<u32>entry & 255);
  lapicMessage(d, command, <u32>(entry >> 56));
}

/** A pin goes up, or may send again. */
function sendIfDue(d: Domain, lines: IrqLines, pin: u32): void {
  const entry = lines.entry(pin);
  if ((entry & ENTRY_MASKED) != 0) return;
  if ((entry & ENTRY_LEVEL) == 0) {
    deliver(d, entry);
    return;
  }
  if ((entry & ENTRY_REMOTE_IRR) != 0) return;
  lines.setEntry(pin, entry | ENTRY_REMOTE_IRR);
  deliver(d, entry);
}

function raisePin(d: Domain, lines: IrqLines, pin: u32): void {
  if (lines.raise(pin)) sendIfDue(d, lines, pin);
}

/** Asserts or lets go of an ISA line (0 to 15). Nothing without an I/O APIC. */
export function isaLine(d: Domain, irq: u32, isHigh: bool): void {
  if (d.irqLines == 0 || irq >= ISA_IRQS) return;
  const lines = IrqLines.of(d);
  if ((((lines.isa >> irq) & 1) != 0) == isHigh) return;
  lines.isa ^= (<u32>1) << irq;
  if (isHigh) raisePin(d, lines, pinOfIsa(irq));
  else lines.lower(pinOfIsa(irq));
}

/** Asserts or lets go of a line of a PCI device: its own pin, and the ISA line that its link leads to. */
export function pciLine(d: Domain, device: u32, intx: u32, isHigh: bool): void {
  if (d.irqLines == 0) return;
  const lines = IrqLines.of(d);
  const line = device * 4 + intx;
  if (lines.isPciAsserted(line) == isHigh) return;
  lines.flipPci(line);
  const link = linkOfPci(device, intx);
  const routed = lines.link(link);
  if (isHigh) {
    raisePin(d, lines, pinOfPci(device, intx));
    if (lines.linksAsserted(link) == 0 && routed != 0) raisePin(d, lines, routed);
    lines.addToLink(link, 1);
    return;
  }
  lines.lower(pinOfPci(device, intx));
  lines.addToLink(link, -1);
  if (lines.linksAsserted(link) == 0 && routed != 0) lines.lower(routed);
}

/** Leads a link to an ISA line, 0 = to none; a line that is asserted moves over. */
export function pciLinkRoute(d: Domain, link: u32, irq: u32): void {
  if (d.irqLines == 0 || link >= PCI_LINKS) return;
  const lines = IrqLines.of(d);
  const old = lines.link(link);
  if (old == irq) return;
  lines.route = (lines.route & ~((<u32>0xff) << (link << 3))) | (irq << (link << 3));
  if (lines.linksAsserted(link) == 0) return;
  if (old != 0) lines.lower(old);
  if (irq != 0) raisePin(d, lines, irq);
}

/** A level-triggered vector is done: pins that are still asserted send again. */
export function vioapicEoi(d: Domain, vector: u32): void {
  if (d.irqLines == 0) return;
  const lines = IrqLines.of(d);
  for (let pin: u32 = 0; pin < IOAPIC_PINS; pin++) {
    const entry = lines.entry(pin);
    if ((<u32>entry & 255) != vector) continue;
    lines.setEntry(pin, entry & ~ENTRY_REMOTE_IRR);
    if ((entry & ENTRY_LEVEL) != 0 && lines.isAsserted(pin)) sendIfDue(d, lines, pin);
  }
}

function readWindow(lines: IrqLines): u32 {
  const select = lines.select;
  if (select == ID || select == ARBITRATION) return lines.id << 24;
  if (select == VERSION) return VERSION_VALUE | ((IOAPIC_PINS - 1) << 16);
  const pin = (select - FIRST_ENTRY) >> 1;
  if (select < FIRST_ENTRY || pin >= IOAPIC_PINS) return 0;
  return <u32>(lines.entry(pin) >> ((select & 1) << 5));
}

/** The lower half of an entry keeps its read-only bits; one that is unmasked while its pin is asserted sends at once. */
function writeEntry(d: Domain, lines: IrqLines, pin: u32, isUpper: bool, value: u32): void {
  const old = lines.entry(pin);
  if (isUpper) {
    lines.setEntry(pin, (old & 0xffff_ffff) | ((<u64>value) << 32));
    return;
  }
  const kept = old & ENTRY_REMOTE_IRR;
  let entry = (old & 0xffff_ffff_0000_0000) | (<u64>value & ~(ENTRY_REMOTE_IRR | ENTRY_DELIVERY_STATUS)) | kept;
  if ((entry & ENTRY_LEVEL) == 0) entry &= ~ENTRY_REMOTE_IRR;
  lines.setEntry(pin, entry);
  if ((entry & ENTRY_LEVEL) != 0 && lines.isAsserted(pin)) sendIfDue(d, lines, pin);
}

function writeWindow(d: Domain, lines: IrqLines, value: u32): void {
  const select = lines.select;
  if (select == ID) lines.id = (value >> 24) & 15;
  const pin = (select - FIRST_ENTRY) >> 1;
  if (select >= FIRST_ENTRY && pin < IOAPIC_PINS) writeEntry(d, lines, pin, (select & 1) != 0, value);
}

/** One access at byte `offset` of the page; only the registers' first bytes count. @returns what was read, or `data`. */
export function vioapicMmio(d: Domain, offset: u32, size: u32, isRead: bool, data: u64): u64 {
  const lines = IrqLines.of(d);
  const register = offset & 0xff;
  if (isRead) {
    const value = register == SELECT ? lines.select : register == WINDOW ? readWindow(lines) : 0;
    return size >= 4 ? value : <u64>value & (((<u64>1) << (size << 3)) - 1);
  }
  if (register == SELECT) lines.select = <u32>data & 0xff;
  else if (register == WINDOW) writeWindow(d, lines, <u32>data);
  else if (register == END) vioapicEoi(d, <u32>data & 255);
  return data;
}
