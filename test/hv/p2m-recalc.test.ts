/** EPT flags of every type and access, and lazy recalculation step by step (spec 01 sections 1.1 to 1.7, spec 02 section 2.4). */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  CTR_P2M_FLUSHES,
  CTR_P2M_INVALIDATED,
  CTR_P2M_RESOLVED_ENTRIES,
  CTR_P2M_SPLITS,
  CTR_P2M_SPURIOUS,
} from "../../hv-core/abi/counters.ts";
import { CRASH_EPT_MISCONFIG, CRASH_NO_TABLE } from "../../hv-core/abi/crash.ts";
import { EINVAL, ENOMEM } from "../../hv-core/abi/errno.ts";
import * as t from "../../hv-core/abi/p2m-types.ts";
import { FRAMES, INVALID_MFN, MISCONFIG, type P2mExports, startP2m } from "./p2m-exports.ts";
import { rightsOf } from "./p2m-rights.ts";

const RWX = t.P2M_ACCESS_RWX;
const RETRY = 1;
const CRASH = 4;
const emt = (e: bigint): number => Number((e >> 3n) & 7n);
const ipat = (e: bigint): boolean => (e & 64n) !== 0n;
const recalc = (e: bigint): boolean => (e & 1024n) !== 0n;
const typeOf = (e: bigint): number => Number((e >> 52n) & 63n);
const rights = (e: bigint): number => Number(e & 7n);

let p2m: P2mExports;
let slot: number;
beforeAll(async () => {
  ({ p2m, slot } = await startP2m());
});
beforeEach(() => {
  slot = p2m.renew(slot);
  p2m.setNxSuperpages(0);
});

const map = (gfn: number, order = 0, type: number = t.P2M_RAM_RW, access: number = RWX, mfn = 0x40000 + gfn): void =>
  expect(p2m.set(slot, BigInt(gfn), mfn, order, type, access)).toBe(0);
const entry = (gfn: number, level = 1): bigint => BigInt.asUintN(64, p2m.entryAt(slot, BigInt(gfn), level));
const hardware = (gfn: number): bigint => BigInt.asUintN(64, p2m.hardware(slot, BigInt(gfn)));
const isMisconfigured = (gfn: number): boolean => (hardware(gfn) & MISCONFIG) !== 0n;
const lookup = (gfn: number): number => p2m.lookup(slot, BigInt(gfn));
/** How much counters grow during `body`. */
function counted(counters: readonly number[], body: () => void): number[] {
  const before = counters.map((c) => p2m.counter(c));
  body();
  return counters.map((c, i) => Number(p2m.counter(c) - before[i]!));
}

describe("flags", () => {
  const types = Object.entries(t).filter(([name]) => /^P2M_(?!ACCESS|ALLOC|UNSHARE)/.test(name));
  const accesses = Object.entries(t).filter(([name]) => name.startsWith("P2M_ACCESS_"));
  it.each(types)("%s has the rights of the tables under every access, at every size", (_, type) => {
    p2m.setTypeServer(slot, 1, 2);
    for (const [name, access] of accesses)
      for (const [gfn, order, level] of [
        [0x10, 0, 1],
        [0x200, 9, 2],
        [0x40000, 18, 3],
      ] as const) {
        if ((type === t.P2M_MAP_FOREIGN || type === t.P2M_IOREQ_SERVER || type === t.P2M_INVALID) && order > 0)
          continue;
        map(gfn, order, type, access, type === t.P2M_MAP_FOREIGN ? 1 : 0x40000);
        const e = entry(gfn, level);
        expect([name, rights(e)]).toEqual([name, rightsOf(type, access, 2)]);
        const isWritable = (rights(e) & 2) !== 0;
        expect((e & 256n) !== 0n).toBe(rights(e) !== 0); // accessed
        expect((e & 512n) !== 0n).toBe(isWritable && type !== t.P2M_RAM_LOGDIRTY); // dirty
        expect((e & 128n) !== 0n).toBe(level > 1);
        if (rights(e) !== 0) expect([emt(e), ipat(e)]).toEqual(type === t.P2M_MMIO_DIRECT ? [0, false] : [6, true]);
        expect(e >> 63n).toBe(1n);
      }
    expect(p2m.check(slot)).toBe(0);
  });

  it("writes to the ioreq_server type go to its server only if it wants them", () => {
    p2m.setTypeServer(slot, 1, 0);
    map(5, 0, t.P2M_IOREQ_SERVER);
    expect(rights(entry(5))).toBe(3);
    // One that asks for reads (knob type.read) gets everything.
    p2m.setTypeServer(slot, 1, 1);
    map(6, 0, t.P2M_IOREQ_SERVER);
    expect(rights(entry(6))).toBe(0);
  });

  it("superpages are not executable with the mitigation after a recalculation either", () => {
    p2m.setNxSuperpages(1);
    map(0x200, 9);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect([p2m.resolve(slot, 0x200n), rights(entry(0x200, 2))]).toEqual([1, 1]);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_LOGDIRTY, t.P2M_RAM_RW);
    expect([p2m.resolve(slot, 0x200n), rights(entry(0x200, 2))]).toEqual([1, 3]);
    expect(p2m.check(slot)).toBe(0);
  });

  it("superpages are not executable with the mitigation; a fetch splits them", () => {
    p2m.setNxSuperpages(1);
    map(0x200, 9);
    expect(rights(entry(0x200, 2))).toBe(3);
    expect(p2m.violationExit(slot, 0x205n, 4 | (3 << 3) | (3 << 7))).toBe(RETRY);
    expect(rights(entry(0x205))).toBe(7);
    expect([lookup(0x205), p2m.lookupMfn(slot)]).toEqual([t.P2M_RAM_RW, 0x40205]);
    expect(p2m.check(slot)).toBe(0);
  });
});

