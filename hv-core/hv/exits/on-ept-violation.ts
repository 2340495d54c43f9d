/**
 * EPT violation (exit 48): the guest touched a page in a way its EPT entry does not allow. Decision order of spec 02 section 2.2.
 *
 * Before: exits/dispatch.ts. After: emulate/emulate.ts for pages that a device model or the hypervisor answers for.
 * Page accesses: access/check.ts. Pages that are out: paging/populate.ts. There are no nested guests and no alternate views.
 */
import { CTR_ACCESS_VIOLATIONS, CTR_P2M_SHATTERED } from "../../abi/counters";
import { CRASH_EPT_VIOLATION, CRASH_EVENT_DELIVERY, CRASH_NO_TABLE, CRASH_UNSHARE_NO_MEMORY } from "../../abi/crash";
import { OK } from "../../abi/errno";
import { QUAL_EPT_R_BIT, QUAL_FETCH_BIT, QUAL_WRITE_BIT } from "../../abi/exits";
import {
  KNOB_EARLY_UNLOCK,
  KNOB_EPT_NX_SUPERPAGES,
  KNOB_UNMAP_LOCK,
  SHARING_DEFECT_UNLOCKED_TYPE,
  UNMAP_LOCK_EARLY_RELEASE,
} from "../../abi/knobs";
import {
  P2M_ALLOC,
  P2M_IOREQ_SERVER,
  P2M_MMIO_DIRECT,
  P2M_MMIO_DM,
  P2M_RAM_PAGED,
  P2M_RAM_PAGING_OUT,
  P2M_UNSHARE,
} from "../../abi/p2m-types";
import { MEM_ACCESS_GLA_VALID, REASON_MEM_ACCESS } from "../../abi/vm-event";
import { W_ACCESS_CHECKED, W_P2M_RELEASED, W_PAGED_SEEN, W_SHARED_SEEN, W_TYPE_READ } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Planted } from "../../base/planted";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { Cpu } from "../../hw/cpu";
import { Frame } from "../../mem/frame-table";
import {
  ACCESS_ASYNC,
  ACCESS_CRASHED,
  ACCESS_RETRY,
  ACCESS_SYNC,
  accessCheck,
  accessFlags,
  accessIsViolated,
} from "../access/check";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { emulateViolation } from "../emulate/emulate";
import { Internal } from "../emulate/internal";
import { NO_LATCH } from "../emulate/memory";
import { hwdomFixup } from "../iocap/hwdom";
import { TypeOwner } from "../ioreq/type-owner";
import { logDirtyFault } from "../logdirty/global";
import { MmioRo } from "../p2m/mmio-ro";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";
import { hasSharingRing } from "../sharing/enomem";
import { hasSharingDefect } from "../sharing/two-gfns";
import { unshare } from "../sharing/unshare";
import { Vcpu, VPF_EVENTS } from "../vcpu";
import { Verdict } from "../verdict";
import { vmEventAccess } from "../vm-event/request";
import { blockNmiAgain } from "./nmi";
import { requeueEvent } from "./requeue";

