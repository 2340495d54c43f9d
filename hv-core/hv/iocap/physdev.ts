/**
 * HYPERVISOR_physdev_op, as far as lines of the IO-APIC go: mapping, acknowledging, asking. A PVH guest without emulated interrupt controllers
 * has none of it (-ENOSYS), as in Xen; the hardware domain has.
 */
import { EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, OK } from "../../abi/errno";
import { NR_IO_LINES } from "../../abi/layout";
import {
  MAP_PIRQ_TYPE_GSI,
  NR_GSIS,
  PHYSDEVOP_EOI,
  PHYSDEVOP_IRQ_STATUS_QUERY,
  PHYSDEVOP_MAP_PIRQ,
  PHYSDEVOP_SETUP_GSI,
  PHYSDEVOP_UNMAP_PIRQ,
  XENIRQSTAT_NEEDS_EOI,
  XENIRQSTAT_SHARED,
} from "../../abi/physdev";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { xsmDmPriv } from "../xsm/dummy";
import { Line, lineEoi } from "./lines";
import { RANGES_UNLIMITED, Rangeset } from "./rangeset";

const MAP_SIZE: u32 = 40;
const LEGACY_LINES: u32 = 16;

function sizeOf(cmd: u32): u32 {
  switch (cmd) {
    case PHYSDEVOP_MAP_PIRQ:
      return MAP_SIZE;
    case PHYSDEVOP_UNMAP_PIRQ:
    case PHYSDEVOP_IRQ_STATUS_QUERY:
    case PHYSDEVOP_SETUP_GSI:
      return 8;
    case PHYSDEVOP_EOI:
      return 4;
    default:
      return 0;
  }
}

/** {domid u16, type i32 @4, index i32 @8, pirq i32 @12 in and out}: line `index` gets a number in the domain, here always its own. */
function mapPirq(v: Vcpu, arg: usize): i32 {
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmDmPriv(v.domain, d);
  if (denied != OK) return denied;
  const gsi = load<u32>(arg, 8);
  const pirq = load<i32>(arg, 12);
  if (load<u32>(arg, 4) != <u32>MAP_PIRQ_TYPE_GSI || gsi == 0 || gsi >= <u32>NR_GSIS) return -EINVAL;
  if (pirq >= 0 && <u32>pirq != gsi) return -EINVAL;
  // The hardware domain holds every line of the IO-APIC; one above the legacy ones counts once it is mapped.
  if (v.domain.slot == 0 && gsi >= LEGACY_LINES) {
    if (v.domain.irqCaps == 0) v.domain.irqCaps = Rangeset.create(RANGES_UNLIMITED);
    const rc = Rangeset.add(v.domain.irqCaps, gsi, gsi);
    if (rc != OK) return rc;
  }
  if (!Rangeset.contains(v.domain.irqCaps, gsi, gsi)) return -EPERM;
  store<u32>(arg, gsi, 12);
  return OK;
}

/** {domid u16, pirq i32 @4}. */
function unmapPirq(v: Vcpu, arg: usize): i32 {
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const denied = xsmDmPriv(v.domain, changetype<Domain>(found));
  if (denied != OK) return denied;
  const pirq = load<u32>(arg, 4);
  if (pirq >= <u32>NR_GSIS || !Rangeset.contains(v.domain.irqCaps, pirq, pirq)) return -EINVAL;
  if (pirq >= LEGACY_LINES && v.domain.slot == 0) return Rangeset.remove(v.domain.irqCaps, pirq, pirq);
  return OK;
}

/** {irq u32, flags u32 out}. */
function status(d: Domain, arg: usize): i32 {
  const irq = load<u32>(arg);
  if (irq >= <u32>NR_IO_LINES) return -EINVAL;
  let flags: u32 = XENIRQSTAT_NEEDS_EOI;
  if (Line.isAny() && Line.at(irq).indexOf(d) >= 0 && Line.at(irq).isShareable != 0) flags |= XENIRQSTAT_SHARED;
  store<u32>(arg, flags, 4);
  return OK;
}

function operate(v: Vcpu, cmd: u32, arg: usize): i32 {
  switch (cmd) {
    case PHYSDEVOP_MAP_PIRQ:
      return mapPirq(v, arg);
    case PHYSDEVOP_UNMAP_PIRQ:
      return unmapPirq(v, arg);
    case PHYSDEVOP_EOI:
      return lineEoi(v.domain, load<u32>(arg));
    case PHYSDEVOP_IRQ_STATUS_QUERY:
      return status(v.domain, arg);
    default:
      return load<u32>(arg) < <u32>NR_GSIS ? OK : -EINVAL; // setup_gsi: edge or level makes no difference here
  }
}

export function physdevOp(v: Vcpu, cmd: u32, argGva: u64): i64 {
  if (v.domain.slot != 0) return -ENOSYS;
  const bytes = sizeOf(cmd);
  if (bytes == 0) return -ENOSYS;
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, bytes) != 0) return -EFAULT;
  const result = operate(v, cmd, arg);
  const hasOutput = cmd == <u32>PHYSDEVOP_MAP_PIRQ || cmd == <u32>PHYSDEVOP_IRQ_STATUS_QUERY;
  if (result == OK && hasOutput && copyToGuest(v, argGva, arg, bytes) != 0) return -EFAULT;
  return result;
}
