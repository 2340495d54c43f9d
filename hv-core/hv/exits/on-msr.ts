/**
 * RDMSR and WRMSR (exits 31, 32). The hypervisor's own and the platform's registers are here, as the recorded Xen 4.17 shows them
 * to a PVH guest; the processor's are in hw/msr.ts. What neither knows is #GP(0), without side effect (spec 10 section 6).
 */

import { EAGAIN, OK } from "../../abi/errno";
import { MAILBOX_BASE } from "../../abi/layout";
import { REASON_MOV_TO_MSR, VM_EVENT_MODE_MONITOR } from "../../abi/vm-event";
import { Machine } from "../../base/machine";
import { MSR_FAULT, MSR_OK, MSR_UNKNOWN, Msr } from "../../hw/msr";
import { Run } from "../../hw/run";
import { hypercallPageFill } from "../hypercall/hypercall-page";
import { latchLayout } from "../hypercall/latch";
import { lapicSetBase } from "../irq/lapic";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { isMsrReported } from "../vm-event/monitored";
import { PENDING_MSR, pendingWrite } from "../vm-event/pending-write";
import { vmEventMonitor } from "../vm-event/request";
import { vmEventHasRing } from "../vm-event/ring";
import { injectGp } from "./inject";
import { storedMsr } from "./stored-msrs";

const MSR_APIC_BASE: u32 = 0x1b;
const MSR_PATCH_LEVEL: u32 = 0x8b;
const MSR_PLATFORM_INFO: u32 = 0xce;
const MSR_MTRR_CAP: u32 = 0xfe;
const MSR_MISC_FEATURES_ENABLES: u32 = 0x140;
const MSR_MCG_CAP: u32 = 0x179;
const MSR_MCG_STATUS: u32 = 0x17a;
const MSR_DEBUG_CTL: u32 = 0x1d9;
const MSR_MTRR_DEF_TYPE: u32 = 0x2ff;
const MSR_MC0_CTL: u32 = 0x400;
const MSR_MC_LAST: u32 = 0x407;
const MSR_TSC_DEADLINE: u32 = 0x6e0;
const MSR_HYPERCALL_PAGE: u32 = 0x4000_0000;
const MSR_AMD_DE_CFG: u32 = 0xc001_1029;

const PATCH_LEVEL: u64 = 0x0100_0065;
/** CPUID faulting is available. */
const PLATFORM_INFO: u64 = 0x8000_0000;
const MTRR_CAP: u64 = 0x508;
/** Two banks. */
const MCG_CAP: u64 = 2;
const DE_CFG: u64 = 2;
/** Defined bits of MTRRdefType: type, fixed enable, enable. */
const DEF_TYPE_DEFINED: u64 = 0xcff;
const ALL_ONES: u64 = 0xffff_ffff_ffff_ffff;

/** AMD registers that read 0 and ignore writes. */
function isQuietAmd(index: u32): bool {
  if (index >> 16 != 0xc001) return false;
  switch (index & 0xffff) {
    case 0x0000:
    case 0x0001:
    case 0x0002:
    case 0x0003:
    case 0x0004:
    case 0x0005:
    case 0x0006:
    case 0x0007:
    case 0x0010:
    case 0x0015:
    case 0x001f:
    case 0x0055:
    case 0x0114:
    case 0x0117:
      return true;
    default:
      return false;
  }
}

function isMachineCheckBank(index: u32): bool {
  return index >= MSR_MC0_CTL && index <= MSR_MC_LAST;
}

/** Where `readOwn` and Msr.read leave a value. */
class Value {
  @inline static get at(): usize {
    return MAILBOX_BASE + 0x9_8000;
  }
}

function found(value: u64): u32 {
  store<u64>(Value.at, value);
  return MSR_OK;
}

function readOwn(v: Vcpu, index: u32): u32 {
  switch (index) {
    case MSR_APIC_BASE:
      return found(v.apicBase);
    case MSR_PATCH_LEVEL:
      return found(PATCH_LEVEL);
    case MSR_PLATFORM_INFO:
      return found(PLATFORM_INFO);
    case MSR_MTRR_CAP:
      return found(MTRR_CAP);
    case MSR_MISC_FEATURES_ENABLES:
      return found(v.msrMiscEnable);
    case MSR_MCG_CAP:
      return found(MCG_CAP);
    case MSR_MCG_STATUS:
    case MSR_DEBUG_CTL:
    case MSR_TSC_DEADLINE:
    case MSR_HYPERCALL_PAGE:
      return found(0);
    case MSR_MTRR_DEF_TYPE:
      return found(v.msrMtrrDefType);
    case MSR_AMD_DE_CFG:
      return found(DE_CFG);
    default:
      break;
  }
  if (isMachineCheckBank(index)) return found((index & 3) == 0 ? ALL_ONES : 0);
  if (isQuietAmd(index)) return found(0);
  const at = storedMsr(v, index);
  return at == 0 ? MSR_UNKNOWN : found(load<u64>(at));
}