describe("memory types", () => {
  it("are write-back, whatever the guest's MTRRs say, for a domain without I/O", () => {
    p2m.setDefaultMtrr(slot, 0x800n);
    map(5);
    expect([emt(entry(5)), ipat(entry(5))]).toEqual([6, true]);
  });

  it("are recomputed without a word about the types of pages", () => {
    map(0x400, 0, t.P2M_RAM_LOGDIRTY);
    map(0x600, 9, t.P2M_RAM_LOGDIRTY);
    p2m.memoryTypesRecalculate(slot);
    expect([p2m.resolve(slot, 0x400n), p2m.resolve(slot, 0x600n)]).toEqual([1, 1]);
    expect([lookup(0x400), lookup(0x600)]).toEqual([t.P2M_RAM_LOGDIRTY, t.P2M_RAM_LOGDIRTY]);
    expect([rights(entry(0x400)), rights(entry(0x600, 2))]).toEqual([5, 5]);
  });

  it("follow the MTRRs once the domain may reach I/O, lazily, and go back when it may not", () => {
    p2m.setDefaultMtrr(slot, 0x806n);
    map(0x400);
    p2m.setIoPermission(slot, 1);
    p2m.setVariableMtrr(slot, 0, 0x400001n, 0xffff_ffff_f800n);
    p2m.memoryTypesRecalculate(slot);
    expect(isMisconfigured(0x400)).toBe(true);
    expect(p2m.resolve(slot, 0x400n)).toBe(1);
    expect([emt(entry(0x400)), ipat(entry(0x400)), typeOf(entry(0x400))]).toEqual([1, false, t.P2M_RAM_RW]);
    p2m.setIoPermission(slot, 0);
    p2m.memoryTypesRecalculate(slot);
    p2m.resolve(slot, 0x400n);
    expect([emt(entry(0x400)), ipat(entry(0x400))]).toEqual([6, true]);
  });

  it("that differ inside a superpage are stored as invalid, and the first touch splits it", () => {
    p2m.setDefaultMtrr(slot, 0x806n);
    p2m.setIoPermission(slot, 1);
    p2m.setVariableMtrr(slot, 0, 0x401000n, 0xffff_ffff_f800n); // uncached: one page
    map(0x400, 9);
    expect(emt(entry(0x400, 2))).toBe(7);
    expect(p2m.resolve(slot, 0x401n)).toBe(1);
    expect([emt(entry(0x401)), emt(entry(0x402))]).toEqual([0, 6]);
    expect(p2m.check(slot)).toBe(0);
  });

  it("survive MTRRs with types that do not exist", () => {
    p2m.setIoPermission(slot, 1);
    for (const def of [0x802n, 0x803n, 0x807n, 0n]) {
      p2m.setDefaultMtrr(slot, def);
      map(5, 0, t.P2M_RAM_RW, RWX, 0x50000 + Number(def));
      expect(emt(entry(5))).toBe(0);
    }
  });
});

