/**
 * XENMEM_set_pod_target and get_pod_target: how much memory a populate-on-demand domain shall have (hv/pod/target.ts).
 * Structure: target_pages u64 @0, tot_pages u64 @8, pod_cache_pages u64 @16, pod_entries u64 @24, domid u16 @32.
 */
import { EFAULT, EINVAL, ERESTART, ESRCH, OK } from "../../abi/errno";
import { XENMEM_SET_POD_TARGET } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { podSetTarget } from "../pod/target";
import { Vcpu } from "../vcpu";
import { xsmPriv } from "../xsm/dummy";
import { continueWith } from "./continuation";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

const SIZE: u32 = 40;

/** @returns OK; -EFAULT, -ESRCH, -EINVAL (dom0, own domain, above its maximum), -EPERM (not a control domain), -ENOMEM. */
export function podTarget(v: Vcpu, cmd: u64, argGva: u64): i64 {
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, SIZE) != 0) return -EFAULT;
  const found = findDomain(v, load<u16>(arg, 32));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (d.isHvm == 0 || d.isPrivileged != 0 || d.slot == v.domainSlot) return -EINVAL;
  const denied = xsmPriv(v.domain);
  if (denied != OK) return denied;
  if ((<u32>cmd & 63) == <u32>XENMEM_SET_POD_TARGET) {
    const target = load<u64>(arg);
    if (target > <u64>d.maxPages) return -EINVAL;
    const rc = podSetTarget(d, target);
    if (rc == -ERESTART) return continueWith(v, cmd, argGva, 0);
    if (rc != OK) return rc;
  }
  store<u64>(arg, d.totPages, 8);
  store<u64>(arg, d.podCount, 16);
  store<u64>(arg, d.podEntries, 24);
  return copyToGuest(v, argGva, arg, SIZE) != 0 ? -EFAULT : OK;
}
