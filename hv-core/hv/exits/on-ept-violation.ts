/**
 * EPT violation (exit 48): the guest touched a page in a way its EPT entry does not allow. Decision order of spec 02 section 2.2.
 *
 * Before: exits/dispatch.ts. After: emulate/emulate.ts for pages that a device model or the hypervisor answers for.
 * The steps for nested guests, access listeners, paging and sharing stand where their subsystems are.
 */
import { CTR_P2M_SHATTERED } from "../../abi/counters";
import { CRASH_EPT_VIOLATION, CRASH_EVENT_DELIVERY, CRASH_NO_TABLE } from "../../abi/crash";
import { OK } from "../../abi/errno";
import { QUAL_EPT_R_BIT, QUAL_FETCH_BIT, QUAL_WRITE_BIT } from "../../abi/exits";
import { DMOP_MEM_ACCESS_READ } from "../../abi/hypercalls";
import { KNOB_EARLY_UNLOCK, KNOB_EPT_NX_SUPERPAGES, KNOB_UNMAP_LOCK, UNMAP_LOCK_EARLY_RELEASE } from "../../abi/knobs";
import { P2M_ALLOC, P2M_IOREQ_SERVER, P2M_MMIO_DIRECT, P2M_MMIO_DM, P2M_UNSHARE } from "../../abi/p2m-types";
import { W_P2M_RELEASED, W_TYPE_READ } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { Cpu } from "../../hw/cpu";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { emulateViolation } from "../emulate/emulate";
import { Internal } from "../emulate/internal";
import { NO_LATCH } from "../emulate/memory";
import { logDirtyFault } from "../logdirty/global";
import { MmioRo } from "../p2m/mmio-ro";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { requeueEvent } from "./requeue";

export function onEptViolation(v: Vcpu): Verdict {
  const c = v.cpu;
  const gpa = c.exitGpa;
  // Step 1: our own handlers, without a lookup and without the lock.
  if (Internal.claimsMemory(v, gpa)) return emulate(v, c, NO_LATCH, 0);

  // Step 2: from here on the type cannot change under our feet.
  const d = v.domain;
  const gfn = gpa >> 12;
  const isWrite = ((<u32>c.exitQualification >> QUAL_WRITE_BIT) & 1) != 0;
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, isWrite ? P2M_ALLOC | P2M_UNSHARE : P2M_ALLOC);
  const isEarly = Variant.is(KNOB_UNMAP_LOCK, UNMAP_LOCK_EARLY_RELEASE);
  if (isEarly) P2m.unlock(d);
  Window.at(W_TYPE_READ, changetype<usize>(d), ACCESS_READ); // the server may change, and without the lock the type too
  let verdict: Verdict;
  if (d.isShuttingDown != 0 && d.crashReason != 0) {
    verdict = Verdict.Crash; // no memory for a page that was to be populated
  } else if (isShatterDue(c, type, d.lookupOrder)) {
    verdict = shatter(v, c, gfn, type); // step 4a
  } else if (type == <u32>P2M_MMIO_DM || (isWrite && isWatched(d, type)) || isReadWatched(d, type)) {
    if (Knobs.get(KNOB_EARLY_UNLOCK) != 0) {
      if (!isEarly) P2m.unlock(d);
      Window.at(W_P2M_RELEASED, changetype<usize>(d), ACCESS_READ); // the type may change before it is looked up again
      return emulate(v, c, NO_LATCH, 0);
    }
    verdict = emulate(v, c, gfn, type); // step 5, with the lock still held
  } else if (P2mType.isRam(type)) {
    if (isWrite) logDirtyFault(d, gfn);
    verdict = spurious(c); // step 8: tracked, fixed already, or executing from a page without that right (N-1)
  } else {
    domainCrash(d, CRASH_EPT_VIOLATION); // step 9
    verdict = Verdict.Crash;
  }
  if (!isEarly) P2m.unlock(d);
  return verdict;
}

/** A fetch from a superpage that may not be executed as a whole (CVE-2018-12207). */
function isShatterDue(c: Cpu, type: u32, order: u32): bool {
  if (order == 0 || Knobs.get(KNOB_EPT_NX_SUPERPAGES) == 0) return false;
  const qualification = <u32>c.exitQualification;
  const isFetch = ((qualification >> QUAL_FETCH_BIT) & 1) != 0;
  return isFetch && ((qualification >> QUAL_EPT_R_BIT) & 7) != 0 && P2mType.isRam(type);
}

/** The page that is fetched from becomes a 4 KiB one, with everything around it. */
function shatter(v: Vcpu, c: Cpu, gfn: u64, type: u32): Verdict {
  const d = v.domain;
  Count.one(CTR_P2M_SHATTERED);
  if (P2m.set(d, gfn, d.lookupMfn, 0, type, d.lookupAccess) == OK) return spurious(c);
  domainCrash(d, CRASH_NO_TABLE);
  return Verdict.Crash;
}

/** Pages that can be read by the guest itself but whose writes are dropped, or wanted by a device model. */
function isWatched(d: Domain, type: u32): bool {
  if (type == <u32>P2M_MMIO_DIRECT) return MmioRo.contains(d.lookupMfn);
  return type == <u32>P2M_IOREQ_SERVER || P2mType.isDiscardWrite(type);
}

/** A server asked for the reads of the type as well (knob type.read). */
function isReadWatched(d: Domain, type: u32): bool {
  return type == <u32>P2M_IOREQ_SERVER && (d.p2mIoreqFlags & DMOP_MEM_ACCESS_READ) != 0;
}

/** Emulation starts the instruction again; an event that was being delivered has none. */
function emulate(v: Vcpu, c: Cpu, gfn: u64, type: u32): Verdict {
  if (c.exitIdtVectoring != 0) {
    domainCrash(v.domain, CRASH_EVENT_DELIVERY);
    return Verdict.Crash;
  }
  return emulateViolation(v, gfn, type);
}

/** The same access again, and with it the event whose delivery it was part of. */
function spurious(c: Cpu): Verdict {
  requeueEvent(c);
  return Verdict.Retry;
}
