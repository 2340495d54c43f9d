/**
 * Interface 0x0a: the operations that differ from 4.17's, in layout or answer (spec 05 section 5.2, column of 2014). All others are
 * shared. Next: create.ts, pages.ts, small.ts, tsc.ts.
 */
import {
  DOMCTL_ARCH_SETUP,
  DOMCTL_AUDIT_P2M,
  DOMCTL_DISABLE_MIGRATE,
  DOMCTL_GET_ADDRESS_SIZE,
  DOMCTL_GET_MACHINE_ADDRESS_SIZE,
  DOMCTL_GETPAGEFRAMEINFO,
  DOMCTL_GETPAGEFRAMEINFO2,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_GETTSCINFO,
  DOMCTL_GETVCPUAFFINITY,
  DOMCTL_LAST_0A,
  DOMCTL_SENDTRIGGER,
  DOMCTL_SET_CPUID,
  DOMCTL_SET_MACHINE_ADDRESS_SIZE,
  DOMCTL_SET_MAX_EVTCHN,
  DOMCTL_SETTIMEOFFSET,
  DOMCTL_SETTSCINFO,
  DOMCTL_SETVCPUAFFINITY,
  DOMCTL_SUPPRESS_SPURIOUS_PAGE_FAULTS,
} from "../../../abi/domctl";
import { EACCES, ENOSYS, EPERM } from "../../../abi/errno";
import { DOMCTL_HYPERCALL_INIT, DOMCTL_MAX_VCPUS } from "../../../abi/hypercalls";
import { Domain } from "../../domain";
import { hypercallPageFill } from "../../hypercall/hypercall-page";
import { Vcpu } from "../../vcpu";
import { auditP2m } from "../page-info";
import { getPageFrame, getPageFrames2, getPageFrames3 } from "./pages";
import {
  affinity,
  disableMigrate,
  getAddressSize,
  machineAddressSize,
  maxVcpus,
  sendTrigger,
  setCpuid,
  setMaxEvtchn,
  setTimeOffset,
  suppressPageFaults,
} from "./small";
import { getTscInfo, setTscInfo } from "./tsc";

/** Commands from here on belong to the debugger. */
const FIRST_GDBSX: u32 = 1000;
/** The answer for a command that is the same in both interfaces. */
export const SHARED: i32 = 1;

function hypercallInit(d: Domain, gfn: u64): i32 {
  return hypercallPageFill(d, gfn) != 0 ? -EACCES : 0;
}

/** @returns the answer, or SHARED when the operation is the one of 4.17. */
export function operate0a(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  if (cmd > <u32>DOMCTL_LAST_0A && cmd < FIRST_GDBSX) return -ENOSYS;
  switch (cmd) {
    case DOMCTL_GETPAGEFRAMEINFO:
      return getPageFrame(d, u);
    case DOMCTL_GETPAGEFRAMEINFO2:
      return getPageFrames2(v, d, u);
    case DOMCTL_GETPAGEFRAMEINFO3:
      return getPageFrames3(v, d, u);
    case DOMCTL_MAX_VCPUS:
      return maxVcpus(d, load<u32>(u));
    case DOMCTL_HYPERCALL_INIT:
      return hypercallInit(d, load<u64>(u));
    case DOMCTL_ARCH_SETUP:
      return -ENOSYS;
    case DOMCTL_SETTIMEOFFSET:
      return setTimeOffset(d, u);
    case DOMCTL_GETVCPUAFFINITY:
    case DOMCTL_SETVCPUAFFINITY:
      return affinity(v, d, cmd, u);
    case DOMCTL_SENDTRIGGER:
      return sendTrigger(d, u);
    case DOMCTL_GET_ADDRESS_SIZE:
      return getAddressSize(u);
    case DOMCTL_SET_CPUID:
      return setCpuid(d, u);
    case DOMCTL_SET_MACHINE_ADDRESS_SIZE:
    case DOMCTL_GET_MACHINE_ADDRESS_SIZE:
      return machineAddressSize(d, cmd, u);
    case DOMCTL_SUPPRESS_SPURIOUS_PAGE_FAULTS:
      return suppressPageFaults(d);
    case DOMCTL_DISABLE_MIGRATE:
      return disableMigrate(d, u);
    case DOMCTL_GETTSCINFO:
      return getTscInfo(v, d, u);
    case DOMCTL_SETTSCINFO:
      return setTscInfo(v, d, u);
    case DOMCTL_AUDIT_P2M:
      return d.slot == v.domainSlot ? -EPERM : auditP2m(d, u);
    case DOMCTL_SET_MAX_EVTCHN:
      return setMaxEvtchn(d, load<u32>(u));
    default:
      return SHARED;
  }
}

/** Whether the structure goes back for a command that only this interface has, or that has no output in the other. */
export function hasOutput0a(cmd: u32): bool {
  return (
    cmd == <u32>DOMCTL_GETPAGEFRAMEINFO ||
    cmd == <u32>DOMCTL_GET_MACHINE_ADDRESS_SIZE ||
    cmd == <u32>DOMCTL_GET_ADDRESS_SIZE
  );
}
