/**
 * Lazy recalculation (spec 02 section 2.4). Entries are made invalid on purpose, at first only those of the root; whoever touches
 * a page then gets an EPT misconfiguration, and `resolveMisconfig` repairs the path to it, level by level: an invalid pointer to a
 * table becomes valid again after its 512 children have become invalid, until the leaves get their new type.
 *
 * Before: exits/on-ept-misconfig.ts, p2m/set.ts. The bulk changes that make entries invalid: p2m/bulk.ts. Caller holds the p2m lock.
 */
import { CTR_P2M_INVALIDATED, CTR_P2M_RESOLVED_ENTRIES, CTR_P2M_RESOLVES } from "../../abi/counters";
import { EMT_INVALID, EPTE_EMT_SHIFT } from "../../abi/ept";
import { OK } from "../../abi/errno";
import { P2M_IOREQ_SERVER, P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { W_P2M_CHILDREN_INVALID } from "../../abi/windows";
import { Count } from "../../base/counters";
import { EPTE_EMT_MASK, EPTE_RECALC, Epte } from "../../base/epte";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { P2mEntry } from "./entry";
import { EMT_MIXED, MemoryType } from "./memory-type";
import { LOGDIRTY_ALL, LOGDIRTY_SOME, logDirtyState, recalcType } from "./recalc-type";
import { splitLeaf } from "./split";
import { P2mType } from "./types";

const INVALID_EMT: u64 = (<u64>EMT_INVALID) << EPTE_EMT_SHIFT;

/**
 * Makes one entry invalid; `recalc` asks for its type to be recomputed as well (0 or EPTE_RECALC). Entries that are not present
 * stay as they are: nobody can reach them without the hypervisor looking first.
 *
 * @returns whether it changed: then the TLBs have to be flushed.
 */
export function invalidateEntry(table: u32, index: u32, recalc: u64): bool {
  const entry = P2mEntry.read(table, index);
  if (!Epte.isPresent(entry) || !P2mEntry.isValid(entry)) return false;
  if (Epte.isInvalidated(entry) && ((entry & EPTE_RECALC) != 0 || recalc == 0)) return false;
  store<u64>(Frame.host(table) + ((<usize>index) << 3), entry | INVALID_EMT | recalc);
  Count.one(CTR_P2M_INVALIDATED);
  return true;
}

/** All 512 entries of one table. */
export function invalidateSubtree(table: u32, recalc: u64): bool {
  let changed = false;
  for (let i: u32 = 0; i < 512; i++) {
    if (invalidateEntry(table, i, recalc)) changed = true;
  }
  return changed;
}

/** Repairs every invalid entry of a level-1 table. `gfn` is any of its gfns. */
function resolveTable(d: Domain, table: u32, gfn: u64): void {
  const first = gfn & ~(<u64>511);
  for (let i: u32 = 0; i < 512; i++) {
    const old = P2mEntry.read(table, i);
    if (!P2mEntry.isValid(old) || !Epte.isPresent(old)) continue;
    const type = Epte.type(old);
    const now = recalcType(d, (old & EPTE_RECALC) != 0, type, first + i);
    let entry = P2mEntry.withMemoryType(old, MemoryType.of(d, first + i, Epte.mfn(old), 0, now)) & ~EPTE_RECALC;
    if (now != type) {
      entry = P2mEntry.withType(d, entry, 1, now);
      if (type == <u32>P2M_IOREQ_SERVER) d.p2mIoreqEntries--;
    }
    if (entry == old) continue;
    store<u64>(Frame.host(table) + ((<usize>i) << 3), entry);
    Count.one(CTR_P2M_RESOLVED_ENTRIES);
  }
}

/** Repairs an invalid superpage, unless it has to be split. @returns whether it is valid now. */
function resolveSuperpage(d: Domain, table: u32, index: u32, level: u32, gfn: u64): bool {
  const old = P2mEntry.read(table, index);
  const order = 9 * (level - 1);
  const first = (gfn >> order) << order;
  let type = Epte.type(old);
  const memoryType = MemoryType.of(d, first, Epte.mfn(old), order, type);
  if (memoryType == EMT_MIXED) return false;
  const stale = (old & EPTE_RECALC) != 0 && P2mType.isChangeable(type);
  let entry = P2mEntry.withMemoryType(old, memoryType) & ~EPTE_RECALC;
  if (stale) {
    const state = logDirtyState(d, first, first + ((<u64>1) << order) - 1);
    if (state == LOGDIRTY_SOME) return false;
    type = state == LOGDIRTY_ALL ? P2M_RAM_LOGDIRTY : P2M_RAM_RW;
    entry = P2mEntry.withType(d, entry, level, type);
  }
  P2mEntry.write(d, table, index, entry, first, order);
  Count.one(CTR_P2M_RESOLVED_ENTRIES);
  return true;
}

/** Every vCPU may be on its way into the hypervisor because of an entry that is repaired now. */
function expectSpurious(d: Domain): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) Vcpu.at(d.firstVcpu + id).eptSpuriousMisconfig = 1;
}

/**
 * Repairs the path to `gfn`.
 * @returns 1 when something was repaired, 0 when nothing had to be, -ENOMEM when a superpage could not be split.
 */
export function resolveMisconfig(d: Domain, gfn: u64): i32 {
  let table = d.p2mRoot;
  if (table == 0 || gfn >> 36 != 0) return 0;
  let level: u32 = 4;
  let result: i32 = 0;
  while (true) {
    const index = P2mEntry.index(gfn, level);
    const entry = P2mEntry.read(table, index);
    if (level == 1) {
      if (Epte.isInvalidated(entry)) {
        resolveTable(d, table, gfn);
        result = 1;
      }
      break;
    }
    if (Epte.isLeafBit(entry)) {
      if (!Epte.isInvalidated(entry)) break;
      if (resolveSuperpage(d, table, index, level, gfn)) {
        result = 1;
        break;
      }
      const error = splitLeaf(d, table, index, level, gfn);
      if (error != OK) {
        result = error;
        break;
      }
      result = 1;
    } else if (Epte.isInvalidated(entry)) {
      invalidateSubtree(Epte.mfn(entry), entry & EPTE_RECALC);
      Window.at(W_P2M_CHILDREN_INVALID, Frame.host(table) + ((<usize>index) << 3), ACCESS_WRITE);
      store<u64>(Frame.host(table) + ((<usize>index) << 3), entry & ~(EPTE_EMT_MASK | EPTE_RECALC));
      result = 1;
    } else if (!Epte.isPresent(entry)) {
      break;
    }
    table = Epte.mfn(P2mEntry.read(table, index));
    level--;
  }
  if (result == 0) return 0;
  Count.one(CTR_P2M_RESOLVES);
  expectSpurious(d);
  return result;
}