/** Fills the page and latches the guest's word size. The low 12 bits are the number of the page: only 0 exists. */
function writeHypercallPage(v: Vcpu, value: u64): u32 {
  if ((value & 0xfff) != 0) return MSR_FAULT;
  const rc = hypercallPageFill(v.domain, value >> 12);
  if (rc == OK) latchLayout(v);
  return rc == OK ? MSR_OK : rc == -EAGAIN ? MSR_AGAIN : MSR_FAULT;
}

function writeDefType(v: Vcpu, value: u64): u32 {
  const type = <u32>value & 0xff;
  if ((value & ~DEF_TYPE_DEFINED) != 0 || type > 6 || type == 2 || type == 3) return MSR_FAULT;
  v.msrMtrrDefType = value;
  P2m.memoryTypeChanged(v.domain);
  return MSR_OK;
}

function writeOwn(v: Vcpu, index: u32, value: u64): u32 {
  switch (index) {
    case MSR_APIC_BASE:
      return lapicSetBase(v, value) ? MSR_OK : MSR_FAULT;
    case MSR_PATCH_LEVEL:
    case MSR_PLATFORM_INFO:
    case MSR_MTRR_CAP:
    case MSR_MCG_CAP:
      return MSR_FAULT;
    case MSR_MISC_FEATURES_ENABLES:
      if (value > 1) return MSR_FAULT;
      v.msrMiscEnable = value;
      return MSR_OK;
    case MSR_DEBUG_CTL:
      return value == 0 ? MSR_OK : MSR_FAULT;
    case MSR_MCG_STATUS:
    case MSR_TSC_DEADLINE:
    case MSR_AMD_DE_CFG:
      return MSR_OK;
    case MSR_MTRR_DEF_TYPE:
      return writeDefType(v, value);
    case MSR_HYPERCALL_PAGE:
      return writeHypercallPage(v, value);
    default:
      break;
  }
  if (isMachineCheckBank(index) || isQuietAmd(index)) return MSR_OK;
  const at = storedMsr(v, index);
  if (at == 0) return MSR_UNKNOWN;
  store<u64>(at, value);
  P2m.memoryTypeChanged(v.domain);
  return MSR_OK;
}

export function onRdmsr(v: Vcpu): Verdict {
  const c = v.cpu;
  const index = <u32>c.rcx;
  c.tscBase = Machine.get().now;
  let result = readOwn(v, index);
  if (result == MSR_UNKNOWN) result = Msr.read(c, index, Value.at);
  if (result != MSR_OK) return injectGp(v);
  const value = load<u64>(Value.at);
  c.rax = value & 0xffff_ffff;
  c.rdx = value >> 32;
  Run.skip(c);
  return Verdict.Done;
}

/** A page that the MSR names has been asked for: the instruction is run again when it is there. */
const MSR_AGAIN: u32 = 0x100;

/** MSR_OK, MSR_UNKNOWN, MSR_FAULT, or that it has to be tried again. */
export function msrWrite(v: Vcpu, index: u32, value: u64): u32 {
  v.cpu.tscBase = Machine.get().now;
  const result = writeOwn(v, index, value);
  return result == MSR_UNKNOWN ? Msr.write(v.cpu, index, value) : result;
}

/** A monitor hears of the write, which is made when the vCPU goes on. False = nobody wants to know. */
function report(v: Vcpu, index: u32, value: u64): bool {
  const d = v.domain;
  if (!vmEventHasRing(d, VM_EVENT_MODE_MONITOR) || !isMsrReported(d, index, true)) return false;
  v.cpu.tscBase = Machine.get().now;
  let known = readOwn(v, index);
  if (known == MSR_UNKNOWN) known = Msr.read(v.cpu, index, Value.at);
  const old = known == MSR_OK ? load<u64>(Value.at) : 0;
  if (!isMsrReported(d, index, value != old)) return false;
  pendingWrite(v, PENDING_MSR, index, value);
  vmEventMonitor(v, REASON_MOV_TO_MSR, true, index, value, old, 0);
  return true;
}

export function onWrmsr(v: Vcpu): Verdict {
  const c = v.cpu;
  const index = <u32>c.rcx;
  const value = (c.rax & 0xffff_ffff) | (c.rdx << 32);
  if (report(v, index, value)) {
    Run.skip(c);
    return v.pauseFlags != 0 ? Verdict.Block : Verdict.Done;
  }
  const result = msrWrite(v, index, value);
  if (result == MSR_AGAIN) return Verdict.Block;
  if (result != MSR_OK) return injectGp(v);
  Run.skip(c);
  return Verdict.Done;
}