export function onEptViolation(v: Vcpu): Verdict {
  Planted.delay();
  const c = v.cpu;
  blockNmiAgain(c);
  const gpa = c.exitGpa;
  // Step 1: our own handlers, without a lookup and without the lock.
  if (Internal.claimsMemory(v, gpa)) return emulate(v, c, NO_LATCH, 0);

  // Step 2: from here on the type cannot change under our feet.
  const d = v.domain;
  const gfn = gpa >> 12;
  const isWrite = ((<u32>c.exitQualification >> QUAL_WRITE_BIT) & 1) != 0;
  if (isWrite && hasSharingDefect(SHARING_DEFECT_UNLOCKED_TYPE)) unshareUnlocked(d, gfn);
  P2m.lock(d);
  const type = P2m.lookup(d, gfn, isWrite ? P2M_ALLOC | P2M_UNSHARE : P2M_ALLOC);
  const isEarly = Variant.is(KNOB_UNMAP_LOCK, UNMAP_LOCK_EARLY_RELEASE);
  if (isEarly) P2m.unlock(d);
  Window.at(W_TYPE_READ, changetype<usize>(d), ACCESS_READ); // the server may change, and without the lock the type too
  let verdict: Verdict;
  let isOutOfMemory: bool = false;
  const access = accessFlags(c.exitQualification);
  const isViolated = Frame.isValid(d.lookupMfn) && accessIsViolated(d.lookupAccess, access);
  let event: u32 = ACCESS_RETRY;
  if (d.isShuttingDown != 0 && d.crashReason != 0) {
    verdict = Verdict.Crash; // no memory for a page that was to be populated
  } else if (!isViolated && isShatterDue(c, type, d.lookupOrder)) {
    verdict = shatter(v, c, gfn, type); // step 4a
  } else if (type == <u32>P2M_MMIO_DM && hwdomFixup(d, gfn)) {
    verdict = spurious(c); // the hardware domain's own MMIO, mapped at its first touch
  } else if (isViolated && !isAsync((event = accessCheck(v, gfn, access)))) {
    verdict = event == ACCESS_CRASHED ? Verdict.Crash : spurious(c); // step 4c
  } else if (type == <u32>P2M_MMIO_DM || (isWrite && isWatched(d, type)) || isReadWatched(d, type)) {
    if (Knobs.get(KNOB_EARLY_UNLOCK) != 0) {
      if (!isEarly) P2m.unlock(d);
      Window.at(W_P2M_RELEASED, changetype<usize>(d), ACCESS_READ); // the type may change before it is looked up again
      return tell(v, gfn, type, event, access, emulate(v, c, NO_LATCH, 0));
    }
    verdict = emulate(v, c, gfn, type); // step 5, with the lock still held
  } else if (P2mType.isRam(type)) {
    if (isWrite) {
      isOutOfMemory = P2mType.isShared(type); // step 7: it could not be unshared
      logDirtyFault(d, gfn);
    }
    verdict = spurious(c); // step 8: tracked, fixed already, or executing from a page without that right (N-1)
  } else if (isViolated) {
    verdict = spurious(c); // step 9: the page allows everything now
  } else {
    domainCrash(d, CRASH_EPT_VIOLATION);
    verdict = Verdict.Crash;
  }
  if (!isEarly) P2m.unlock(d);
  if (isOutOfMemory && !hasSharingRing(d)) {
    domainCrash(d, CRASH_UNSHARE_NO_MEMORY); // with a ring a helper frees memory, and the write is made again
    return Verdict.Crash;
  }
  return verdict == Verdict.Crash ? verdict : tell(v, gfn, type, event, access, verdict);
}

/** Historic (C-50): the type is read before the lock is taken, and unsharing goes by it. */
function unshareUnlocked(d: Domain, gfn: u64): void {
  if (!P2mType.isShared(P2m.lookup(d, gfn, 0))) return;
  Window.at(W_SHARED_SEEN, changetype<usize>(d), ACCESS_READ); // another vCPU that faulted on the page may unshare it first
  unshare(d, gfn, false);
}

function isAsync(event: u32): bool {
  return event == ACCESS_ASYNC;
}

/**
 * The exit of spec 02 section 2.2, with the p2m lock free: who has to hear of it is told now, because that may have to wait for a slot
 * of a ring. A page that is out is asked for (step 6), a violated access reported (step 4c).
 */
function tell(v: Vcpu, gfn: u64, type: u32, event: u32, access: u32, verdict: Verdict): Verdict {
  const d = v.domain;
  if (type == <u32>P2M_RAM_PAGED || type == <u32>P2M_RAM_PAGING_OUT) {
    Window.at(W_PAGED_SEEN, changetype<usize>(d), ACCESS_READ); // the page may be back before it is asked for
    pagingPopulate(d, gfn);
  }
  if (event == ACCESS_SYNC || event == ACCESS_ASYNC) {
    Window.at(W_ACCESS_CHECKED, changetype<usize>(d), ACCESS_READ); // the listener may go
    const c = v.cpu;
    const gla = (access & MEM_ACCESS_GLA_VALID) != 0 ? c.exitGla : 0;
    const offset = c.exitGpa & 0xfff;
    vmEventAccess(v, REASON_MEM_ACCESS, event == ACCESS_SYNC, gfn, offset, gla, access);
    Count.one(CTR_ACCESS_VIOLATIONS);
  }
  if (d.isShuttingDown != 0 && d.crashReason != 0) return Verdict.Crash;
  return (v.pauseFlags & VPF_EVENTS) != 0 ? Verdict.Block : verdict;
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
  return type == <u32>P2M_IOREQ_SERVER && TypeOwner.wantsReads(TypeOwner.of(d));
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
