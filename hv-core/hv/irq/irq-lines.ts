/**
 * Interrupt lines of a domain's emulated devices: 16 ISA lines, four lines of each PCI device, four links that lead PCI lines to ISA
 * ones, and the pins of the I/O APIC that all of them end at (vioapic.ts). A pin is asserted as long as any of its lines is.
 *
 * Only a domain that was created with an I/O APIC has them; there is no 8259 PIC in any domain.
 * Written by: dm_ops of device models, the power-management ports, the load of an HVM context.
 */
import { FrameSlab, SLAB_IRQ_LINES } from "../../mem/frame-slab";
import { Domain } from "../domain";

export const ISA_IRQS: u32 = 16;
export const PCI_LINKS: u32 = 4;
export const IOAPIC_PINS: u32 = 48;
const PCI_DEVICES: u32 = 32;
const PINS_PER_DEVICE: u32 = 4;
/** XEN_X86_EMU_IOAPIC. */
const EMU_IOAPIC: u32 = 1 << 4;
/** Bit of a redirection entry: the pin sends nothing. */
export const ENTRY_MASKED: u64 = 1 << 16;

@unmanaged
export class IrqLines {
  /** Bit n = ISA line n is asserted. */
  isa: u32;
  /** ISA line that each PCI link leads to, a byte each, 0 = none. */
  route: u32;
  /** Asserted PCI lines of each link, a byte each. */
  linkCount: u32;
  // The I/O APIC's own registers (vioapic.ts).
  select: u32;
  id: u32;
  private _pad: u32;
  /** Bit device * 4 + intx = that line is asserted. */
  pci0: u64;
  pci1: u64;
  // Then 48 bytes, the asserted lines of each pin, and 48 redirection entries of eight bytes.

  @inline static of(d: Domain): IrqLines {
    return changetype<IrqLines>(<usize>d.irqLines);
  }

  @inline private count(pin: u32): usize {
    return changetype<usize>(this) + offsetof<IrqLines>() + pin;
  }

  @inline isAsserted(pin: u32): bool {
    return load<u8>(this.count(pin)) != 0;
  }

  /** One line more; true when it was the first. */
  @inline raise(pin: u32): bool {
    const count = load<u8>(this.count(pin));
    store<u8>(this.count(pin), count + 1);
    return count == 0;
  }

  @inline lower(pin: u32): void {
    store<u8>(this.count(pin), load<u8>(this.count(pin)) - 1);
  }

  @inline clearCounts(): void {
    memory.fill(this.count(0), 0, IOAPIC_PINS);
    this.linkCount = 0;
  }

  @inline private redirection(pin: u32): usize {
    return this.count(0) + IOAPIC_PINS + ((<usize>pin) << 3);
  }

  @inline entry(pin: u32): u64 {
    return load<u64>(this.redirection(pin));
  }

  @inline setEntry(pin: u32, value: u64): void {
    store<u64>(this.redirection(pin), value);
  }

  @inline link(link: u32): u32 {
    return (this.route >> (link << 3)) & 0xff;
  }

  @inline linksAsserted(link: u32): u32 {
    return (this.linkCount >> (link << 3)) & 0xff;
  }

  @inline addToLink(link: u32, by: i32): void {
    this.linkCount += (<u32>by) << (link << 3);
  }

  @inline isPciAsserted(line: u32): bool {
    return (((line < 64 ? this.pci0 : this.pci1) >> (line & 63)) & 1) != 0;
  }

  @inline flipPci(line: u32): void {
    const bit = (<u64>1) << (line & 63);
    if (line < 64) this.pci0 ^= bit;
    else this.pci1 ^= bit;
  }
}

if (offsetof<IrqLines>() != 40) ERROR("IrqLines begins with 40 bytes");

export const IRQ_LINES_BYTES: u32 = 40 + IOAPIC_PINS + IOAPIC_PINS * 8;

export function hasIrqLines(d: Domain): bool {
  return d.irqLines != 0;
}

/** What irqLinesAlloc says when there is no memory. */
export const IRQ_LINES_NO_MEMORY: u32 = 1;

/** Lines for a domain with these emulation flags, every pin masked; their address, 0 when it is to have none, or IRQ_LINES_NO_MEMORY. */
export function irqLinesAlloc(emulationFlags: u32): u32 {
  if ((emulationFlags & EMU_IOAPIC) == 0) return 0;
  const at = FrameSlab.alloc(SLAB_IRQ_LINES, IRQ_LINES_BYTES);
  if (at == 0) return IRQ_LINES_NO_MEMORY;
  const lines = changetype<IrqLines>(<usize>at);
  for (let pin: u32 = 0; pin < IOAPIC_PINS; pin++) lines.setEntry(pin, ENTRY_MASKED);
  return at;
}

export function irqLinesFree(at: u32): void {
  if (at != 0) FrameSlab.free(SLAB_IRQ_LINES, at);
}

/** Pin of an ISA line: the timer's is pin 2, as on a PC. */
export function pinOfIsa(irq: u32): u32 {
  return irq == 0 ? 2 : irq;
}

/** Pin of a PCI line, 16 to 47, and its link: devices are spread so that few share one. */
export function pinOfPci(device: u32, intx: u32): u32 {
  return ((device * PINS_PER_DEVICE + device / 8 + intx) % 32) + 16;
}

export function linkOfPci(device: u32, intx: u32): u32 {
  return (device + intx) % PCI_LINKS;
}

/** The counts again from the lines, after those were loaded. No interrupt comes of it. */
export function irqLinesRecount(d: Domain): void {
  const lines = IrqLines.of(d);
  lines.clearCounts();
  for (let irq: u32 = 0; irq < ISA_IRQS; irq++) {
    if (((lines.isa >> irq) & 1) != 0) lines.raise(pinOfIsa(irq));
  }
  for (let line: u32 = 0; line < PCI_DEVICES * PINS_PER_DEVICE; line++) {
    if (!lines.isPciAsserted(line)) continue;
    lines.raise(pinOfPci(line / PINS_PER_DEVICE, line % PINS_PER_DEVICE));
    lines.addToLink(linkOfPci(line / PINS_PER_DEVICE, line % PINS_PER_DEVICE), 1);
  }
  for (let link: u32 = 0; link < PCI_LINKS; link++) {
    if (lines.linksAsserted(link) != 0 && lines.link(link) != 0) lines.raise(lines.link(link));
  }
}
