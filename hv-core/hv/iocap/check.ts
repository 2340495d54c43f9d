/**
 * Invariants of I/O resources (spec 06 section 6.6), by a full walk over every domain's map. For tests and debug builds. The answer has bit n - 1
 * set for a broken O-n. Without the accountant only O-8 means anything: the others say what it promises.
 *
 * O-1 a frame is mapped by one domain. O-2 reserved units by none. O-3 counts are entries. O-4 a cached translation of a device has a count.
 * O-5 the default domain uses what nobody else holds. O-6 what is granted is in the rangesets. O-8 ranges within the quota.
 * O-7 (nothing reaches a device after its revocation) is about time: the scenarios and races hold it against the device's log.
 */
import { KNOB_IO_OWN, KNOB_IO_QUOTA } from "../../abi/knobs";
import { P2M_MMIO_DIRECT } from "../../abi/p2m-types";
import { Epte } from "../../base/epte";
import { Knobs, Machine } from "../../base/machine";
import { TLB_BUS, TLB_EMPTY, Tlb } from "../../hw/tlb";
import { DOMAIN_FREE, Domain } from "../domain";
import { INVALID_MFN, P2mEntry } from "../p2m/entry";
import { Vcpu } from "../vcpu";
import { Counts } from "./account/counts";
import { HOLDER_XEN, IoRecord } from "./account/record";
import { Accountant, DEFAULT_HOLDER, HOLDER_SHARED } from "./account/tracker";
import { setOf } from "./change-right";
import { holderOf } from "./hooks";
import { IO_FRAME, IO_IRQ, IoState } from "./io-state";
import { MapNode, RangeMap } from "./range-map";
import { Rangeset } from "./rangeset";

const O1: u32 = 1 << 0;
const O2: u32 = 1 << 1;
const O3: u32 = 1 << 2;
const O4: u32 = 1 << 3;
const O5: u32 = 1 << 4;
const O6: u32 = 1 << 5;
const O8: u32 = 1 << 7;

const LAST: u64 = 0xffff_ffff_ffff_ffff;

/** How many entries of the tree map frame `mfn`; all entries of type mmio_direct when it is LAST. */
function entriesFor(table: u32, level: u32, mfn: u64): u64 {
  let count: u64 = 0;
  for (let i: u32 = 0; i < 512; i++) {
    const entry = P2mEntry.read(table, i);
    if (!P2mEntry.isValid(entry)) continue;
    if (level != 1 && !Epte.isLeafBit(entry)) {
      if (Epte.isPresent(entry)) count += entriesFor(Epte.mfn(entry), level - 1, mfn);
      continue;
    }
    const first = <u64>Epte.mfn(entry);
    const size = (<u64>1) << (9 * (level - 1));
    if (Epte.type(entry) != <u32>P2M_MMIO_DIRECT || first == <u64>INVALID_MFN) continue;
    if (mfn == LAST) count += size;
    else if (mfn - first < size) count++;
  }
  return count;
}

/** Every frame that a tree maps: counted for its domain, as often as it is mapped, and not reserved. */
function checkTree(d: Domain, root: u32, table: u32, level: u32): u32 {
  let broken: u32 = 0;
  for (let i: u32 = 0; i < 512; i++) {
    const entry = P2mEntry.read(table, i);
    if (!P2mEntry.isValid(entry)) continue;
    if (level != 1 && !Epte.isLeafBit(entry)) {
      if (Epte.isPresent(entry)) broken |= checkTree(d, root, Epte.mfn(entry), level - 1);
      continue;
    }
    const first = <u64>Epte.mfn(entry);
    if (Epte.type(entry) != <u32>P2M_MMIO_DIRECT || first == <u64>INVALID_MFN) continue;
    const size = (<u64>1) << (9 * (level - 1));
    for (let mfn = first; mfn < first + size; mfn++) broken |= checkFrame(d, root, mfn);
  }
  return broken;
}

function checkFrame(d: Domain, root: u32, mfn: u64): u32 {
  let broken: u32 = 0;
  const record = Counts.get(mfn);
  if (IoRecord.holder(record) != holderOf(d)) broken |= O1;
  else if (<u64>IoRecord.count(record) != entriesFor(root, 4, mfn)) broken |= O3;
  const grant = RangeMap.value(IoState.holders(IO_FRAME), mfn) >> 16;
  if (grant == HOLDER_XEN) broken |= O2;
  if (holderOf(d) == DEFAULT_HOLDER && grant != 0 && grant != HOLDER_XEN) broken |= O5;
  return broken;
}

function checkCached(d: Domain, v: Vcpu): u32 {
  for (let i: u32 = 0; i <= v.cpu.tlbMask; i++) {
    const e = Tlb.at(v.cpu, i);
    if (e.tag == TLB_EMPTY || (e.meta & TLB_BUS) == 0) continue;
    if (IoRecord.holder(Counts.get(Tlb.mfn(e))) != holderOf(d) && d.p2mNeedFlush == 0) return O4;
  }
  return 0;
}

/** What the accountant has granted is in the domain's own set. */
function checkGrants(kind: u32): u32 {
  const root = IoState.holders(kind);
  let node = RangeMap.ceiling(root, 0);
  while (node != 0) {
    const n = MapNode.at(node);
    const holder = n.value >> 16;
    if (holder != HOLDER_XEN && holder != HOLDER_SHARED) {
      const d = Domain.at(holder - 1);
      if (d.state == DOMAIN_FREE || !Rangeset.contains(load<u32>(setOf(d, kind)), n.start, n.end)) return O6;
    }
    if (n.end == LAST) return 0;
    node = RangeMap.ceiling(root, n.end + 1);
  }
  return 0;
}

function checkQuota(d: Domain): u32 {
  const limit = Knobs.get(KNOB_IO_QUOTA);
  if (limit == 0 || d.isPrivileged != 0) return 0;
  for (let kind = IO_FRAME; kind <= IO_IRQ; kind++) {
    const set = load<u32>(setOf(d, kind));
    if (set != 0 && Rangeset.count(set) > limit) return O8;
  }
  return 0;
}

/** @returns the broken invariants, 0 = none. */
export function ioCheck(): u32 {
  const mark = Machine.get().domainMark;
  let broken: u32 = 0;
  let entries: u64 = 0;
  for (let slot: u32 = 0; slot < mark; slot++) {
    const d = Domain.at(slot);
    if (d.state == DOMAIN_FREE) continue;
    broken |= checkQuota(d);
    if (!Accountant.isOn() || d.p2mRoot == 0) continue;
    broken |= checkTree(d, d.p2mRoot, d.p2mRoot, 4);
    entries += entriesFor(d.p2mRoot, 4, LAST);
    for (let id: u32 = 0; id < d.vcpuCount; id++) broken |= checkCached(d, Vcpu.at(d.firstVcpu + id));
  }
  if (!Accountant.isOn()) return broken;
  if (entries + ownMappings() != <u64>IoState.get().countTotal) broken |= O3;
  for (let kind = IO_FRAME; kind <= IO_IRQ; kind++) broken |= checkGrants(kind);
  return broken;
}

/** Frames that the hypervisor counts as its own (knob iomem.own=count). */
function ownMappings(): u64 {
  if (Knobs.get(KNOB_IO_OWN) == 0) return 0;
  let count: u64 = 0;
  let at: u64 = 0;
  while (true) {
    const found = Counts.search(at, 0xffff_ffff, HOLDER_XEN, false);
    if (found == 0) return count;
    count++;
    at = found;
  }
}
