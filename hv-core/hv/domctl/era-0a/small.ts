/** Operations of 2014 that set or read one thing, where they differ from 4.17's. */
import {
  DOMCTL_SET_MACHINE_ADDRESS_SIZE,
  DOMCTL_SETVCPUAFFINITY,
  NR_PCPUS,
  SENDTRIGGER_NMI,
  SET_CPUID_ENTRIES,
} from "../../../abi/domctl";
import { EBUSY, EFAULT, EINVAL, ESRCH, OK } from "../../../abi/errno";
import { KNOB_PADDR_BITS } from "../../../abi/knobs";
import { Knobs } from "../../../base/machine";
import { CpuidTable } from "../../cpuid/table";
import { Domain } from "../../domain";
import { findVcpu } from "../../domain/find";
import { createVcpus } from "../../domain/vcpu-create";
import { Vcpu } from "../../vcpu";
import { bitmapBits, bitmapFromGuest, bitmapToGuest } from "../bitmap";
import { sendTrigger as sendTriggerToday, setTimeOffset as setTimeOffset64 } from "../settings";

/** Most vCPUs of a HVM domain. */
const MAX_VCPUS: u32 = 128;
/** Highest port of the 2-level layout. */
const MAX_PORT: u32 = 4095;
const LARGEST_INT: u32 = 0x7fff_ffff;
const ONLINE: u64 = ((<u64>1) << NR_PCPUS) - 1;
const BITS_64: u32 = 64;

/** {max u32}: may be said again, but neither less nor more. -ENOMEM when there are no slots for so many. */
export function maxVcpus(d: Domain, count: u32): i32 {
  if (count == 0 || count > MAX_VCPUS || count < d.maxVcpus) return -EINVAL;
  if (count == d.maxVcpus) return OK;
  if (d.maxVcpus != 0) return -EBUSY;
  d.maxVcpus = count;
  const result = createVcpus(d);
  if (result != OK) d.maxVcpus = 0;
  return result;
}

/** {seconds i32}. */
export function setTimeOffset(d: Domain, u: usize): i32 {
  store<i64>(u, <i64>load<i32>(u));
  return setTimeOffset64(d, u);
}

/** {vcpu u32, pad, bitmap}: one affinity, the hard one. */
export function affinity(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  const id = load<u32>(u);
  if (id >= d.maxVcpus) return -EINVAL;
  const found = findVcpu(d, id);
  if (found == 0) return -ESRCH;
  const subject = changetype<Vcpu>(found);
  if (cmd != <u32>DOMCTL_SETVCPUAFFINITY) return bitmapToGuest(v, u + 8, subject.hardAffinity, NR_PCPUS);
  if (!bitmapFromGuest(v, u + 8, NR_PCPUS)) return -EFAULT;
  const hard = bitmapBits() & ONLINE;
  if (hard == 0) return -EINVAL;
  subject.hardAffinity = hard;
  return OK;
}

/** {trigger u32, vcpu u32}: a number no domain can have is told apart from a vCPU that is not there. */
export function sendTrigger(d: Domain, u: usize): i32 {
  if (load<u32>(u) == <u32>SENDTRIGGER_NMI && load<u32>(u, 4) >= MAX_VCPUS) return -EINVAL;
  return sendTriggerToday(d, u);
}

/** {size u32}: 64 for all but 32-bit PV domains, of which there are none. */
export function getAddressSize(u: usize): i32 {
  store<u32>(u, BITS_64);
  return OK;
}

/**
 * {leaf u32, subleaf u32, eax, ebx, ecx, edx}: replaces what the guest's CPUID answers there, from the next CPUID on. -ENOENT when
 * the table is full.
 */
export function setCpuid(d: Domain, u: usize): i32 {
  const error = CpuidTable.prepare(d);
  return error != OK ? error : CpuidTable.put(d, u, SET_CPUID_ENTRIES);
}

/** {size u32}: bits of the machine addresses that the domain may be given; kept, and the machine's own when nobody said any. */
export function machineAddressSize(d: Domain, cmd: u32, u: usize): i32 {
  if (cmd == <u32>DOMCTL_SET_MACHINE_ADDRESS_SIZE) {
    if (d.hasRun != 0) return -EBUSY;
    d.machineAddressSize = load<u32>(u);
    return OK;
  }
  store<u32>(u, d.machineAddressSize != 0 ? d.machineAddressSize : Knobs.get(KNOB_PADDR_BITS));
  return OK;
}

/** Page faults that a stale TLB entry of a PV guest causes are not passed on; a HVM domain has none. */
export function suppressPageFaults(d: Domain): i32 {
  d.suppressFaults = 1;
  return OK;
}

/** {disable u32}: whether the domain may be migrated; its TSC can then stay the machine's. */
export function disableMigrate(d: Domain, u: usize): i32 {
  d.migrateDisabled = load<u32>(u);
  return OK;
}

/** {max_port u32}: ports above can no longer be allocated; those that are there stay. */
export function setMaxEvtchn(d: Domain, port: u32): i32 {
  const most = port < LARGEST_INT ? port : LARGEST_INT;
  d.maxEvtchnPort = most < MAX_PORT ? most : MAX_PORT;
  return OK;
}
