/**
 * Page access (mem_access): what a listener allows of a page, beside its type (spec 01 section 1.2, spec 02 section 2.2 step 4). The EPT
 * entry has the rights that are left; this file says whether an exit is about that, and what becomes of it.
 *
 * Before: exits/on-ept-violation.ts, with the p2m lock held. After: vm-event/request.ts, when the lock is free again.
 */

import { CRASH_ACCESS_REQUIRED } from "../../abi/crash";
import { QUAL_FETCH_BIT, QUAL_GLA_FINAL_BIT, QUAL_GLA_VALID_BIT, QUAL_READ_BIT, QUAL_WRITE_BIT } from "../../abi/exits";
import {
  P2M_ACCESS_N2RWX,
  P2M_ACCESS_R,
  P2M_ACCESS_R_PW,
  P2M_ACCESS_RW,
  P2M_ACCESS_RWX,
  P2M_ACCESS_RX,
  P2M_ACCESS_RX2RW,
  P2M_ACCESS_W,
  P2M_ACCESS_WX,
  P2M_ACCESS_X,
} from "../../abi/p2m-types";
import {
  MEM_ACCESS_GLA_VALID,
  MEM_ACCESS_IN_GPT,
  MEM_ACCESS_R,
  MEM_ACCESS_W,
  MEM_ACCESS_WITH_GLA,
  MEM_ACCESS_X,
  VM_EVENT_MODE_MONITOR,
} from "../../abi/vm-event";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { p2mLookup } from "../p2m/lookup";
import { INVALID_MFN, P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { vmEventHasRing } from "../vm-event/ring";

const READ_WRITE_EXECUTE: u32 = MEM_ACCESS_R | MEM_ACCESS_W | MEM_ACCESS_X;

/** What becomes of a violation of the page's access. */
/** Nothing to tell anybody: the guest tries again. */
export const ACCESS_RETRY: u32 = 0;
/** An event that the vCPU waits for. */
export const ACCESS_SYNC: u32 = 1;
/** An event, and the guest goes on: the page allows everything now. */
export const ACCESS_ASYNC: u32 = 2;
/** Nobody listens and the domain may not run without a listener: it has been crashed. */
export const ACCESS_CRASHED: u32 = 3;

/** MEM_ACCESS_* of an exit: a write counts as a read as well, because an RMW is both (spec 02 section 2.1). */
export function accessFlags(qualification: u64): u32 {
  const q = <u32>qualification;
  let flags: u32 = 0;
  if (((q >> QUAL_WRITE_BIT) & 1) != 0) flags |= MEM_ACCESS_R | MEM_ACCESS_W;
  if (((q >> QUAL_READ_BIT) & 1) != 0) flags |= MEM_ACCESS_R;
  if (((q >> QUAL_FETCH_BIT) & 1) != 0) flags |= MEM_ACCESS_X;
  if (((q >> QUAL_GLA_VALID_BIT) & 1) == 0) return flags;
  return (
    flags | MEM_ACCESS_GLA_VALID | (((q >> QUAL_GLA_FINAL_BIT) & 1) != 0 ? MEM_ACCESS_WITH_GLA : MEM_ACCESS_IN_GPT)
  );
}

/** Whether `access` (P2M_ACCESS_*) forbids any of the R, W, X in `flags`. */
export function accessIsViolated(access: u32, flags: u32): bool {
  return (flags & READ_WRITE_EXECUTE & ~allowed(access)) != 0;
}

/** MEM_ACCESS_R, W, X that an access leaves. */
function allowed(access: u32): u32 {
  switch (access) {
    case P2M_ACCESS_R:
    case P2M_ACCESS_R_PW:
      return MEM_ACCESS_R;
    case P2M_ACCESS_W:
      return MEM_ACCESS_W;
    case P2M_ACCESS_RW:
      return MEM_ACCESS_R | MEM_ACCESS_W;
    case P2M_ACCESS_X:
      return MEM_ACCESS_X;
    case P2M_ACCESS_RX:
    case P2M_ACCESS_RX2RW:
      return MEM_ACCESS_R | MEM_ACCESS_X;
    case P2M_ACCESS_WX:
      return MEM_ACCESS_W | MEM_ACCESS_X;
    case P2M_ACCESS_RWX:
      return READ_WRITE_EXECUTE;
    default:
      return 0; // n, n2rwx
  }
}

/** The page of the last lookup gets another access; type and frame stay. */
function change(d: Domain, gfn: u64, access: u32): void {
  P2m.set(d, gfn, d.lookupMfn, 0, d.lookupType, access);
}

/**
 * The page at `gfn`, looked up and locked, does not allow what the guest wanted (p2m_mem_access_check). rx2rw and n2rwx change by
 * themselves; whether the event makes the vCPU wait follows from that.
 */
export function accessCheck(v: Vcpu, gfn: u64, flags: u32): u32 {
  const d = v.domain;
  const access = d.lookupAccess;
  if (access == <u32>P2M_ACCESS_RX2RW && (flags & MEM_ACCESS_W) != 0) {
    change(d, gfn, P2M_ACCESS_RW);
    return ACCESS_RETRY;
  }
  if (access == <u32>P2M_ACCESS_N2RWX) change(d, gfn, P2M_ACCESS_RWX);
  if (!vmEventHasRing(d, VM_EVENT_MODE_MONITOR)) {
    if (d.accessRequired != 0) {
      domainCrash(d, CRASH_ACCESS_REQUIRED);
      return ACCESS_CRASHED;
    }
    if (access != <u32>P2M_ACCESS_N2RWX) change(d, gfn, P2M_ACCESS_RWX);
    return ACCESS_RETRY;
  }
  return access == <u32>P2M_ACCESS_N2RWX ? ACCESS_ASYNC : ACCESS_SYNC;
}

/** Whether the access of `gfn` still forbids what an event reported in `flags`: only then is EMULATE obeyed. */
export function accessStillViolated(d: Domain, gfn: u64, flags: u32): bool {
  P2m.lock(d);
  p2mLookup(d, gfn);
  const is = d.lookupMfn != INVALID_MFN && accessIsViolated(d.lookupAccess, flags);
  P2m.unlock(d);
  return is;
}
