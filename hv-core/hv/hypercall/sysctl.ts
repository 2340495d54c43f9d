/**
 * HYPERVISOR_sysctl: questions about the whole machine. A wrong interface version is -EACCES before anything else, then only a control
 * domain may ask. One question is answered: which domains there are (getdomaininfolist).
 */
import { EACCES, EFAULT, ENOSYS, EPERM, OK } from "../../abi/errno";
import { SYSCTL_GETDOMAININFOLIST, SYSCTL_INTERFACE_VERSION_4_17, SYSCTL_SIZE, SYSCTL_UNION } from "../../abi/sysctl";
import { Domain } from "../domain";
import { DomainTable } from "../domain/table";
import { findFrom, writeInfo } from "../domctl/info";
import { Vcpu } from "../vcpu";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

/** Where one answer is put together. */
const INFO: usize = 0x200;

/** {first_domain u16, max_domains u32 @4, handle @8, num_domains u32 @16}: as many infos as there is room for, in order of ids. */
function domainInfoList(v: Vcpu, u: usize): i32 {
  const most = load<u32>(u, 4);
  const list = load<u64>(u, 8);
  let count: u32 = 0;
  let offset: u64 = 0;
  for (let at = findFrom(load<u16>(u)); at != 0 && count < most; at = DomainTable.after(changetype<Domain>(at))) {
    const size = writeInfo(changetype<Domain>(at), Scratch.at + INFO, false);
    if (copyToGuest(v, list + offset, Scratch.at + INFO, size) != 0) return -EFAULT;
    offset += size;
    count++;
  }
  store<u32>(u, count, 16);
  return OK;
}

/** {cmd u32, interface_version u32, union of 128 bytes}. */
export function sysctl(v: Vcpu, argGva: u64): i64 {
  const op = Scratch.at;
  if (copyFromGuest(v, op, argGva, SYSCTL_SIZE) != 0) return -EFAULT;
  if (load<u32>(op, 4) != <u32>SYSCTL_INTERFACE_VERSION_4_17) return -EACCES;
  if (v.domain.isPrivileged == 0) return -EPERM;
  if (load<u32>(op) != <u32>SYSCTL_GETDOMAININFOLIST) return -ENOSYS;
  const result = domainInfoList(v, op + SYSCTL_UNION);
  return result == OK && copyToGuest(v, argGva, op, SYSCTL_SIZE) != 0 ? -EFAULT : result;
}
