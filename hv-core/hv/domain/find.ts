/** From ids in a hypercall to a domain or vCPU. A dead domain that waits for its last frames (a zombie) is still found. */
import { DOMID_SELF } from "../../abi/hypercalls";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";

/** The domain with exactly this id, 0 = none. DOMID_SELF is nobody here. */
export function findOtherDomain(domid: u32): usize {
  return Domain.find(domid);
}

/** As above, but DOMID_SELF is the caller's own domain. */
export function findDomain(v: Vcpu, domid: u32): usize {
  if (domid == <u32>DOMID_SELF) return changetype<usize>(v.domain);
  return findOtherDomain(domid);
}

/** Whether `d` is a PV domain to others: dom0 is one on the recorded Xen, though ours has guest-physical memory of its own. */
export function looksPv(v: Vcpu, d: Domain): bool {
  return d.isHvm == 0 || (d.isPrivileged != 0 && d.slot != v.domainSlot);
}

/** The vCPU with this id, 0 when the domain has none. */
export function findVcpu(d: Domain, id: u32): usize {
  return id < d.vcpuCount ? changetype<usize>(Vcpu.at(d.firstVcpu + id)) : 0;
}

/** Whether `d` counts as PV for domctls: dom0 does even to itself, as on the recorded Xen. */
export function isPvDomain(d: Domain): bool {
  return d.isHvm == 0 || d.isPrivileged != 0;
}
