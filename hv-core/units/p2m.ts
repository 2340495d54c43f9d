/** Unit-test build: the p2m of one domain (test/hv/p2m.test.ts). Not part of any shipped build. */
import "../base/abort";
import { KNOB_EPT_NX_SUPERPAGES, KNOB_P2M_SUPERPAGES, KNOB_TLB_ENTRIES } from "../abi/knobs";
import { COUNTERS_BASE } from "../abi/layout";
import { Epte } from "../base/epte";
import { Knobs } from "../base/machine";
import { DOMAIN_DYING, Domain } from "../hv/domain";
import { domainCreate } from "../hv/domain/create";
import { domainDestroy } from "../hv/domain/destroy";
import { createVcpus } from "../hv/domain/vcpu-create";
import { onEptMisconfig } from "../hv/exits/on-ept-misconfig";
import { onEptViolation } from "../hv/exits/on-ept-violation";
import { storedMsr } from "../hv/exits/stored-msrs";
import { RANGES_UNLIMITED, Rangeset } from "../hv/iocap/rangeset";
import { logDirtyIsMarked, logDirtyMark } from "../hv/logdirty/bitmap";
import { MmLock } from "../hv/mm-lock";
import { p2mCheck, p2mTablesBelow } from "../hv/p2m/check";
import { P2mEntry } from "../hv/p2m/entry";
import { P2m } from "../hv/p2m/p2m";
import { physmapAdd, physmapRemove } from "../hv/p2m/physmap";
import { pinnedSet } from "../hv/p2m/pinned";
import { P2mType } from "../hv/p2m/types";
import { Vcpu } from "../hv/vcpu";
import { Ept } from "../hw/ept-walk";
import { BLOCKED_BY_NMI } from "../hw/system-flags";
import { TLB_EMPTY, Tlb } from "../hw/tlb";
import { allocFrame, freeFrames as countFree } from "../mem/allocator";
import { FRAME_XEN_HEAP, Frame } from "../mem/frame-table";
import { machineInit } from "../run/machine-init";

/** A machine with dom0 and one domain with one vCPU, whose TLB is looked at as if it had run. @returns its slot. */
export function setup(frames: u32, superpages: u32): i32 {
  Knobs.set(KNOB_P2M_SUPERPAGES, superpages);
  Knobs.set(KNOB_TLB_ENTRIES, 16);
  if (machineInit(frames, 1) != 0) return -1;
  return addDomain();
}

function addDomain(): i32 {
  const slot = domainCreate(1, 1, 100);
  const d = Domain.at(slot);
  d.pagingPool = 0xffff;
  createVcpus(d);
  Vcpu.at(d.firstVcpu).initialised = 1;
  return slot;
}

/** Destroys the domain and makes another one in its place. @returns the slot of the new one. */
export function renew(slot: u32): i32 {
  domainDestroy(Domain.at(slot));
  return addDomain();
}

export function set(slot: u32, gfn: u64, mfn: u32, order: u32, type: u32, access: u32): i32 {
  return P2m.set(Domain.at(slot), gfn, mfn, order, type, access);
}

export function lookup(slot: u32, gfn: u64): u32 {
  return P2m.lookup(Domain.at(slot), gfn, 0);
}

export function lookupMfn(slot: u32): u32 {
  return Domain.at(slot).lookupMfn;
}

export function lookupAccess(slot: u32): u32 {
  return Domain.at(slot).lookupAccess;
}

export function lookupOrder(slot: u32): u32 {
  return Domain.at(slot).lookupOrder;
}

export function changeTypeOne(slot: u32, gfn: u64, from: u32, to: u32): i32 {
  return P2m.changeTypeOne(Domain.at(slot), gfn, from, to);
}

/** What the hardware finds at the same address: rights in bits 2:0, machine frame from bit 12 on. */
export function hardware(slot: u32, gfn: u64): u64 {
  return Ept.walk(Domain.at(slot).p2mRoot, gfn << 12);
}

export function setPool(slot: u32, tables: u32): void {
  Domain.at(slot).pagingPool = tables;
}

export function tables(slot: u32): u32 {
  return Domain.at(slot).p2mTables;
}

export function maxMapped(slot: u32): u64 {
  return Domain.at(slot).p2mMaxMapped;
}

/** Puts a translation into the vCPU's TLB and says whether it is still there. */
export function fillTlb(slot: u32): void {
  Tlb.fill(Vcpu.at(Domain.at(slot).firstVcpu).cpu, 0x1000, 0, 1, 0);
}

export function isTlbEmpty(slot: u32): bool {
  return Tlb.entry(Vcpu.at(Domain.at(slot).firstVcpu).cpu, 0x1000).tag == TLB_EMPTY;
}

export function freeFrames(): u32 {
  return countFree();
}

export function destroy(slot: u32): void {
  domainDestroy(Domain.at(slot));
}

/** Broken invariants of the domain, one bit each (hv/p2m/check.ts); 0 = none. */
export function check(slot: u32): u32 {
  return p2mCheck(Domain.at(slot));
}

