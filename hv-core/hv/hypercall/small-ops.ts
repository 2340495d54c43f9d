/**
 * Hypercalls of which a PVH guest sees little: grant tables (the version question and no more), vm_assist, physdev_op, xenpmu.
 */
import { EFAULT, EINVAL, ENOSYS, EOPNOTSUPP, EPERM } from "../../abi/errno";
import { Vcpu } from "../vcpu";

/** Grant tables are not offered: every operation is -ENOSYS, as on a Xen built without them. */
export function grantTableOp(count: u32): i64 {
  return <i32>count < 0 ? -EINVAL : -ENOSYS;
}

/** VMASST_*: none of the PV assists applies to a guest with its own page tables. */
export function vmAssist(): i64 {
  return -ENOSYS;
}

/** No PMU for guests. */
export function xenPmuOp(): i64 {
  return -EOPNOTSUPP;
}

/** platform_op is dom0's; its structure is looked at first. */
export function platformOp(v: Vcpu, arg: u64): i64 {
  if (arg == 0) return -EFAULT;
  return v.domain.isPrivileged != 0 ? -ENOSYS : -EPERM;
}
