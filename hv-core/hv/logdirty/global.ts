/**
 * Log-dirty mode of a whole domain (spec 01 section 1.9): all its RAM becomes read-only for the hardware, page by page as it is
 * touched; the first write to a page marks it and makes it writable.
 *
 * Before: logdirty/shadow-op.ts. The mode (logDirtyMode) says whether writes are noted; what RAM becomes when it is recalculated is
 * another thing (p2mGlobalLogDirty), and the two can differ: CLEAN without the mode write-protects everything, and unmapping the
 * ioreq_server type ends the protection while the mode is on (spec 03 section 3.8, S-2).
 */
import { CTR_LOGDIRTY_FAULTS } from "../../abi/counters";
import { EBUSY, EINVAL, OK } from "../../abi/errno";
import { P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { W_MARKED_DIRTY } from "../../abi/windows";
import { Count } from "../../base/counters";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { MM_PAGING, MmLock } from "../mm-lock";
import { P2m } from "../p2m/p2m";
import { logDirtyFree, logDirtyMark } from "./bitmap";
import { pmlEnable, pmlFlushAll, pmlRelease } from "./pml";

function setMode(d: Domain, mode: u32): void {
  MmLock.acquire(d, MM_PAGING);
  d.logDirtyMode = mode;
  MmLock.release(d, MM_PAGING);
}

/** @returns OK; -EINVAL (on already, or a device writes past the p2m), -EBUSY (pages of type ioreq_server exist: their writes could not be tracked). */
export function logDirtyEnable(d: Domain): i32 {
  if (d.logDirtyMode != 0 || d.assignedDevices != 0) return -EINVAL;
  domainPause(d);
  let rc = OK;
  if (d.p2mIoreqEntries != 0) {
    rc = -EBUSY;
  } else {
    setMode(d, 1);
    pmlEnable(d);
    P2m.changeEntryTypeGlobal(d, P2M_RAM_RW, P2M_RAM_LOGDIRTY);
  }
  domainUnpause(d);
  return rc;
}

/** Ends the mode, if it is on, and forgets the bitmap. */
export function logDirtyDisable(d: Domain): void {
  domainPause(d);
  if (d.logDirtyMode != 0) {
    pmlFlushAll(d); // for dirty video memory, which goes by the types
    setMode(d, 0);
    pmlRelease(d);
    P2m.changeEntryTypeGlobal(d, P2M_RAM_LOGDIRTY, P2M_RAM_RW);
  }
  MmLock.acquire(d, MM_PAGING);
  logDirtyFree(d);
  d.logDirtyCount = 0;
  MmLock.release(d, MM_PAGING);
  domainUnpause(d);
}

/** After a CLEAN: every page is tracked again. The domain is paused. */
export function logDirtyRearm(d: Domain): void {
  P2m.changeEntryTypeGlobal(d, P2M_RAM_RW, P2M_RAM_LOGDIRTY);
}

/**
 * A guest wrote to RAM that the hardware protects (spec 02, step 8); the caller holds the p2m lock. The order matters: were the
 * page writable first, a write could come before its mark.
 */
export function logDirtyFault(d: Domain, gfn: u64): void {
  logDirtyMark(d, gfn);
  Window.at(W_MARKED_DIRTY, changetype<usize>(d), ACCESS_WRITE);
  if (P2m.changeTypeOne(d, gfn, P2M_RAM_LOGDIRTY, P2M_RAM_RW) == OK) Count.one(CTR_LOGDIRTY_FAULTS);
}