/** Number of tables reachable from the root. */
export function audit(slot: u32): u32 {
  return p2mTablesBelow(Domain.at(slot).p2mRoot, 4);
}

export function changeTypeGlobal(slot: u32, from: u32, to: u32): void {
  P2m.changeEntryTypeGlobal(Domain.at(slot), from, to);
}

export function changeTypeRange(slot: u32, start: u64, end: u64, from: u32, to: u32): void {
  P2m.changeTypeRange(Domain.at(slot), start, end, from, to);
}

export function finishTypeChange(slot: u32, first: u64, count: u64): i32 {
  return P2m.finishTypeChange(Domain.at(slot), first, count);
}

export function resolve(slot: u32, gfn: u64): i32 {
  const d = Domain.at(slot);
  P2m.lock(d);
  const rc = P2m.resolve(d, gfn);
  P2m.unlock(d);
  return rc;
}

export function memoryTypesRecalculate(slot: u32): void {
  P2m.memoryTypesRecalculate(Domain.at(slot));
}

/** The raw entry at a level on the way to `gfn`, 0 when the walk ends above it. */
export function entryAt(slot: u32, gfn: u64, level: u32): u64 {
  let table = Domain.at(slot).p2mRoot;
  for (let at: u32 = 4; at > level; at--) {
    const entry = P2mEntry.read(table, P2mEntry.index(gfn, at));
    if (!Epte.isPresent(entry) || Epte.isLeafBit(entry)) return 0;
    table = Epte.mfn(entry);
  }
  return P2mEntry.read(table, P2mEntry.index(gfn, level));
}

/** Gives the ioreq_server type a server (any number but 0) with the flags, or takes it away. */
export function setTypeServer(slot: u32, server: u32, flags: u32): void {
  const d = Domain.at(slot);
  d.p2mIoreqServer = server;
  d.p2mIoreqFlags = flags;
}

export function ioreqEntries(slot: u32): u64 {
  return Domain.at(slot).p2mIoreqEntries;
}

export function isSpuriousExpected(slot: u32): u32 {
  return Vcpu.at(Domain.at(slot).firstVcpu).eptSpuriousMisconfig;
}

/** One access by the guest's processor at `gfn`, as far as exits are concerned: resolves, or answers the violation's verdict. */
export function misconfigExit(slot: u32, gfn: u64): u32 {
  const v = Vcpu.at(Domain.at(slot).firstVcpu);
  v.cpu.exitGpa = gfn << 12;
  return onEptMisconfig(v);
}

/** @param qualification exit qualification. @returns the verdict. */
export function violationExit(slot: u32, gfn: u64, qualification: u32): u32 {
  const v = Vcpu.at(Domain.at(slot).firstVcpu);
  v.cpu.exitGpa = gfn << 12;
  v.cpu.exitQualification = qualification;
  return onEptViolation(v);
}

export function crashReason(slot: u32): u32 {
  return Domain.at(slot).crashReason;
}

/** Gives the domain an I/O permission, so that its MTRRs count, or takes it away. */
export function setIoPermission(slot: u32, has: u32): void {
  const d = Domain.at(slot);
  if (d.iomemCaps == 0) d.iomemCaps = Rangeset.create(RANGES_UNLIMITED);
  if (has != 0) Rangeset.add(d.iomemCaps, 0xfee00, 0xfee00);
  else Rangeset.remove(d.iomemCaps, 0xfee00, 0xfee00);
}

export function setDefaultMtrr(slot: u32, value: u64): void {
  Vcpu.at(Domain.at(slot).firstVcpu).msrMtrrDefType = value;
}

export function setVariableMtrr(slot: u32, index: u32, base: u64, mask: u64): void {
  const v = Vcpu.at(Domain.at(slot).firstVcpu);
  store<u64>(storedMsr(v, 0x200 + 2 * index), base);
  store<u64>(storedMsr(v, 0x201 + 2 * index), mask);
}

export function setNxSuperpages(value: u32): void {
  Knobs.set(KNOB_EPT_NX_SUPERPAGES, value);
}

export function counter(index: i32): u64 {
  return load<u64>(COUNTERS_BASE + (index << 3));
}

/** Fixes the memory type of gfns (DMOP_pin_memory_cacheattr). @returns errno. */
export function pin(slot: u32, start: u64, end: u64, type: u32): i32 {
  return pinnedSet(Domain.at(slot), start, end, type);
}

/** Marks 2^order frames as the hypervisor's own, or takes the mark away. */
export function setXenHeap(mfn: u32, count: u32, has: u32): void {
  for (let i: u32 = 0; i < count; i++) {
    const frame = Frame.at(mfn + i);
    frame.flags = has != 0 ? frame.flags | FRAME_XEN_HEAP : frame.flags & ~FRAME_XEN_HEAP;
  }
}

