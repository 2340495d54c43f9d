/**
 * What a domain may be given of the machine's own resources: frames of device memory, I/O ports, interrupt lines. Each domain has three
 * rangesets; a toolstack can only hand out, or take away, what it holds itself. Rows V431..V498 of the recorded Xen; spec 06.
 *
 * The number of ranges is a resource that the caller bounds: every second frame costs a node each (IO-10, spec 05 section 5.2).
 */
import { EINVAL, EPERM, OK } from "../../abi/errno";
import { DEFECT_UNCHECKED_IO, KNOB_DOMCTL_DEFECTS, KNOB_PADDR_BITS } from "../../abi/knobs";
import { Knobs } from "../../base/machine";
import { Domain } from "../domain";
import { MemoryType } from "../p2m/memory-type";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { RANGES_UNLIMITED, Rangeset } from "./rangeset";

const MAX_PORTS: u32 = 0x1_0000;
const LAPIC_FRAME: u64 = 0xfee00;
/** Interrupt lines that exist, and those of them that dom0 holds. */
const NR_PIRQS: u32 = 256;
const FIRST_DOM0_LINE: u64 = 1;
const LAST_DOM0_LINE: u64 = 15;

/** Ports that the hypervisor keeps: PIC 20 and a0, PIT 40 and 61, PCI data cfc, its own serial line 3f8. */
function keepPorts(set: u32): void {
  Rangeset.remove(set, 0x20, 0x21);
  Rangeset.remove(set, 0x40, 0x43);
  Rangeset.remove(set, 0x61, 0x61);
  Rangeset.remove(set, 0xa0, 0xa1);
  Rangeset.remove(set, 0x3f8, 0x3ff);
  Rangeset.remove(set, 0xcfc, 0xcff);
}

/** dom0 holds all of the machine but what the hypervisor keeps for itself. */
export function iocapDom0(d: Domain): void {
  d.iomemCaps = Rangeset.create(RANGES_UNLIMITED);
  Rangeset.add(d.iomemCaps, 0, ((<u64>1) << (Knobs.get(KNOB_PADDR_BITS) - 12)) - 1);
  Rangeset.remove(d.iomemCaps, LAPIC_FRAME, LAPIC_FRAME);
  d.ioportCaps = Rangeset.create(RANGES_UNLIMITED);
  Rangeset.add(d.ioportCaps, 0, MAX_PORTS - 1);
  keepPorts(d.ioportCaps);
  d.irqCaps = Rangeset.create(RANGES_UNLIMITED);
  Rangeset.add(d.irqCaps, FIRST_DOM0_LINE, LAST_DOM0_LINE);
}

/** The domain dies: it holds nothing. */
export function iocapForget(d: Domain): void {
  if (d.iomemCaps != 0) Rangeset.destroy(d.iomemCaps);
  if (d.ioportCaps != 0) Rangeset.destroy(d.ioportCaps);
  if (d.irqCaps != 0) Rangeset.destroy(d.irqCaps);
  d.iomemCaps = 0;
  d.ioportCaps = 0;
  d.irqCaps = 0;
}

/**
 * As `change`, for frames and ports: a domain's first permission, and the loss of its last one, change what memory type its RAM has
 * (p2m/memory-type.ts), so all of it is looked at again.
 */
function changeMemory(d: Domain, word: usize, start: u64, end: u64, allow: bool): i32 {
  const before = MemoryType.matters(d);
  const rc = change(word, start, end, allow);
  if (MemoryType.matters(d) != before) P2m.memoryTypesRecalculate(d);
  return rc;
}

/** Adds start..end to the set at `word` or takes it out; the set is made when it is first needed. */
function change(word: usize, start: u64, end: u64, allow: bool): i32 {
  if (load<u32>(word) == 0) {
    if (!allow) return OK;
    store<u32>(word, Rangeset.create(RANGES_UNLIMITED));
  }
  const set = load<u32>(word);
  return allow ? Rangeset.add(set, start, end) : Rangeset.remove(set, start, end);
}

function isUnchecked(): bool {
  return isDefined(VARIANTS) && (Knobs.get(KNOB_DOMCTL_DEFECTS) & DEFECT_UNCHECKED_IO) != 0;
}

/**
 * {first_mfn u64, nr_mfns u64, allow u8}. A number of 0 frames from 0 on passes the test for a wrap and means everything: only that
 * no caller holds all 2^64 frames stops it (finding F-7).
 */
export function iomemPermission(v: Vcpu, d: Domain, u: usize): i32 {
  const first = load<u64>(u);
  const last = first + load<u64>(u, 8) - 1;
  if (last < first) return -EINVAL;
  if (!Rangeset.contains(v.domain.iomemCaps, first, last) && !isUnchecked()) return -EPERM;
  return changeMemory(d, changetype<usize>(d) + offsetof<Domain>("iomemCaps"), first, last, load<u8>(u, 16) != 0);
}

/** {first_port u32, nr_ports u32, allow u8}. */
export function ioportPermission(v: Vcpu, d: Domain, u: usize): i32 {
  const first = load<u32>(u);
  const end = first + load<u32>(u, 4);
  if (end <= first || end > MAX_PORTS) return -EINVAL;
  if (!Rangeset.contains(v.domain.ioportCaps, first, end - 1)) return -EPERM;
  return changeMemory(d, changetype<usize>(d) + offsetof<Domain>("ioportCaps"), first, end - 1, load<u8>(u, 8) != 0);
}

/** {pirq u32, allow u8}. */
export function irqPermission(v: Vcpu, d: Domain, u: usize): i32 {
  const line = load<u32>(u);
  if (line >= NR_PIRQS) return -EINVAL;
  if (!Rangeset.contains(v.domain.irqCaps, line, line)) return -EPERM;
  return change(changetype<usize>(d) + offsetof<Domain>("irqCaps"), line, line, load<u8>(u, 4) != 0);
}
