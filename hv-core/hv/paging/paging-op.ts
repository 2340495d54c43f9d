/** XENMEM_paging_op (spec 04 section 4.4): op u8 @0, domain u16 @2, buffer u64 @8, gfn u64 @16; 32-bit callers have the same layout. */
import { EFAULT, EINVAL, ENODEV, ENOSYS, EPERM, ESRCH, OK } from "../../abi/errno";
import { KNOB_MEM_PAGING } from "../../abi/knobs";
import { PAGING_EVICT, PAGING_NOMINATE, PAGING_PREP, VM_EVENT_MODE_PAGING } from "../../abi/vm-event";
import { Knobs } from "../../base/machine";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { copyFromGuest, Scratch } from "../hypercall/guest-copy";
import { Vcpu } from "../vcpu";
import { vmEventHasRing } from "../vm-event/ring";
import { xsmDmPriv } from "../xsm/dummy";
import { pagingEvict, pagingNominate, pagingPrep } from "./pages";

const SIZE: u32 = 24;

/**
 * @returns OK; -ENOSYS (not built, or no such operation), -EFAULT, -EPERM (oneself, no rights over it), -ESRCH, -EINVAL (dying),
 * -ENODEV (no pager listens), and what pages.ts answers.
 */
export function pagingOp(v: Vcpu, argGva: u64): i64 {
  if (Knobs.get(KNOB_MEM_PAGING) == 0) return -ENOSYS;
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, SIZE) != 0) return -EFAULT;
  const domid: u32 = load<u16>(arg, 2);
  if (domid == v.domid) return -EPERM;
  const found = findOtherDomain(domid);
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  if (d.state != DOMAIN_ALIVE) return -EINVAL;
  const denied = xsmDmPriv(v.domain, d);
  if (denied != OK) return denied;
  if (!vmEventHasRing(d, VM_EVENT_MODE_PAGING)) return -ENODEV;
  const gfn = load<u64>(arg, 16);
  switch (<u32>load<u8>(arg)) {
    case PAGING_NOMINATE:
      return pagingNominate(d, gfn);
    case PAGING_EVICT:
      return pagingEvict(d, gfn);
    case PAGING_PREP:
      return pagingPrep(v, d, gfn, load<u64>(arg, 8));
    default:
      return -ENOSYS;
  }
}
