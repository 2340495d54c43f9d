/**
 * dm_ops 8, 9, 10 and 14: interrupt lines of emulated devices, and messages. `args` is the union of struct dm_op (spec 03 section 3.2).
 * A domain here has no PIC and no I/O APIC, so a line ends nowhere: what is asked for is checked and then has no effect, as in a
 * domain of Xen with a local APIC only.
 */
import { EINVAL, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { msiInject } from "../irq/msi";

const ISA_IRQS: u32 = 16;
const PCI_LINKS: u32 = 4;

/** {domain u16 @0, bus u8 @2, device u8 @3, intx u8 @4, level u8 @5} */
export function dmPciIntxLevel(args: usize): i32 {
  const isElsewhere = load<u16>(args) != 0 || load<u8>(args, 2) != 0;
  return isElsewhere || load<u8>(args, 3) > 31 || load<u8>(args, 4) > 3 || load<u8>(args, 5) > 1 ? -EINVAL : OK;
}

/** {isa_irq u8 @0, level u8 @1} */
export function dmIsaIrqLevel(args: usize): i32 {
  return <u32>load<u8>(args) >= ISA_IRQS || load<u8>(args, 1) > 1 ? -EINVAL : OK;
}

/** {link u8 @0, isa_irq u8 @1}: isa_irq 0 takes the route away. */
export function dmPciLinkRoute(args: usize): i32 {
  return <u32>load<u8>(args) >= PCI_LINKS || <u32>load<u8>(args, 1) >= ISA_IRQS ? -EINVAL : OK;
}

/** {data u32 @0, pad u32 @4, addr u64 @8} */
export function dmInjectMsi(d: Domain, args: usize): i32 {
  if (load<u32>(args, 4) != 0) return -EINVAL;
  return msiInject(d, load<u64>(args, 8), load<u32>(args));
}
