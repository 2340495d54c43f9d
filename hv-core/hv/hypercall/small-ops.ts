/** Hypercalls of which a PVH guest sees little: vm_assist, mmuext_op, hypfs, xenpmu, platform_op. */
import { EFAULT, EINVAL, ENOSYS, EOPNOTSUPP, EPERM, OK } from "../../abi/errno";
import { Vcpu } from "../vcpu";
import { copyFromGuest, Scratch } from "./guest-copy";

const PLATFORM_OP_HEADER: u32 = 8;
const DOMCTL_SIZE: u32 = 144;

/** The one assist an HVM guest may switch: marking a runstate area that is being updated. */
const VMASST_RUNSTATE_UPDATE_FLAG: u32 = 5;

/** {cmd: 0 enable, 1 disable; type}. Runstate areas are never seen half written here, so the flag changes nothing. */
export function vmAssist(cmd: u32, type: u32): i64 {
  if (type != VMASST_RUNSTATE_UPDATE_FLAG) return -EINVAL;
  return cmd <= 1 ? OK : -ENOSYS;
}

/** mmuext_op: operations on PV page tables; an empty list is done at once. */
export function mmuextOp(count: u32): i64 {
  return count == 0 ? OK : -ENOSYS;
}

/** hypfs: dom0 may ask for the version of the interface and finds no tree behind it. */
export function hypfsOp(v: Vcpu, cmd: u32): i64 {
  if (v.domain.isPrivileged == 0) return -EPERM;
  return cmd == 0 ? 1 : -ENOSYS;
}

/** arch_1: the continuation of paging domctls, internal to the hypervisor. */
export function pagingContinuation(v: Vcpu, arg: u64): i64 {
  return copyFromGuest(v, Scratch.at, arg, DOMCTL_SIZE) != 0 ? -EFAULT : -EINVAL;
}

/** No PMU for guests. */
export function xenPmuOp(): i64 {
  return -EOPNOTSUPP;
}

/** platform_op is dom0's; its structure is looked at first. */
export function platformOp(v: Vcpu, arg: u64): i64 {
  if (copyFromGuest(v, Scratch.at, arg, PLATFORM_OP_HEADER) != 0) return -EFAULT;
  return v.domain.isPrivileged != 0 ? -ENOSYS : -EPERM;
}
