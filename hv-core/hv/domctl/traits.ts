/** What the envelope (domctl.ts) must know of each command: whether a domain may do it to itself, and whether its structure goes back. */
import {
  DOMCTL_AUDIT_P2M,
  DOMCTL_GET_ADDRESS_SIZE,
  DOMCTL_GET_CPU_POLICY,
  DOMCTL_GET_EXT_VCPUCONTEXT,
  DOMCTL_GETHVMCONTEXT_PARTIAL,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_GETTSCINFO,
  DOMCTL_GETVCPUAFFINITY,
  DOMCTL_GETVCPUEXTSTATE,
  DOMCTL_MONITOR_OP,
  DOMCTL_SCHEDULER_OP,
  DOMCTL_SET_CPU_POLICY,
  DOMCTL_SETDEBUGGING,
  DOMCTL_SETTSCINFO,
  DOMCTL_SETVCPUAFFINITY,
  DOMCTL_SOFT_RESET,
  DOMCTL_VM_EVENT_OP,
} from "../../abi/domctl";
import { EFAULT, ERESTART, OK } from "../../abi/errno";
import {
  DOMCTL_CREATEDOMAIN,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_GET_PAGING_MEMPOOL_SIZE,
  DOMCTL_GETDOMAININFO,
  DOMCTL_GETHVMCONTEXT,
  DOMCTL_GETVCPUINFO,
  DOMCTL_MAX_VCPUS,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_RESUMEDOMAIN,
  DOMCTL_SETHVMCONTEXT,
  DOMCTL_SHADOW_OP,
  DOMCTL_UNPAUSEDOMAIN,
} from "../../abi/hypercalls";
import { DEFECT_SELF_PAUSE } from "../../abi/knobs";
import { Defects } from "../../base/defects";
import { DomctlEra } from "./era-0a/era";
import { hasOutput0a } from "./era-0a/operations";

/** Operations that a domain may not do to itself: they pause it, or take away what it stands on. */
export function isNotForSelf(cmd: u32): bool {
  switch (cmd) {
    case DOMCTL_RESUMEDOMAIN:
    case DOMCTL_GETTSCINFO:
    case DOMCTL_SETTSCINFO:
      // Missing in 2014: XSA-127.
      return !Defects.has(DEFECT_SELF_PAUSE);
    case DOMCTL_DESTROYDOMAIN:
    case DOMCTL_PAUSEDOMAIN:
    case DOMCTL_UNPAUSEDOMAIN:
    case DOMCTL_MAX_VCPUS:
    case DOMCTL_SETDEBUGGING:
    case DOMCTL_SOFT_RESET:
    case DOMCTL_GETHVMCONTEXT:
    case DOMCTL_SETHVMCONTEXT:
    case DOMCTL_GETHVMCONTEXT_PARTIAL:
      return true;
    default:
      return false;
  }
}

/** Whether the structure goes back to the caller after success. */
function hasOutput(cmd: u32): bool {
  switch (cmd) {
    case DOMCTL_CREATEDOMAIN:
    case DOMCTL_GETDOMAININFO:
    case DOMCTL_SETVCPUAFFINITY:
    case DOMCTL_GETVCPUINFO:
    case DOMCTL_GETVCPUAFFINITY:
    case DOMCTL_SCHEDULER_OP:
    case DOMCTL_GETHVMCONTEXT:
    case DOMCTL_GETHVMCONTEXT_PARTIAL:
    case DOMCTL_GET_ADDRESS_SIZE:
    case DOMCTL_GETTSCINFO:
    case DOMCTL_AUDIT_P2M:
    case DOMCTL_GET_PAGING_MEMPOOL_SIZE:
    case DOMCTL_GET_EXT_VCPUCONTEXT:
    case DOMCTL_GETVCPUEXTSTATE:
    case DOMCTL_SHADOW_OP:
    case DOMCTL_VM_EVENT_OP:
    case DOMCTL_MONITOR_OP:
    case DOMCTL_GET_CPU_POLICY:
      return true;
    default:
      return false;
  }
}

/** Whether the structure goes back to the caller after `result`. */
export function goesBack(cmd: u32, result: i32): bool {
  if (result == -ERESTART) return cmd == <u32>DOMCTL_GETPAGEFRAMEINFO3;
  // A refused CPU policy says where it is wrong.
  if (cmd == <u32>DOMCTL_SET_CPU_POLICY) return result != OK && result != -EFAULT;
  if (result != OK) return false;
  if (!DomctlEra.is0a) return hasOutput(cmd);
  return hasOutput0a(cmd) || (hasOutput(cmd) && cmd != <u32>DOMCTL_GETTSCINFO && cmd != <u32>DOMCTL_SETVCPUAFFINITY);
}
