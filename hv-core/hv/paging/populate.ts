/**
 * Somebody needs a page that is out, or on its way out (spec 04 section 4.4, populate): the pager is asked for it. The slot on the ring is
 * claimed first, so that nothing has changed when there is none; the vCPU is paused before the request can be seen, so that it cannot be
 * answered too early. Several vCPUs may ask for the same page; each gets its own answer.
 *
 * Callers: exits/on-ept-violation.ts without the p2m lock; everything that looks at guest memory for somebody else.
 */
import { CRASH_NO_PAGER } from "../../abi/crash";
import { EBUSY, EOPNOTSUPP, OK } from "../../abi/errno";
import { FULL_LOST, KNOB_EVENT_FULL } from "../../abi/knobs";
import { P2M_RAM_PAGED, P2M_RAM_PAGING_IN, P2M_RAM_PAGING_OUT } from "../../abi/p2m-types";
import {
  EVF_VCPU_PAUSED,
  MEM_PAGING_DROP_PAGE,
  MEM_PAGING_EVICT_FAIL,
  REASON_MEM_PAGING,
  VM_EVENT_MODE_PAGING,
} from "../../abi/vm-event";
import { W_EVENT_CLAIMED, W_POPULATE_TYPED } from "../../abi/windows";
import { Machine } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { vmEventPause } from "../vm-event/pause";
import { currentVcpuId, vmEventLatch } from "../vm-event/request";
import { isOwnVcpu, vmEventCancel, vmEventClaim, vmEventPut } from "../vm-event/slots";

/** Word 1 of the union: old type, and flags above. */
function typeAndFlags(type: u32, flags: u32): u64 {
  return <u64>type | ((<u64>flags) << 32);
}

/** Asks the pager for `gfn`. Without a pager the domain is crashed; without a slot its own vCPU waits and a foreign one tries again. */
export function pagingPopulate(d: Domain, gfn: u64): void {
  const isOwn = isOwnVcpu(d);
  const rc = vmEventClaim(d, VM_EVENT_MODE_PAGING);
  if (rc == -EOPNOTSUPP) {
    domainCrash(d, CRASH_NO_PAGER);
    return;
  }
  if (rc == -EBUSY) {
    if (isOwn && !Variant.is(KNOB_EVENT_FULL, FULL_LOST)) waitForSlot(gfn);
    return;
  }
  Window.at(W_EVENT_CLAIMED, changetype<usize>(d), ACCESS_WRITE);
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, 0);
  const isGoing = type == <u32>P2M_RAM_PAGING_OUT || type == <u32>P2M_RAM_PAGED;
  const flags: u32 = type == <u32>P2M_RAM_PAGING_OUT ? MEM_PAGING_EVICT_FAIL : 0;
  let error: i32 = OK;
  if (isGoing) error = P2m.set(d, gfn, d.lookupMfn, 0, P2M_RAM_PAGING_IN, d.lookupAccess);
  P2m.unlock(d);
  if (error != OK || (!isGoing && !(isOwn && P2mType.isPaging(type)))) {
    vmEventCancel(d, VM_EVENT_MODE_PAGING); // on its way already, or back
    return;
  }
  Window.at(W_POPULATE_TYPED, changetype<usize>(d), ACCESS_WRITE);
  if (isOwn) vmEventPause(Vcpu.at(Machine.get().currentVcpu - 1));
  const paused: u32 = isOwn ? EVF_VCPU_PAUSED : 0;
  const word = typeAndFlags(type, flags);
  vmEventPut(d, VM_EVENT_MODE_PAGING, REASON_MEM_PAGING, currentVcpuId(), paused, gfn, word, 0, 0, 0);
}

/** The running vCPU sleeps until the ring has room, and asks then. */
function waitForSlot(gfn: u64): void {
  const v = Vcpu.at(Machine.get().currentVcpu - 1);
  vmEventLatch(v, VM_EVENT_MODE_PAGING, REASON_MEM_PAGING, true, gfn, 0, 0, 0);
}

/**
 * A page on its way has been given back by its guest: the pager may forget it. `type` is what it was. Told only if there is room: a
 * pager that never hears of it keeps a page in its store that nobody will ask for.
 */
export function pagingDropped(d: Domain, gfn: u64, type: u32): void {
  if (vmEventClaim(d, VM_EVENT_MODE_PAGING) != OK) return;
  const flags: u32 = MEM_PAGING_DROP_PAGE | (type == <u32>P2M_RAM_PAGING_OUT ? MEM_PAGING_EVICT_FAIL : 0);
  const word = typeAndFlags(type, flags);
  vmEventPut(d, VM_EVENT_MODE_PAGING, REASON_MEM_PAGING, currentVcpuId(), 0, gfn, word, 0, 0, 0);
}
