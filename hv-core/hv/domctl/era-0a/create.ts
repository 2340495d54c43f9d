/**
 * createdomain of 2014: {ssidref u32, handle of 16 bytes, flags u32}. Everything else came later: vCPUs by max_vcpus, ports by
 * set_max_evtchn; a HVM domain had all emulated devices.
 */
import { CDF_XS } from "../../../abi/domctl";
import { EINVAL, ENOMEM, EOPNOTSUPP } from "../../../abi/errno";
import { CDF_HAP, CDF_HVM } from "../../../abi/hypercalls";
import { Domain } from "../../domain";
import { domainCreate } from "../../domain/create";
import { IRQ_LINES_NO_MEMORY, irqLinesAlloc, irqLinesFree } from "../../irq/irq-lines";

const U: usize = 16;
const FLAGS: usize = U + 20;
/** XEN_DOMCTL_CDF_* of the time: HVM, HAP, S3 integrity, no shadow out of sync. */
const KNOWN_FLAGS: u32 = 0xf;
const MAX_PORT: u32 = 4095;
const EMU_HVM: u32 = 0x3ff;

/** @param domid chosen already. @returns its slot or an error. */
export function create0a(op: usize, domid: u32): i32 {
  const flags = load<u32>(op + FLAGS);
  const isHvm = (flags & <u32>CDF_HVM) != 0;
  // CDF_XS is not of that interface; the store's domain was told by its label.
  if ((flags & ~(KNOWN_FLAGS | <u32>CDF_XS)) != 0) return -EINVAL;
  if (!isHvm && (flags & <u32>CDF_HAP) != 0) return -EINVAL;
  if (isHvm && (flags & <u32>CDF_HAP) == 0) return -EOPNOTSUPP; // no shadow paging
  const emulation: u32 = isHvm ? EMU_HVM : 0;
  const irqLines = irqLinesAlloc(emulation);
  if (irqLines == IRQ_LINES_NO_MEMORY) return -ENOMEM;
  const slot = domainCreate(domid, 0, MAX_PORT);
  if (slot < 0) {
    irqLinesFree(irqLines);
    return slot;
  }
  const d = Domain.at(slot);
  d.irqLines = irqLines;
  d.ssidref = load<u32>(op + U);
  d.handle0 = load<u64>(op + U, 4);
  d.handle1 = load<u64>(op + U, 12);
  d.isHvm = isHvm ? 1 : 0;
  d.createFlags = flags;
  d.emulationFlags = emulation;
  return slot;
}
