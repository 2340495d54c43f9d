/**
 * XENMEM_claim_pages: a toolstack sets frames aside for a domain before it builds it, so that two builders do not run out together.
 * A claim counts the domain's whole memory; what it owns already is taken off. Populating uses the claim up.
 */
import { EFAULT, EINVAL, ENOMEM, ENOSYS, OK } from "../../abi/errno";
import { Machine } from "../../base/machine";
import { freeFrames } from "../../mem/allocator";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { Vcpu } from "../vcpu";
import { xsmPriv } from "../xsm/dummy";
import { copyFromGuest, Scratch } from "./guest-copy";

const RESERVATION_SIZE: u32 = 32;

function setClaim(d: Domain, pages: u32): void {
  const m = Machine.get();
  m.claimedFrames = m.claimedFrames - d.claimedPages + pages;
  d.claimedPages = pages;
}

/** Whether `d` may have `size` more frames without taking what others claimed. */
export function canTake(d: Domain, size: u64): bool {
  const others: u64 = Machine.get().claimedFrames - d.claimedPages;
  return size + others <= <u64>freeFrames();
}

/** `d` got `size` frames: its claim shrinks by them. */
export function took(d: Domain, size: u64): void {
  if (d.claimedPages != 0) setClaim(d, size >= <u64>d.claimedPages ? 0 : d.claimedPages - <u32>size);
}

/** The domain dies. */
export function claimForget(d: Domain): void {
  setClaim(d, 0);
}

/** A reservation structure with order 0 and no list; its number of extents is the memory the domain shall have. 0 cancels. */
export function claimPages(v: Vcpu, argGva: u64): i64 {
  const arg = Scratch.at;
  if (v.hypercall64 == 0) return -ENOSYS; // 32-bit callers have no such operation, as recorded
  if (copyFromGuest(v, arg, argGva, RESERVATION_SIZE) != 0) return -EFAULT;
  if (load<u64>(arg) != 0 || load<u32>(arg, 16) != 0 || load<u32>(arg, 20) != 0) return -EINVAL;
  const found = findDomain(v, load<u16>(arg, 24));
  if (found == 0) return -EINVAL;
  const denied = xsmPriv(v.domain);
  if (denied != OK) return denied;
  const d = changetype<Domain>(found);
  const pages = load<u64>(arg, 8);
  if (pages == 0) {
    claimForget(d);
    return OK;
  }
  if (d.claimedPages != 0 || pages <= <u64>d.totPages || pages > <u64>d.maxPages) return -EINVAL;
  const more = pages - d.totPages;
  if (!canTake(d, more)) return -ENOMEM;
  setClaim(d, <u32>more);
  return OK;
}