describe("change_entry_type_global", () => {
  it("touches the root only; a touch repairs level by level and tells the other vCPUs", () => {
    map(0x10);
    map(0x12, 0, t.P2M_RAM_RO);
    map(0x210);
    const work = counted([CTR_P2M_INVALIDATED, CTR_P2M_FLUSHES], () =>
      p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY),
    );
    expect(work).toEqual([1, 1]);
    expect([emt(entry(0x10, 4)), recalc(entry(0x10, 4)), emt(entry(0x10, 3))]).toEqual([7, true, 0]);
    expect([lookup(0x10), typeOf(entry(0x10)), rights(entry(0x10))]).toEqual([t.P2M_RAM_LOGDIRTY, t.P2M_RAM_RW, 7]);
    expect(p2m.isSpuriousExpected(slot)).toBe(0);

    const repair = counted([CTR_P2M_RESOLVED_ENTRIES, CTR_P2M_FLUSHES], () => expect(p2m.resolve(slot, 0x10n)).toBe(1));
    expect(repair).toEqual([2, 0]); // both entries of that table, no flush: invalid entries are never cached
    for (const level of [4, 3, 2]) expect([emt(entry(0x10, level)), recalc(entry(0x10, level))]).toEqual([0, false]);
    expect([typeOf(entry(0x10)), rights(entry(0x10)), typeOf(entry(0x12))]).toEqual([
      t.P2M_RAM_LOGDIRTY,
      5,
      t.P2M_RAM_RO,
    ]);
    expect([emt(entry(0x210, 2)), isMisconfigured(0x210)]).toEqual([7, true]);
    expect(p2m.isSpuriousExpected(slot)).toBe(1);
    expect(p2m.resolve(slot, 0x10n)).toBe(0);
    expect(p2m.check(slot)).toBe(0);
  });

  it("costs 512 entries at most, and nothing twice", () => {
    for (let i = 0; i < 16; i++) map(i * 0x40000, 18);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    const again = counted([CTR_P2M_INVALIDATED, CTR_P2M_FLUSHES], () =>
      p2m.changeTypeGlobal(slot, t.P2M_RAM_LOGDIRTY, t.P2M_RAM_RW),
    );
    expect(again).toEqual([0, 0]);
    expect(lookup(5)).toBe(t.P2M_RAM_RW);
  });

  it("keeps superpages, at both sizes", () => {
    map(0x200, 9);
    map(0x40000, 18);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect(counted([CTR_P2M_SPLITS], () => [0x200n, 0x40000n].map((g) => p2m.resolve(slot, g)))).toEqual([0]);
    expect([rights(entry(0x200, 2)), rights(entry(0x40000, 3))]).toEqual([5, 5]);
  });

  it("equal types: everything is looked at again, the mode stays", () => {
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    map(5);
    expect(lookup(5)).toBe(t.P2M_RAM_RW);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_RW);
    expect(lookup(5)).toBe(t.P2M_RAM_LOGDIRTY);
  });

  it("passes over entries without rights (as in Xen)", () => {
    map(5, 0, t.P2M_RAM_RW, t.P2M_ACCESS_N);
    map(6);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect(lookup(5)).toBe(t.P2M_RAM_LOGDIRTY);
    p2m.resolve(slot, 6n);
    expect(lookup(5)).toBe(t.P2M_RAM_RW);
  });
});

