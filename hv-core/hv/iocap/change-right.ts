/**
 * A domain gets or loses the right to a range of frames, ports or lines: its rangeset changes, and with the accountant also who holds them
 * (account/tracker.ts). Whatever could fail is asked first, so an error leaves everything as it was.
 *
 * Before: permission.ts, port-mapping.ts. After: revoke.ts for mappings that a forced revocation takes away.
 */
import { EBUSY, OK } from "../../abi/errno";
import { IO_RACE_DOUBLE_GRANT, KNOB_IO_QUOTA, KNOB_IO_RACE, KNOB_IO_REVOKE, REVOKE_FORCED } from "../../abi/knobs";
import { W_IO_GRANT_CHECKED, W_IO_REVOKED } from "../../abi/windows";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { MemoryType } from "../p2m/memory-type";
import { P2m } from "../p2m/p2m";
import { Accountant } from "./account/tracker";
import { holderOf } from "./hooks";
import { IO_FRAME, IO_IRQ, IO_PORT, IoState } from "./io-state";
import { isLineFreeFor } from "./lines";
import { portsRetrap } from "./port-bitmap";
import { RANGES_UNLIMITED, Rangeset } from "./rangeset";
import { takeMappings } from "./revoke";

/** Limit of a domain's sets: dom0's own are not its to fragment, and have none. */
function quota(d: Domain): u32 {
  const limit = Knobs.get(KNOB_IO_QUOTA);
  return limit == 0 || d.isPrivileged != 0 ? RANGES_UNLIMITED : limit;
}

/** Address of the word with the head of a domain's rangeset. */
export function setOf(d: Domain, kind: u32): usize {
  const at = changetype<usize>(d);
  if (kind == IO_FRAME) return at + offsetof<Domain>("iomemCaps");
  return kind == IO_PORT ? at + offsetof<Domain>("ioportCaps") : at + offsetof<Domain>("irqCaps");
}

/** The rangeset alone; it is made when it is first needed. */
function changeSet(d: Domain, kind: u32, start: u64, end: u64, allow: bool): i32 {
  const word = setOf(d, kind);
  if (load<u32>(word) == 0) {
    if (!allow) return OK;
    store<u32>(word, Rangeset.create(quota(d)));
  }
  const set = load<u32>(word);
  return allow ? Rangeset.add(set, start, end) : Rangeset.remove(set, start, end);
}

function give(d: Domain, kind: u32, start: u64, end: u64, isShared: bool): i32 {
  IoState.acquire();
  let rc = Accountant.checkGrant(kind, holderOf(d), start, end, isShared);
  if (rc == OK && kind == IO_IRQ && !isLineFreeFor(d, <u32>start, isShared)) rc = -EBUSY;
  const isUnlocked = Variant.is(KNOB_IO_RACE, IO_RACE_DOUBLE_GRANT);
  if (isUnlocked) IoState.release();
  Window.at(W_IO_GRANT_CHECKED, IoState.holders(kind), ACCESS_WRITE); // with the lock held nobody can get in between
  if (isUnlocked) IoState.acquire();
  if (rc == OK) rc = changeSet(d, kind, start, end, true);
  if (rc == OK) rc = Accountant.grant(kind, holderOf(d), start, end, isShared);
  IoState.release();
  if (rc == OK && kind == IO_PORT && d.slot != 0) portsRetrap(start, end);
  return rc;
}

function take(d: Domain, kind: u32, start: u64, end: u64): i32 {
  IoState.acquire();
  let rc = Accountant.checkRevoke(kind, holderOf(d), start, end);
  if (rc == OK) rc = changeSet(d, kind, start, end, false);
  if (rc == OK) Accountant.revoke(kind, holderOf(d), start, end);
  IoState.release();
  if (rc != OK) return rc;
  if (kind == IO_PORT && d.slot == 0) portsRetrap(start, end);
  if (kind == IO_FRAME && Knobs.get(KNOB_IO_REVOKE) == <u32>REVOKE_FORCED) {
    Window.at(W_IO_REVOKED, changetype<usize>(d), ACCESS_WRITE); // nobody may map it any more, who has it mapped still uses it
    takeMappings(d, start, end);
  }
  return OK;
}

/**
 * @param isShared for lines: all their holders agree to share (only the accountant asks).
 * @returns OK; -ENOMEM (a range too many, or no memory); with the accountant also -EPERM (reserved) and -EBUSY (another one holds or maps it,
 * or the domain itself maps what is to be taken away).
 */
export function changeRight(d: Domain, kind: u32, start: u64, end: u64, allow: bool, isShared: bool): i32 {
  const before = MemoryType.matters(d);
  const rc = !Accountant.isOn()
    ? changeSet(d, kind, start, end, allow)
    : allow
      ? give(d, kind, start, end, isShared)
      : take(d, kind, start, end);
  // The first right to real I/O, and the loss of the last one, change what memory types the domain's RAM has.
  if (MemoryType.matters(d) != before) P2m.memoryTypesRecalculate(d);
  return rc;
}
