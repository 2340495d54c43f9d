/** Looking without touching: the EPT walk of an address step by step, and a translation through a guest's own tables. */
import { MAILBOX_BASE } from "../abi/layout";
import { Epte } from "../base/epte";
import { Machine } from "../base/machine";
import { Domain } from "../hv/domain";
import { ioreqCheck } from "../hv/ioreq/check";
import { p2mCheck } from "../hv/p2m/check";
import { P2mEntry } from "../hv/p2m/entry";
import { Vcpu } from "../hv/vcpu";
import { GuestWalk } from "../hw/guest-walk";
import { CR0_PG } from "../hw/mode";

const STEP_SIZE: u32 = 32;
const FAULT: u64 = 0xffff_ffff_ffff_ffff;

function step(count: u32, level: u32, table: u32, index: u32, entry: u64): void {
  const at: usize = MAILBOX_BASE + count * STEP_SIZE;
  store<u32>(at, level);
  store<u32>(at, table, 4);
  store<u32>(at, index, 8);
  store<u32>(at, 0, 12);
  store<u64>(at, entry, 16);
  store<u64>(at, 0, 24);
}

/** Steps {level u32, table mfn u32, index u32, pad, entry u64, pad u64} in the mailbox; @returns how many, 0 = no such domain. */
export function walkGpa(domid: u32, gpaLow: u32, gpaHigh: u32): u32 {
  const found = Domain.find(domid);
  if (found == 0) return 0;
  const gfn = (<u64>gpaLow | ((<u64>gpaHigh) << 32)) >> 12;
  let table = changetype<Domain>(found).p2mRoot;
  if (table == 0 || gfn >> 36 != 0) return 0;
  let count: u32 = 0;
  for (let level: u32 = 4; level >= 1; level--) {
    const index = P2mEntry.index(gfn, level);
    const entry = P2mEntry.read(table, index);
    step(count++, level, table, index, entry);
    if (level == 1 || Epte.isLeafBit(entry) || !Epte.isPresent(entry)) break;
    table = Epte.mfn(entry);
  }
  return count;
}

/** Guest-physical address of a linear one, as a supervisor read sees it, in the mailbox. @returns 1, or 0 when it is not mapped. */
export function translateGva(slot: u32, gvaLow: u32, gvaHigh: u32): u32 {
  if (slot >= Machine.get().vcpuMark || Vcpu.at(slot).inUse == 0) return 0;
  const c = Vcpu.at(slot).cpu;
  const gva = <u64>gvaLow | ((<u64>gvaHigh) << 32);
  const gpa = (c.cr0 & CR0_PG) == 0 ? gva & 0xffff_ffff : GuestWalk.translate(c, gva, false, false);
  if (gpa == FAULT) return 0;
  store<u64>(MAILBOX_BASE, gpa);
  return 1;
}

/** Broken invariants of a domain's p2m, one bit each (hv/p2m/check.ts), 0 = none; all ones in builds without checks, or without such a domain. */
export function p2mInvariants(domid: u32): u32 {
  if (isDefined(DEBUG)) {
    const found = Domain.find(domid);
    if (found != 0) return p2mCheck(changetype<Domain>(found));
  }
  return 0xffff_ffff;
}

/** The same for its ioreq servers and locks (hv/ioreq/check.ts). */
export function ioreqInvariants(domid: u32): u32 {
  if (isDefined(DEBUG)) {
    const found = Domain.find(domid);
    if (found != 0) return ioreqCheck(changetype<Domain>(found));
  }
  return 0xffff_ffff;
}
