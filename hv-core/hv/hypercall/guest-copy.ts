/**
 * Copies between hypervisor memory and a guest's linear addresses, as the calling vCPU would see them (for dom0, which the host
 * plays with paging off, linear = guest-physical). Every pointer of a hypercall goes through here.
 *
 * Only RAM is touched: other types end the copy, also a page that another domain has granted. Writes to read-only RAM vanish, as the guest's own would.
 */
import { CTR_GUEST_COPIES, CTR_GUEST_COPY_BYTES } from "../../abi/counters";
import { COPY_TYPED_WRITE, KNOB_COPY_TYPED } from "../../abi/knobs";
import { MAILBOX_BASE, PAGE_SIZE } from "../../abi/layout";
import { P2M_ALLOC, P2M_IOREQ_SERVER, P2M_UNSHARE } from "../../abi/p2m-types";
import { Count } from "../../base/counters";
import { Variant } from "../../base/variant";
import { FreeTables } from "../../hw/free-tables";
import { GuestWalk } from "../../hw/guest-walk";
import { frameWritten } from "../../mem/frame-access";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { logDirtyMark } from "../logdirty/bitmap";
import { P2m } from "../p2m/p2m";
import { P2mType } from "../p2m/types";
import { pagingPopulate } from "../paging/populate";
import { Vcpu } from "../vcpu";

const CR0_PG: u64 = 0x8000_0000;
const FAULT: u64 = 0xffff_ffff_ffff_ffff;

/** Memory for one hypercall's structures. Nothing here outlives the call. */
export class Scratch {
  /** 64 KiB for the hypercall proper. */
  @inline static get at(): usize {
    return MAILBOX_BASE + 0x8_0000;
  }

  /** 32 KiB for dm_op buffers. */
  @inline static get dm(): usize {
    return MAILBOX_BASE + 0x9_0000;
  }
}

/** Guest-physical address of `gva` for the hypervisor's accesses, FAULT (all ones) when there is none. */
function toGpa(v: Vcpu, gva: u64, isWrite: bool): u64 {
  const c = v.cpu;
  if ((c.cr0 & CR0_PG) == 0) return v.hypercall64 != 0 ? gva : gva & 0xffff_ffff;
  const lin = v.hypercall64 != 0 ? gva : gva & 0xffff_ffff;
  c.accessGpa = FAULT;
  let gpa = GuestWalk.translate(c, lin, isWrite, false);
  while (gpa == FAULT && c.accessGpa != FAULT && letThrough(v, c.accessGpa >> 12)) {
    c.accessGpa = FAULT;
    gpa = GuestWalk.translate(c, lin, isWrite, false);
  }
  FreeTables.clear(c);
  c.accessGpa = 0;
  return gpa;
}

/** A guest table that the EPT hides: the access of a page does not bind the hypervisor's own walk; one that is out is asked for. */
function letThrough(v: Vcpu, gfn: u64): bool {
  const d = v.domain;
  const type = P2m.lookup(d, gfn, 0);
  if (P2mType.isPaging(type)) {
    pagingPopulate(d, gfn);
    return false;
  }
  return P2mType.isRam(type) && Frame.isValid(d.lookupMfn) && FreeTables.add(v.cpu, gfn, d.lookupMfn);
}

/** Host address of a guest-physical one, 0 when it is not RAM; 1 when a write to it is dropped. The machine frame is in d.lookupMfn. */
function toHost(d: Domain, gpa: u64, isWrite: bool): usize {
  const type = P2m.lookup(d, gpa >> 12, isWrite ? P2M_ALLOC | P2M_UNSHARE : P2M_ALLOC);
  if (P2mType.isPaging(type)) {
    pagingPopulate(d, gpa >> 12);
    return 0;
  }
  if (!P2mType.isAnyRam(type) || !Frame.isValid(d.lookupMfn) || P2mType.isGrant(type)) return 0;
  if (isWrite && P2mType.isShared(type)) return 0; // no memory for a copy of its own
  if (isWrite && P2mType.isDiscardWrite(type)) return 1;
  // A device model wants to hear of writes to this page, and a copy cannot tell it (spec 03 section 3.7 H).
  if (isWrite && type == <u32>P2M_IOREQ_SERVER && !Variant.is(KNOB_COPY_TYPED, COPY_TYPED_WRITE)) return 0;
  return Frame.host(d.lookupMfn) + (<usize>gpa & (PAGE_SIZE - 1));
}

function countCopy(bytes: u32): void {
  Count.one(CTR_GUEST_COPIES);
  Count.add(CTR_GUEST_COPY_BYTES, bytes);
}

/** @returns bytes NOT copied; 0 = all of them. */
export function copyFromGuest(v: Vcpu, to: usize, gva: u64, bytes: u32): u32 {
  const d = v.domain;
  countCopy(bytes);
  while (bytes != 0) {
    const gpa = toGpa(v, gva, false);
    if (gpa == FAULT) return bytes;
    const host = toHost(d, gpa, false);
    if (host == 0) return bytes;
    const room = <u32>PAGE_SIZE - (<u32>gva & (PAGE_SIZE - 1));
    const piece = bytes < room ? bytes : room;
    memory.copy(to, host, piece);
    to += piece;
    gva += piece;
    bytes -= piece;
  }
  return 0;
}

/** @returns bytes NOT copied; 0 = all of them. */
export function copyToGuest(v: Vcpu, gva: u64, from: usize, bytes: u32): u32 {
  const d = v.domain;
  countCopy(bytes);
  while (bytes != 0) {
    const gpa = toGpa(v, gva, true);
    if (gpa == FAULT) return bytes;
    const host = toHost(d, gpa, true);
    if (host == 0) return bytes;
    const room = <u32>PAGE_SIZE - (<u32>gva & (PAGE_SIZE - 1));
    const piece = bytes < room ? bytes : room;
    if (host != 1) {
      memory.copy(host, from, piece);
      frameWritten(d.lookupMfn);
      logDirtyMark(d, gpa >> 12);
    }
    from += piece;
    gva += piece;
    bytes -= piece;
  }
  return 0;
}

/** One 32-bit word; false on a fault. The word is at Scratch.at + 0xff00. */
export function copyWordFromGuest(v: Vcpu, gva: u64): bool {
  return copyFromGuest(v, Scratch.at + 0xff00, gva, 4) == 0;
}

export function copiedWord(): u32 {
  return load<u32>(Scratch.at + 0xff00);
}