describe("the ioreq_server type", () => {
  beforeEach(() => {
    p2m.setTypeServer(slot, 1, 2);
    map(5, 0, t.P2M_IOREQ_SERVER);
    map(6, 0, t.P2M_IOREQ_SERVER);
  });

  it("stays while it has a server, and is counted down as it goes", () => {
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    p2m.resolve(slot, 5n);
    expect([typeOf(entry(5)), p2m.ioreqEntries(slot)]).toEqual([t.P2M_IOREQ_SERVER, 2n]);
    p2m.setTypeServer(slot, 0, 0);
    p2m.changeTypeGlobal(slot, t.P2M_IOREQ_SERVER, t.P2M_RAM_RW);
    expect([lookup(5), p2m.ioreqEntries(slot)]).toEqual([t.P2M_RAM_RW, 2n]);
    expect(isMisconfigured(5)).toBe(true); // after an unmap: no violation, only misconfigurations
    p2m.resolve(slot, 5n);
    expect([typeOf(entry(5)), rights(entry(6)), p2m.ioreqEntries(slot)]).toEqual([t.P2M_RAM_RW, 7, 0n]);
    expect(p2m.check(slot)).toBe(0);
  });

  it("leaves with a table that a superpage replaces", () => {
    map(0, 9);
    expect([p2m.ioreqEntries(slot), p2m.check(slot)]).toEqual([0n, 0]);
  });

  it("S-1: without server and without recalculation the checker says P-11", () => {
    p2m.setTypeServer(slot, 0, 0);
    expect(p2m.check(slot)).toBe(1 << 10);
  });
});

