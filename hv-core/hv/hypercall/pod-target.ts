/**
 * XENMEM_set_pod_target and get_pod_target: how much populate-on-demand memory a domain has. None does, so the numbers are those
 * of a domain without, and a target is accepted and means nothing.
 */
import { EFAULT, EINVAL, ESRCH, OK } from "../../abi/errno";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { Vcpu } from "../vcpu";
import { xsmPriv } from "../xsm/dummy";
import { copyFromGuest, copyToGuest, Scratch } from "./guest-copy";

const POD_TARGET_SIZE: u32 = 40;

/** {target u64, total u64, cached u64, entries u64, domid u16}. */
export function podTarget(v: Vcpu, argGva: u64): i64 {
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, POD_TARGET_SIZE) != 0) return -EFAULT;
  const found = findDomain(v, load<u16>(arg, 32));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (d.isHvm == 0 || d.isPrivileged != 0 || d.slot == v.domainSlot) return -EINVAL;
  const denied = xsmPriv(v.domain);
  if (denied != OK) return denied;
  store<u64>(arg, d.totPages, 8);
  store<u64>(arg, 0, 16);
  store<u64>(arg, 0, 24);
  return copyToGuest(v, argGva, arg, POD_TARGET_SIZE) != 0 ? -EFAULT : OK;
}
