/**
 * dm_ops 8, 9, 10 and 14: interrupt lines of emulated devices, and messages. `args` is the union of struct dm_op (spec 03 section 3.2).
 * Lines end at the I/O APIC of a domain that was created with one. In any other (PVH) they end nowhere: what is asked for is checked and
 * then has no effect, as on Xen. There is no 8259 PIC.
 */
import { EINVAL, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { ISA_IRQS, PCI_LINKS } from "../irq/irq-lines";
import { msiInject } from "../irq/msi";
import { isaLine, pciLine, pciLinkRoute } from "../irq/vioapic";

/** {domain u16 @0, bus u8 @2, device u8 @3, intx u8 @4, level u8 @5} */
export function dmPciIntxLevel(d: Domain, args: usize): i32 {
  const isElsewhere = load<u16>(args) != 0 || load<u8>(args, 2) != 0;
  const level = load<u8>(args, 5);
  if (isElsewhere || load<u8>(args, 3) > 31 || load<u8>(args, 4) > 3 || level > 1) return -EINVAL;
  pciLine(d, load<u8>(args, 3), load<u8>(args, 4), level != 0);
  return OK;
}

/** {isa_irq u8 @0, level u8 @1} */
export function dmIsaIrqLevel(d: Domain, args: usize): i32 {
  const irq: u32 = load<u8>(args);
  const level = load<u8>(args, 1);
  if (irq >= ISA_IRQS || level > 1) return -EINVAL;
  isaLine(d, irq, level != 0);
  return OK;
}

/** {link u8 @0, isa_irq u8 @1}: isa_irq 0 takes the route away. */
export function dmPciLinkRoute(d: Domain, args: usize): i32 {
  const link: u32 = load<u8>(args);
  const irq: u32 = load<u8>(args, 1);
  if (link >= PCI_LINKS || irq >= ISA_IRQS) return -EINVAL;
  pciLinkRoute(d, link, irq);
  return OK;
}

/** {data u32 @0, pad u32 @4, addr u64 @8} */
export function dmInjectMsi(d: Domain, args: usize): i32 {
  if (load<u32>(args, 4) != 0) return -EINVAL;
  return msiInject(d, load<u64>(args, 8), load<u32>(args));
}
