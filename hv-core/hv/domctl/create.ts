/** DOMCTL_createdomain, layout and checks of Xen 4.17 (spec 05 section 5.3; recorded answers). */
import { EEXIST, EINVAL, ENOMEM, EOPNOTSUPP, ESRCH, OK } from "../../abi/errno";
import { GRANT_FRAMES_LIMIT, GRANT_MAPTRACK_LIMIT } from "../../abi/grant";
import { CDF_HAP, CDF_HVM, DOMID_FIRST_RESERVED } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { domainCreate, pickDomid } from "../domain/create";
import { iocapSeal } from "../iocap/boot";
import { IRQ_LINES_NO_MEMORY, irqLinesAlloc, irqLinesFree } from "../irq/irq-lines";
import { create0a } from "./era-0a/create";
import { DomctlEra } from "./era-0a/era";

// Offsets in the structure (the union starts at 16).
const U: usize = 16;
const SSIDREF: usize = U;
const HANDLE: usize = U + 4;
const FLAGS: usize = U + 20;
const IOMMU_OPTS: usize = U + 24;
const MAX_VCPUS: usize = U + 28;
const MAX_EVTCHN_PORT: usize = U + 32;
const MAX_GRANT_FRAMES: usize = U + 36;
const MAX_MAPTRACK_FRAMES: usize = U + 40;
const GRANT_OPTS: usize = U + 44;
const VMTRACE_SIZE: usize = U + 48;
const CPUPOOL_ID: usize = U + 52;
const EMULATION_FLAGS: usize = U + 56;
const MISC_FLAGS: usize = U + 60;

// XEN_DOMCTL_CDF_*: 0 hvm, 1 hap, 2 s3 integrity, 3 oos off, 4 xenstore, 5 iommu, 6 nested, 7 vpmu.
const FLAG_S3: u32 = 1 << 2;
const FLAG_IOMMU: u32 = 1 << 5;
const FLAG_VPMU: u32 = 1 << 7;
const FLAG_NESTED: u32 = 1 << 6;
const NOT_FOR_PV: u32 = <u32>CDF_HAP | FLAG_S3 | FLAG_IOMMU | FLAG_NESTED | FLAG_VPMU;
const KNOWN_FLAGS: u32 = 0xff;

const HVM_MAX_VCPUS: u32 = 128;
/**
 * A PV domain can be made, asked about and destroyed like any other, and that is all: nothing here can run its vCPUs (setvcpucontext
 * refuses them). The recorded Xen has them, and what a toolstack sees of one is part of its interface.
 */
const PV_MAX_VCPUS: u32 = 8192;
/** A PV domain has no emulated devices but, if wanted, the timer. */
const EMU_PIT: u32 = 0x100;
/** emulation_flags: the LAPIC only (PVH), or everything that an HVM guest has. */
const EMU_LAPIC: u32 = 1;
const EMU_HVM: u32 = 0x3ff;
const EMU_KNOWN: u32 = 0x7ff;
/** Highest port when the caller asks for more than exist. */
const MAX_PORT: u32 = 4095;

function checkFlags(flags: u32): i32 {
  if ((flags & ~KNOWN_FLAGS) != 0) return -EINVAL;
  if ((flags & <u32>CDF_HVM) == 0) return (flags & NOT_FOR_PV) != 0 ? -EINVAL : OK;
  if ((flags & (FLAG_S3 | FLAG_IOMMU | FLAG_VPMU)) != 0) return -EINVAL;
  return (flags & <u32>CDF_HAP) == 0 ? -EOPNOTSUPP : OK; // no shadow paging
}

/** An option word of grant tables: the highest version, 1 or 2; 0 options beside it. */
function isGrantVersion(options: u32): bool {
  return options == 1 || options == 2;
}

function isHvm(op: usize): bool {
  return (load<u32>(op + FLAGS) & <u32>CDF_HVM) != 0;
}

