/**
 * HYPERVISOR_sysctl: questions about the whole machine. None is answered here yet; what guests see is the envelope: a wrong
 * interface version is -EACCES before anything else, then only dom0 may ask.
 */
import { EACCES, EFAULT, ENOSYS, EPERM } from "../../abi/errno";
import { Vcpu } from "../vcpu";
import { copyFromGuest, Scratch } from "./guest-copy";

const SYSCTL_INTERFACE_VERSION_4_17: u32 = 0x15;

/** {cmd u32, interface_version u32, union of 128 bytes}. */
export function sysctl(v: Vcpu, argGva: u64): i64 {
  if (copyFromGuest(v, Scratch.at, argGva, 136) != 0) return -EFAULT;
  if (load<u32>(Scratch.at, 4) != SYSCTL_INTERFACE_VERSION_4_17) return -EACCES;
  return v.domain.isPrivileged != 0 ? -ENOSYS : -EPERM;
}