describe("change_type_range", () => {
  it("makes exactly the range invalid and splits superpages at its ends", () => {
    map(0x200, 9);
    map(0x400, 9);
    map(0x600, 9);
    const work = counted([CTR_P2M_SPLITS, CTR_P2M_FLUSHES], () =>
      p2m.changeTypeRange(slot, 0x2f0n, 0x610n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY),
    );
    expect(work).toEqual([2, 1]);
    expect([0x2ef, 0x2f0, 0x500, 0x60f, 0x610].map(lookup)).toEqual([0, 2, 2, 2, 0]);
    expect([0x2ef, 0x2f0, 0x500, 0x60f, 0x610].map(isMisconfigured)).toEqual([false, true, true, true, false]);
    expect(p2m.finishTypeChange(slot, 0x200n, 0x600n)).toBe(0);
    expect([0x2ef, 0x2f0, 0x500, 0x60f, 0x610].map(isMisconfigured)).toEqual([false, false, false, false, false]);
    expect(rights(entry(0x500, 2))).toBe(5);
    p2m.changeTypeRange(slot, 0x2f0n, 0x610n, t.P2M_RAM_LOGDIRTY, t.P2M_RAM_RW);
    expect([0x2f0, 0x500, 0x60f].map(lookup)).toEqual([0, 0, 0]);
    expect(p2m.check(slot)).toBe(0);
  });

  it("a superpage that is only partly tracked splits at its first touch", () => {
    map(0, 18);
    p2m.changeTypeRange(slot, 0x200n, 0x300n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_RW);
    expect(p2m.resolve(slot, 0x250n)).toBe(1);
    expect([0x1ff, 0x200, 0x2ff, 0x300].map(lookup)).toEqual([0, 2, 2, 0]);
    expect(p2m.check(slot)).toBe(0);
  });

  it("one page: only what is tracked changes (S-7)", () => {
    map(5);
    p2m.changeTypeRange(slot, 5n, 6n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect(lookup(5)).toBe(t.P2M_RAM_RW);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_RW);
    expect(lookup(5)).toBe(t.P2M_RAM_LOGDIRTY);
  });

  it("the whole map: as a global change, but new pages are not tracked beyond it", () => {
    map(0);
    map(9);
    p2m.changeTypeRange(slot, 0n, 1n << 40n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect(recalc(entry(0, 4))).toBe(true);
    expect([lookup(0), lookup(9)]).toEqual([2, 2]);
    map(0x100);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_RW);
    expect(lookup(0x100)).toBe(t.P2M_RAM_RW);
  });

  it("ranges that are empty, wrap or lie beyond the map do nothing", () => {
    map(5);
    for (const [start, end] of [
      [5n, 5n],
      [6n, 5n],
      [1n << 50n, 1n << 51n],
      [(1n << 64n) - 1n, 3n],
    ] as const)
      p2m.changeTypeRange(slot, start, end, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect([lookup(5), p2m.crashReason(slot)]).toEqual([t.P2M_RAM_RW, 0]);
  });

  it("crashes the domain when a superpage cannot be split", () => {
    map(0x200, 9);
    map(0x600, 9);
    p2m.setPool(slot, p2m.tables(slot));
    p2m.changeTypeRange(slot, 0x210n, 0x220n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect(p2m.crashReason(slot)).toBe(CRASH_NO_TABLE);
  });
});

describe("exits", () => {
  it("misconfiguration: repaired, spurious after another's repair, or an error", () => {
    map(5);
    map(6);
    expect(p2m.misconfigExit(slot, 5n)).toBe(CRASH);
    expect(p2m.crashReason(slot)).toBe(CRASH_EPT_MISCONFIG);
    slot = p2m.renew(slot);
    map(5);
    map(6);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    p2m.resolve(slot, 5n); // V-7: another vCPU was first
    expect(counted([CTR_P2M_SPURIOUS], () => expect(p2m.misconfigExit(slot, 6n)).toBe(RETRY))).toEqual([1]);
    expect(p2m.misconfigExit(slot, 6n)).toBe(CRASH); // the flag was for one exit
  });

  it("misconfiguration: no frame for a split crashes that domain", () => {
    map(0x200, 9);
    map(0x600);
    p2m.changeTypeRange(slot, 0x400n, 0x402n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_RW);
    p2m.resolve(slot, 0x200n);
    p2m.changeTypeRange(slot, 0x210n, 0x211n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY); // one page: tracked, not split yet
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_RW);
    p2m.setPool(slot, p2m.tables(slot));
    expect(p2m.resolve(slot, 0x210n)).toBe(-ENOMEM);
    expect(p2m.misconfigExit(slot, 0x210n)).toBe(CRASH);
    expect(p2m.crashReason(slot)).toBe(CRASH_NO_TABLE);
  });

  it("V-1: a write to a tracked page makes it writable; another one finds it so", () => {
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    map(0x200, 9, t.P2M_RAM_LOGDIRTY);
    const write = 2 | (5 << 3) | (3 << 7);
    expect(p2m.violationExit(slot, 0x205n, write)).toBe(RETRY);
    expect([rights(entry(0x205)), rights(entry(0x206))]).toEqual([7, 5]);
    expect(p2m.violationExit(slot, 0x205n, write)).toBe(RETRY);
    expect(p2m.check(slot)).toBe(0);
  });

  it("V-6: whatever the type has become since the fault, a RAM page is tried again", () => {
    map(5);
    expect(p2m.violationExit(slot, 5n, 1 | (3 << 7))).toBe(RETRY);
  });
});

describe("flushes", () => {
  it("one for many changes under one lock, none for a page that was not there", () => {
    expect(counted([CTR_P2M_FLUSHES], () => map(0x200, 9))).toEqual([0]);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    expect(counted([CTR_P2M_FLUSHES], () => map(0x210, 4, t.P2M_RAM_RO))).toEqual([1]);
    expect(counted([CTR_P2M_FLUSHES], () => map(0x210, 4, t.P2M_RAM_RO))).toEqual([0]);
    expect(counted([CTR_P2M_FLUSHES], () => p2m.finishTypeChange(slot, 0n, 0x400n))).toEqual([0]);
  });
});

describe("bad input", () => {
  it("special types are never swapped", () => {
    map(5, 0, t.P2M_MMIO_DIRECT, RWX);
    expect(p2m.changeTypeOne(slot, 5n, t.P2M_MMIO_DIRECT, t.P2M_RAM_RW)).toBe(-EINVAL);
    expect(p2m.changeTypeOne(slot, 5n, t.P2M_RAM_RW, t.P2M_MAP_FOREIGN)).toBe(-EINVAL);
  });

  it("a page without a frame keeps none when it is split or looked up", () => {
    expect(p2m.set(slot, 0x200n, INVALID_MFN, 9, t.P2M_MMIO_DIRECT, RWX)).toBe(0);
    expect([lookup(0x234), p2m.lookupMfn(slot) >>> 0]).toEqual([t.P2M_MMIO_DIRECT, INVALID_MFN]);
    map(0x200);
    expect([lookup(0x234), p2m.lookupMfn(slot) >>> 0]).toEqual([t.P2M_MMIO_DIRECT, INVALID_MFN]);
  });

  it("resolving anywhere is harmless", () => {
    for (const gfn of [0n, 1n << 36n, (1n << 64n) - 1n]) expect(p2m.resolve(slot, gfn)).toBe(0);
    expect(p2m.freeFrames()).toBeLessThan(FRAMES);
  });
});
