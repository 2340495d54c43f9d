/**
 * Domctls of features this machine does not have: device assignment without an IOMMU, cache and bandwidth monitoring, debugger
 * stubs. They answer what the recorded Xen 4.17 answers where it lacks them too (rows V341..V414).
 */
import {
  DOMCTL_BIND_PT_IRQ,
  DOMCTL_DEBUG_OP,
  DOMCTL_GET_DEVICE_GROUP,
  DOMCTL_GET_EXT_VCPUCONTEXT,
  DOMCTL_GET_VCPU_MSRS,
  DOMCTL_PSR_ALLOC,
  DOMCTL_PSR_CMT_OP,
  DOMCTL_SET_EXT_VCPUCONTEXT,
  DOMCTL_SET_VCPU_MSRS,
  DOMCTL_UNBIND_PT_IRQ,
  DOMCTL_VMTRACE_OP,
} from "../../abi/domctl";
import { EINVAL, ENODEV, ENOSYS, EOPNOTSUPP, EPERM, ESRCH, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { findVcpu } from "../domain/find";
import { Vcpu } from "../vcpu";

const DEBUG_OP_LAST: u32 = 2;
/** struct xen_domctl_ext_vcpucontext: 128 bytes; its size field. */
const EXT_SIZE_OFFSET: usize = 4;
const EXT_SIZE: u32 = 128;

/** {op u32, vcpu u32}: single-stepping by the processor, which Xen offers on Intel only. */
function debugOp(v: Vcpu, d: Domain, u: usize): i32 {
  if (d.slot == v.domainSlot) return -EINVAL;
  if (findVcpu(d, load<u32>(u, 4)) == 0) return -EINVAL;
  return load<u32>(u) > DEBUG_OP_LAST ? -ENOSYS : -EOPNOTSUPP;
}

/** {vcpu u32, size u32, ...}: PV entry points and machine-check banks; an HVM vCPU here has none, all zero. */
function extContext(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  if (d.slot == v.domainSlot || findVcpu(d, load<u32>(u)) == 0) return -ESRCH;
  if (cmd == <u32>DOMCTL_SET_EXT_VCPUCONTEXT) return load<u32>(u, EXT_SIZE_OFFSET) < EXT_SIZE ? -EINVAL : OK;
  memory.fill(u + EXT_SIZE_OFFSET, 0, EXT_SIZE - EXT_SIZE_OFFSET);
  store<u32>(u, EXT_SIZE, EXT_SIZE_OFFSET);
  return OK;
}

/** The answer for a command that no other file knows; -ENOSYS for stale and unknown ones. */
export function absentFeature(v: Vcpu, d: Domain, cmd: u32, u: usize): i32 {
  switch (cmd) {
    case DOMCTL_BIND_PT_IRQ:
    case DOMCTL_UNBIND_PT_IRQ:
      return -EPERM; // no domain here holds an interrupt line
    case DOMCTL_SET_EXT_VCPUCONTEXT:
    case DOMCTL_GET_EXT_VCPUCONTEXT:
      return extContext(v, d, cmd, u);
    case DOMCTL_GET_DEVICE_GROUP:
      return -EOPNOTSUPP;
    case DOMCTL_DEBUG_OP:
      return debugOp(v, d, u);
    case DOMCTL_GET_VCPU_MSRS:
    case DOMCTL_SET_VCPU_MSRS:
    case DOMCTL_VMTRACE_OP:
      return -EINVAL;
    case DOMCTL_PSR_CMT_OP:
    case DOMCTL_PSR_ALLOC:
      return -ENODEV;
    default:
      return -ENOSYS; // cacheflush, vuart_op and gdbsx_* among them
  }
}
