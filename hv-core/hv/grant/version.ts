/**
 * GNTTABOP_set_version: from version 1 to 2 and back (spec 08 section 8.6). The guest's entries are lost but for the reserved ones. Status
 * frames come with version 2 and go with it, which is the dangerous half: the guest may have mapped them.
 */
import { CRASH_GRANT_STATUS } from "../../abi/crash";
import { EBUSY, EINVAL, ENOSYS, OK } from "../../abi/errno";
import {
  GRANT_RESERVED_ENTRIES,
  GRANT_V1_FRAME,
  GRANT_V1_SIZE,
  GRANT_V2_FRAME,
  GTF_PERMIT_ACCESS,
  GTF_READING,
  GTF_TYPE_MASK,
  GTF_WRITING,
} from "../../abi/grant";
import { GRANT_RACE_BLIND_FREE, GRANT_RACE_STATUS_REF, KNOB_GRANT_RACE } from "../../abi/knobs";
import { PAGE_SIZE } from "../../abi/layout";
import { TRC_GRANT_VERSION } from "../../abi/trace-events";
import { W_GRANT_STATUS_UNMAPPED } from "../../abi/windows";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { freeFrame } from "../../mem/allocator";
import { frameWritten } from "../../mem/frame-access";
import { Frame, INVALID_M2P } from "../../mem/frame-table";
import { Domain } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { P2m } from "../p2m/p2m";
import { physmapRemove } from "../p2m/physmap";
import { Active } from "./active";
import { Grants, GrantTable } from "./table";

const IN_USE: u16 = <u16>(GTF_READING | GTF_WRITING);

/** Whether an entry that the toolstack did not make is in use. */
function isInUse(t: GrantTable): bool {
  if (t.pinned == 0) return false;
  for (let ref: u32 = GRANT_RESERVED_ENTRIES; ref < t.entries; ref++) if (Active.of(t, ref).pin != 0) return true;
  return false;
}

/** The reserved entries in version 1's form, 8 bytes each, to `to`. Those of version 2 that are no plain grant are dropped. */
function saveReserved(t: GrantTable, to: usize): void {
  memory.fill(to, 0, GRANT_RESERVED_ENTRIES * GRANT_V1_SIZE);
  for (let ref: u32 = 0; ref < <u32>GRANT_RESERVED_ENTRIES; ref++) {
    const at = t.entry(ref);
    const saved = to + <usize>(ref * <u32>GRANT_V1_SIZE);
    if (t.version == 1) {
      store<u64>(saved, load<u64>(at));
    } else if ((load<u16>(at) & GTF_TYPE_MASK) == GTF_PERMIT_ACCESS) {
      store<u16>(saved, load<u16>(at) | (load<u16>(t.status(ref)) & IN_USE));
      store<u16>(saved, load<u16>(at, 2), 2);
      store<u32>(saved, load<u32>(at, GRANT_V2_FRAME), GRANT_V1_FRAME);
    }
  }
}

function restoreReserved(t: GrantTable, from: usize): void {
  for (let ref: u32 = 0; ref < <u32>GRANT_RESERVED_ENTRIES; ref++) {
    const at = t.entry(ref);
    const saved = from + <usize>(ref * <u32>GRANT_V1_SIZE);
    if (t.version == 1) {
      store<u64>(at, load<u64>(saved));
      continue;
    }
    const flags = load<u16>(saved);
    store<u16>(t.status(ref), flags & IN_USE);
    store<u16>(at, flags & ~IN_USE);
    store<u16>(at, load<u16>(saved, 2), 2);
    store<u64>(at, load<u32>(saved, GRANT_V1_FRAME), GRANT_V2_FRAME);
  }
}

/** No crud of the old version is left for the new one to find. */
function clearEntries(t: GrantTable): void {
  for (let i: u32 = 0; i < t.nrFrames; i++) {
    memory.fill(Frame.host(t.sharedFrame(i)), 0, PAGE_SIZE);
    frameWritten(t.sharedFrame(i));
  }
}

/** Takes status frame `mfn` out of the domain's p2m, wherever it is. OK, or why it could not. */
function unmapStatus(d: Domain, mfn: u32): i32 {
  if (Variant.is(KNOB_GRANT_RACE, GRANT_RACE_BLIND_FREE)) return OK; // before 38bfcc165d (XSA-255): freed, wherever it is
  P2m.lock(d);
  const gfn = Frame.at(mfn).m2p;
  const error = gfn == INVALID_M2P ? OK : physmapRemove(d, gfn, mfn);
  P2m.flushNow(d);
  P2m.unlock(d);
  // Variant XSA-486: the p2m was looked at, and an insertion that began earlier is not over yet.
  if (Variant.is(KNOB_GRANT_RACE, GRANT_RACE_STATUS_REF))
    Window.at(W_GRANT_STATUS_UNMAPPED, changetype<usize>(d), ACCESS_WRITE);
  return error;
}

/**
 * The status frames go. Somebody else may hold one (a device model that acquired it): then it cannot go, and going back is not possible
 * either, so the domain crashes, as in Xen. @returns OK or -EBUSY.
 */
function dropStatus(d: Domain, t: GrantTable): i32 {
  for (let i: u32 = 0; i < t.nrStatus; i++) {
    const mfn = t.statusFrame(i);
    const blind = Variant.is(KNOB_GRANT_RACE, GRANT_RACE_BLIND_FREE);
    if (unmapStatus(d, mfn) != OK || (Frame.at(mfn).refs != 1 && !blind)) {
      domainCrash(d, CRASH_GRANT_STATUS);
      return -EBUSY;
    }
  }
  for (let i: u32 = 0; i < t.nrStatus; i++) {
    const mfn = t.statusFrame(i);
    t.setStatusFrame(i, 0);
    freeFrame(mfn);
  }
  t.nrStatus = 0;
  return OK;
}

function change(d: Domain, t: GrantTable, version: u32, work: usize): i32 {
  if (isInUse(t)) return -EBUSY;
  if (version == 2) {
    const error = Grants.populateStatus(d, t, t.nrFrames);
    if (error != OK) return error;
  }
  saveReserved(t, work);
  if (version == 1) {
    const error = dropStatus(d, t);
    if (error != OK) return error;
  }
  clearEntries(t);
  t.version = version;
  restoreReserved(t, work);
  Trace.event(TRC_GRANT_VERSION, TRACE_NO_VCPU, d.domid, version, t.nrFrames);
  return OK;
}

/**
 * @param work room for the reserved entries.
 * @returns OK; -EINVAL (no such version), -ENOSYS (the toolstack allows only version 1), -EBUSY (entries in use, or a status frame is),
 * -ENOMEM (also when there is no memory for the table).
 */
export function grantSetVersion(d: Domain, version: u32, work: usize): i32 {
  if (version != 1 && version != 2) return -EINVAL;
  if (version > d.grantMaxVersion) return -ENOSYS;
  if (Grants.version(d) == version) return OK;
  Grants.lock(d);
  const table = Grants.table(d);
  const result = table == 0 ? -EBUSY : change(d, changetype<GrantTable>(table), version, work);
  Grants.unlock(d);
  return result;
}