/** One byte of a fixed-range MTRR: `msr` from 0x250 on. */
export function setFixedMtrr(slot: u32, msr: u32, value: u64): void {
  store<u64>(storedMsr(Vcpu.at(Domain.at(slot).firstVcpu), msr), value);
}

/** Takes one lock of the domain (MM_* of hv/mm-lock.ts), then another, and lets go of both. */
export function takeLocks(slot: u32, first: u32, second: u32): void {
  const d = Domain.at(slot);
  MmLock.acquire(d, first);
  MmLock.acquire(d, second);
  MmLock.release(d, second);
  MmLock.release(d, first);
}

/** p2m_add_page, p2m_remove_page and guest_remove_page (hv/p2m/physmap.ts). */
export function addPage(slot: u32, gfn: u64, mfn: u32, order: u32): i32 {
  return physmapAdd(Domain.at(slot), gfn, mfn, order);
}

export function removePage(slot: u32, gfn: u64, mfn: u32): i32 {
  return physmapRemove(Domain.at(slot), gfn, mfn);
}

/** The first free frame, which the domain owns from now on. */
export function ownFrame(slot: u32): u32 {
  return allocFrame(slot, 0);
}

/** gfn of a frame in the machine-to-physical table. */
export function m2p(mfn: u32): u64 {
  return Frame.at(mfn).m2p;
}

export function mapcacheInvalidate(slot: u32): u32 {
  return Vcpu.at(Domain.at(slot).firstVcpu).mapcacheInvalidate;
}

/** As `lookup`, with P2M_ALLOC and P2M_UNSHARE in `q`. */
export function lookupWith(slot: u32, gfn: u64, q: u32): u32 {
  return P2m.lookup(Domain.at(slot), gfn, q);
}

/** A TLB entry of the domain's vCPU for `gfn` that leads to `mfn`, with all rights. */
export function cache(slot: u32, gfn: u64, mfn: u32): void {
  Tlb.fill(Vcpu.at(Domain.at(slot).firstVcpu).cpu, gfn << 12, 0, mfn, 0);
}

export function setLogDirtyMode(slot: u32, mode: u32): void {
  Domain.at(slot).logDirtyMode = mode;
}

export function markDirty(slot: u32, gfn: u64): void {
  logDirtyMark(Domain.at(slot), gfn);
}

/** The domain is being torn down from now on. */
export function setDying(slot: u32): void {
  Domain.at(slot).state = DOMAIN_DYING;
}

export function isMarkedDirty(slot: u32, gfn: u64): bool {
  return logDirtyIsMarked(Domain.at(slot), gfn);
}

/** Stores an entry as no code does it: what the checker finds. */
export function corrupt(slot: u32, gfn: u64, level: u32, entry: u64): void {
  let table = Domain.at(slot).p2mRoot;
  for (let at: u32 = 4; at > level; at--) table = Epte.mfn(P2mEntry.read(table, P2mEntry.index(gfn, at)));
  store<u64>(Frame.host(table) + ((<usize>P2mEntry.index(gfn, level)) << 3), entry);
}

export function setMaxMapped(slot: u32, gfn: u64): void {
  Domain.at(slot).p2mMaxMapped = gfn;
}

export function setIoreqEntries(slot: u32, count: u64): void {
  Domain.at(slot).p2mIoreqEntries = count;
}

/** Classes of a type, one bit each: RAM, any RAM, hole, read-only, discards writes, MMIO, special, changeable, needs no frame. */
export function classesOf(type: u32): u32 {
  return (
    <u32>P2mType.isRam(type) |
    ((<u32>P2mType.isAnyRam(type)) << 1) |
    ((<u32>P2mType.isHole(type)) << 2) |
    ((<u32>P2mType.isReadOnly(type)) << 3) |
    ((<u32>P2mType.isDiscardWrite(type)) << 4) |
    ((<u32>P2mType.isMmio(type)) << 5) |
    ((<u32>P2mType.isSpecial(type)) << 6) |
    ((<u32>P2mType.isChangeable(type)) << 7) |
    ((<u32>P2mType.allowsInvalidMfn(type)) << 8)
  );
}

/** Where the local APIC's page is (IA32_APIC_BASE). */
export function setApicBase(slot: u32, value: u64): void {
  Vcpu.at(Domain.at(slot).firstVcpu).apicBase = value;
}

/** An event was being delivered when the exit happened. */
export function setIdtVectoring(slot: u32, value: u32): void {
  Vcpu.at(Domain.at(slot).firstVcpu).cpu.exitIdtVectoring = value;
}

/** The event that the next entry delivers. */
export function entryEvent(slot: u32): u32 {
  return Vcpu.at(Domain.at(slot).firstVcpu).cpu.entryEvent;
}

/** A lock that somebody forgot. */
export function leaveLocked(slot: u32): void {
  P2m.lock(Domain.at(slot));
}

/** NMIs wait until the handler of the last one is over. */
export function isNmiBlocked(slot: u32): bool {
  return (Vcpu.at(Domain.at(slot).firstVcpu).cpu.interruptibility & BLOCKED_BY_NMI) != 0;
}
