/**
 * The entry as the guest wrote it: read once, checked, and marked as in use with one compare-and-swap, so that whatever the guest does to
 * it at the same time is either before or after (spec 08 section 8.6; Xen's _set_status and reduce_status_for_pin).
 */
import { CTR_GRANT_RETRIES } from "../../abi/counters";
import {
  GNTST_GENERAL_ERROR,
  GNTST_OKAY,
  GRANT_V1_FRAME,
  GRANT_V2_FRAME,
  GTF_PERMIT_ACCESS,
  GTF_READING,
  GTF_READONLY,
  GTF_SUB_PAGE,
  GTF_TRANSITIVE,
  GTF_TYPE_MASK,
  GTF_WRITING,
} from "../../abi/grant";
import { FRAMES_BASE, PAGE_SHIFT } from "../../abi/layout";
import { W_GRANT_ENTRY_READ } from "../../abi/windows";
import { Count } from "../../base/counters";
import { ACCESS_WRITE, Window } from "../../base/window";
import { frameWritten } from "../../mem/frame-access";
import { Active } from "./active";
import { GrantTable } from "./table";

/** A guest that rewrites its entry all the time must not keep the hypervisor here. */
const MAX_TRIES: u32 = 5;

const IN_USE: u32 = GTF_READING | GTF_WRITING;

function written(at: usize): void {
  frameWritten(<u32>((at - FRAMES_BASE) >> PAGE_SHIFT));
}

/** Flags 15:0 and domid 31:16, as one read. */
function header(at: usize): u32 {
  return load<u32>(at);
}

export class Entry {
  /** Flags and domid. A frame that is gone reads as an invalid entry. */
  static header(t: GrantTable, ref: u32): u32 {
    const at = t.entry(ref);
    return at == 0 ? 0 : header(at);
  }

  /** The gfn that the entry names, read now. */
  static gfn(t: GrantTable, ref: u32): u64 {
    const at = t.entry(ref);
    if (at == 0) return 0;
    return t.version == 1 ? load<u32>(at, GRANT_V1_FRAME) : load<u64>(at, GRANT_V2_FRAME);
  }

  /**
   * Marks entry `ref` as in use by `domid`.
   * @param isMapping a mapping needs a whole page of permit_access; a copy may also go through a part or a transitive one.
   * @returns GNTST_OKAY, or GNTST_GENERAL_ERROR: not granted to it, read-only, or changed too often meanwhile. Nothing is marked then.
   */
  static mark(t: GrantTable, ref: u32, act: Active, domid: u32, isReadOnly: bool, isMapping: bool): i32 {
    const at = t.entry(ref);
    if (at == 0) return GNTST_GENERAL_ERROR;
    return t.version == 1
      ? mark1(at, domid, isReadOnly, isMapping)
      : mark2(at, t.status(ref), act, domid, isReadOnly, isMapping);
  }

  /** Takes the marks back that no use is left for. `statusAt`: t.status(ref), 0 when it is gone. */
  static unmark(statusAt: usize, act: Active, isReadOnly: bool): void {
    if (statusAt == 0) return;
    let clear: u32 = 0;
    if (!isReadOnly && !act.isWritten) clear |= GTF_WRITING;
    if (act.pin == 0) clear |= GTF_READING;
    if (clear == 0) return;
    store<u16>(statusAt, load<u16>(statusAt) & <u16>~clear);
    written(statusAt);
  }
}

/** Whether flags and domid give `domid` the access. Version 1 has no transitive entries, and ignores the sub-page bit for copies. */
function permits(raw: u32, domid: u32, isReadOnly: bool, isMapping: bool, isTransitiveAllowed: bool): bool {
  const type = raw & <u32>(isMapping ? GTF_TYPE_MASK | GTF_SUB_PAGE : GTF_TYPE_MASK);
  if (type != <u32>GTF_PERMIT_ACCESS && !(isTransitiveAllowed && type == <u32>GTF_TRANSITIVE)) return false;
  return raw >> 16 == domid && (isReadOnly || (raw & GTF_READONLY) == 0);
}

/** Version 1: the marks are in the same word as the permission, so one compare-and-swap does it. */
function mark1(at: usize, domid: u32, isReadOnly: bool, isMapping: bool): i32 {
  let raw = header(at);
  for (let tries: u32 = 0; tries < MAX_TRIES; tries++) {
    if (!permits(raw, domid, isReadOnly, isMapping, false)) return GNTST_GENERAL_ERROR;
    Window.at(W_GRANT_ENTRY_READ, at, ACCESS_WRITE); // the guest may change it before the compare-and-swap
    const now = header(at);
    if (now == raw) {
      store<u32>(at, raw | <u32>GTF_READING | (isReadOnly ? 0 : <u32>GTF_WRITING));
      written(at);
      return GNTST_OKAY;
    }
    Count.one(CTR_GRANT_RETRIES);
    raw = now;
  }
  return GNTST_GENERAL_ERROR;
}

/** Version 2: the marks are elsewhere, so the permission is looked at again once they can be seen. */
function mark2(at: usize, statusAt: usize, act: Active, domid: u32, isReadOnly: bool, isMapping: bool): i32 {
  if (!permits(header(at), domid, isReadOnly, isMapping, !isMapping)) return GNTST_GENERAL_ERROR;
  store<u16>(statusAt, load<u16>(statusAt) | <u16>(isReadOnly ? GTF_READING : IN_USE));
  written(statusAt);
  Window.at(W_GRANT_ENTRY_READ, at, ACCESS_WRITE); // the guest may take the grant back before it sees that it is in use
  if (permits(header(at), domid, isReadOnly, isMapping, !isMapping)) return GNTST_OKAY;
  Entry.unmark(statusAt, act, isReadOnly);
  return GNTST_GENERAL_ERROR;
}