function checkLimits(op: usize): i32 {
  const vcpus = load<u32>(op + MAX_VCPUS);
  if (vcpus == 0 || vcpus > (isHvm(op) ? HVM_MAX_VCPUS : PV_MAX_VCPUS)) return -EINVAL;
  if (load<u32>(op + IOMMU_OPTS) != 0 || load<u32>(op + VMTRACE_SIZE) != 0) return -EINVAL;
  if (!isGrantVersion(load<u32>(op + GRANT_OPTS))) return -EINVAL;
  const grants = load<i32>(op + MAX_GRANT_FRAMES);
  if (grants == 0 || grants > GRANT_FRAMES_LIMIT) return -EINVAL;
  if (load<i32>(op + MAX_MAPTRACK_FRAMES) > GRANT_MAPTRACK_LIMIT) return -EINVAL;
  if (load<u32>(op + CPUPOOL_ID) != 0) return -ESRCH;
  return OK;
}

function checkArch(op: usize): i32 {
  const emulation = load<u32>(op + EMULATION_FLAGS);
  if ((emulation & ~EMU_KNOWN) != 0) return -EINVAL;
  if (isHvm(op) ? emulation != EMU_LAPIC && emulation != EMU_HVM : (emulation & ~EMU_PIT) != 0) return -EOPNOTSUPP;
  return (load<u32>(op + MISC_FLAGS) & ~1) != 0 ? -EINVAL : OK;
}

function checkAll(op: usize): i32 {
  const flags = checkFlags(load<u32>(op + FLAGS));
  if (flags != OK) return flags;
  const limits = checkLimits(op);
  return limits != OK ? limits : checkArch(op);
}

/** The id asked for, or the next free one for 0 and reserved numbers; -EEXIST when it is in use. */
function chooseDomid(wanted: u32): i32 {
  if (wanted == 0 || wanted >= <u32>DOMID_FIRST_RESERVED) return <i32>pickDomid();
  if (Domain.find(wanted) == 0) return <i32>wanted;
  return DomctlEra.is0a ? -EINVAL : -EEXIST;
}

/** Negative limits are the machine's. */
function setGrantLimits(d: Domain, op: usize): void {
  const frames = load<i32>(op + MAX_GRANT_FRAMES);
  const maptrack = load<i32>(op + MAX_MAPTRACK_FRAMES);
  d.grantMaxFrames = frames < 0 ? GRANT_FRAMES_LIMIT : frames;
  d.grantMaxMaptrack = maptrack < 0 ? GRANT_MAPTRACK_LIMIT : maptrack;
  d.grantMaxVersion = load<u32>(op + GRANT_OPTS);
}

/** Creates the domain, paused; its id goes back in the structure. */
export function createDomain(op: usize): i32 {
  const domid = chooseDomid(load<u16>(op, 8));
  if (domid < 0) return domid;
  iocapSeal();
  if (DomctlEra.is0a) {
    const made = create0a(op, domid);
    if (made < 0) return made;
    store<u16>(op, <u16>domid, 8);
    return OK;
  }
  const error = checkAll(op);
  if (error != OK) return error;
  let ports = load<u32>(op + MAX_EVTCHN_PORT);
  if (ports > MAX_PORT) ports = MAX_PORT;
  const irqLines = irqLinesAlloc(load<u32>(op + EMULATION_FLAGS));
  if (irqLines == IRQ_LINES_NO_MEMORY) return -ENOMEM;
  const slot = domainCreate(domid, load<u32>(op + MAX_VCPUS), ports);
  if (slot < 0) {
    irqLinesFree(irqLines);
    return slot;
  }
  const d = Domain.at(slot);
  d.irqLines = irqLines;
  d.handle0 = load<u64>(op + HANDLE);
  d.handle1 = load<u64>(op + HANDLE, 8);
  d.isHvm = isHvm(op) ? 1 : 0;
  d.ssidref = load<u32>(op + SSIDREF);
  d.createFlags = load<u32>(op + FLAGS);
  d.emulationFlags = load<u32>(op + EMULATION_FLAGS);
  d.miscFlags = load<u32>(op + MISC_FLAGS);
  setGrantLimits(d, op);
  store<u16>(op, <u16>domid, 8);
  return OK;
}
