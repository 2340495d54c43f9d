/**
 * The ioreq_server page type (spec 03 section 3.6): which server gets the writes to pages of the type, and what happens to the
 * pages when it goes. Types of single pages are set by dm-op-memory.ts; the writes themselves are routed in emulate/do-io.ts.
 */

import { EBUSY, EINVAL, ERESTART, OK } from "../../abi/errno";
import { DMOP_MEM_ACCESS_WRITE } from "../../abi/hypercalls";
import { DESTROY_TYPE_SWEEP, KNOB_DESTROY_TYPE, KNOB_UNMAP_PAUSE } from "../../abi/knobs";
import { HVMMEM_IOREQ_SERVER, P2M_IOREQ_SERVER, P2M_RAM_RW } from "../../abi/p2m-types";
import { W_TYPE_SERVER_CLEARED } from "../../abi/windows";
import { Lock } from "../../base/lock";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain, NO_SERVER } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { P2m } from "../p2m/p2m";
import { ioreqLockOf, ioreqServerOf } from "./life-cycle";
import { IoreqServer } from "./server";

/** gfns swept before a hypercall lets others have a turn. */
const SWEEP_BATCH: u64 = 256;

function typeLockOf(d: Domain): usize {
  return changetype<usize>(d) + offsetof<Domain>("p2mIoreqLock");
}

/** p2m_set_ioreq_server. @returns OK; -EINVAL (not this server's), -EBUSY (somebody's already, or pages are left). */
function setServer(d: Domain, s: IoreqServer, flags: u32): i32 {
  Lock.acquire(typeLockOf(d));
  let rc = OK;
  if (flags == 0) {
    if (d.p2mIoreqServer != s.address) rc = -EINVAL;
    else d.p2mIoreqServer = NO_SERVER;
  } else if (d.p2mIoreqServer != NO_SERVER || d.p2mIoreqEntries != 0) {
    rc = -EBUSY;
  } else {
    d.p2mIoreqServer = s.address;
  }
  if (rc == OK) d.p2mIoreqFlags = flags;
  Lock.release(typeLockOf(d));
  return rc;
}

/** The server is destroyed: it loses the type. The pages keep theirs, as in Xen 4.17 (spec 03 section 3.8, S-1). */
export function memTypeForgetServer(d: Domain, s: IoreqServer): void {
  if (d.p2mIoreqServer != s.address) return;
  setServer(d, s, 0);
  if (Variant.is(KNOB_DESTROY_TYPE, DESTROY_TYPE_SWEEP)) sweepAll(d);
}

/** The whole domain at once, for variants that have it paused meanwhile. */
function sweepAll(d: Domain): void {
  P2m.changeEntryTypeGlobal(d, P2M_IOREQ_SERVER, P2M_RAM_RW);
  let from: u64 = 0;
  while (sweep(d, from) == -ERESTART) from += SWEEP_BATCH;
}

/** Variant: v6 of September 2016. The domain is paused while the server and the types of its pages go. */
function unmapPaused(d: Domain, s: IoreqServer): i32 {
  domainPause(d);
  const rc = setServer(d, s, 0);
  if (rc == OK) sweepAll(d);
  domainUnpause(d);
  return rc;
}

/**
 * DMOP_map_mem_type_to_ioreq_server: gives the writes to pages of the type to server `id`, or with flags 0 takes them away and
 * turns the remaining pages back into RAM.
 *
 * @param from gfn at which a preempted call goes on, 0 at first.
 * @returns OK; -EINVAL (type, flags, not mapped), -ENOENT, -EPERM, -EBUSY; -ERESTART with the next `from` in memTypeResumeAt.
 */
export function memTypeMap(d: Domain, id: u32, caller: u32, type: u32, flags: u32, from: u64): i32 {
  if (type != <u32>HVMMEM_IOREQ_SERVER || (flags & ~(<u32>DMOP_MEM_ACCESS_WRITE)) != 0) return -EINVAL;
  if (from == 0) {
    Lock.acquire(ioreqLockOf(d));
    const found = ioreqServerOf(d, id, caller);
    let rc = found;
    if (found >= 0) {
      const s = IoreqServer.at(found);
      rc = flags == 0 && Variant.is(KNOB_UNMAP_PAUSE, 1) ? unmapPaused(d, s) : setServer(d, s, flags);
    }
    Lock.release(ioreqLockOf(d));
    if (rc != OK) return rc;
    Window.at(W_TYPE_SERVER_CLEARED, typeLockOf(d), ACCESS_WRITE); // pages still have the type, nobody answers
    // From here on every touch of such a page is a misconfiguration. It also ends the write protection of log-dirty mode (S-2).
    if (flags == 0) P2m.changeEntryTypeGlobal(d, P2M_IOREQ_SERVER, P2M_RAM_RW);
  }
  return flags == 0 ? sweep(d, from) : OK;
}

/** Recalculates up to SWEEP_BATCH gfns from `from` on, so that no page of the type is left for the next server. */
function sweep(d: Domain, from: u64): i32 {
  if (d.p2mIoreqEntries == 0 || from > d.p2mMaxMapped) return OK;
  const rc = P2m.finishTypeChange(d, from, SWEEP_BATCH);
  if (rc != OK) return rc;
  return d.p2mIoreqEntries != 0 && from + SWEEP_BATCH <= d.p2mMaxMapped ? -ERESTART : OK;
}

/** Where a preempted memTypeMap goes on. */
export function memTypeResumeAt(from: u64): u64 {
  return from + SWEEP_BATCH;
}
