/** Unit-test build: the p2m of one domain (test/hv/p2m.test.ts). Not part of any shipped build. */
import "../base/abort";
import { KNOB_P2M_SUPERPAGES, KNOB_TLB_ENTRIES } from "../abi/knobs";
import { EPTE_RWX, Epte } from "../base/epte";
import { Knobs } from "../base/machine";
import { Domain } from "../hv/domain";
import { domainCreate } from "../hv/domain/create";
import { domainDestroy } from "../hv/domain/destroy";
import { createVcpus } from "../hv/domain/vcpu-create";
import { P2mEntry } from "../hv/p2m/entry";
import { P2m } from "../hv/p2m/p2m";
import { P2mType } from "../hv/p2m/types";
import { Vcpu } from "../hv/vcpu";
import { Ept } from "../hw/ept-walk";
import { TLB_EMPTY, Tlb } from "../hw/tlb";
import { freeFrames as countFree } from "../mem/allocator";
import { machineInit } from "../run/machine-init";

/** A machine with dom0 and one domain with one vCPU, whose TLB is looked at as if it had run. @returns its slot. */
export function setup(frames: u32, superpages: u32): i32 {
  Knobs.set(KNOB_P2M_SUPERPAGES, superpages);
  Knobs.set(KNOB_TLB_ENTRIES, 16);
  if (machineInit(frames, 1) != 0) return -1;
  const slot = domainCreate(1, 1, 100);
  const d = Domain.at(slot);
  d.pagingPool = frames;
  createVcpus(d);
  Vcpu.at(d.firstVcpu).initialised = 1;
  return slot;
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

/** Tables reachable from the root; all ones when a present leaf breaks invariant P-1 or P-2 (spec 01 section 1.10). */
export function audit(slot: u32): u32 {
  return auditTable(Domain.at(slot), Domain.at(slot).p2mRoot, 4);
}

function auditTable(d: Domain, table: u32, level: u32): u32 {
  let count: u32 = 1;
  for (let i: u32 = 0; i < 512; i++) {
    const entry = P2mEntry.read(table, i);
    if (!Epte.isPresent(entry)) continue;
    if (level > 1 && !Epte.isLeafBit(entry)) {
      const below = auditTable(d, Epte.mfn(entry), level - 1);
      if (below == 0xffff_ffff) return below;
      count += below;
    } else if (!isLeafRight(d, entry)) {
      return 0xffff_ffff;
    }
  }
  return count;
}

function isLeafRight(d: Domain, entry: u64): bool {
  const emt = Epte.emt(entry);
  if (emt == 2 || emt == 3 || emt == 7) return false;
  const rights = P2mType.permissions(Epte.type(entry), d.p2mIoreqFlags) & P2mType.accessMask(Epte.access(entry));
  return (entry & EPTE_RWX) == rights;
}
