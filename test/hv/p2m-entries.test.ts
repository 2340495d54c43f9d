/** Classes of types, bits of entries, pieces of requests (spec 01 sections 1.1 to 1.6). */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CTR_P2M_FLUSHES, CTR_P2M_SETS, CTR_P2M_SPLITS } from "../../hv-core/abi/counters.ts";
import { EBUSY, EINVAL, ENOMEM } from "../../hv-core/abi/errno.ts";
import * as t from "../../hv-core/abi/p2m-types.ts";
import { INVALID_MFN, type P2mExports, startP2m } from "./p2m-exports.ts";

const RWX = t.P2M_ACCESS_RWX;
const SVE = 1n << 63n;
let p2m: P2mExports;
let slot: number;
beforeAll(async () => {
  ({ p2m, slot } = await startP2m());
});
beforeEach(() => {
  slot = p2m.renew(slot);
});

const set = (gfn: number, mfn: number, order = 0, type: number = t.P2M_RAM_RW): number =>
  p2m.set(slot, BigInt(gfn), mfn, order, type, RWX);
const entry = (gfn: number, level = 1): bigint => BigInt.asUintN(64, p2m.entryAt(slot, BigInt(gfn), level));
const lookup = (gfn: number): number => p2m.lookup(slot, BigInt(gfn));
function counted(index: number, body: () => void): number {
  const before = p2m.counter(index);
  body();
  return Number(p2m.counter(index) - before);
}

// The table of section 1.1: RAM, Any RAM, Hole, Read-only, Discards writes, MMIO, Special, Changeable, no Frame needed.
it.each([
  ["ram_rw", "RA.....C."],
  ["invalid", "..H......"],
  ["ram_logdirty", "RA.O...C."],
  ["ram_ro", "RA.OD...."],
  ["mmio_dm", "..H..M..."],
  ["mmio_direct", ".....MS.F"],
  ["populate_on_demand", "........F"],
  ["grant_map_rw", ".A....S.."],
  ["grant_map_ro", ".A.OD.S.."],
  ["ram_paging_out", "RA......F"],
  ["ram_paged", "RAH.....F"],
  ["ram_paging_in", "RAH.....F"],
  ["ram_shared", "RA.O....."],
  ["ram_broken", "........."],
  ["map_foreign", ".A....S.."],
  ["ioreq_server", "RA.....C."],
])("%s is of the classes %s", (name, classes) => {
  const number = (t as Readonly<Record<string, number>>)[`P2M_${name.toUpperCase()}`]!;
  const bits = p2m.classesOf(number);
  expect([..."RAHODMSCF"].map((letter, i) => ((bits >> i) & 1 ? letter : ".")).join("")).toBe(classes);
});

describe("entries", () => {
  it("a pointer to a table has all rights, A, rwx, no memory type, and #VE suppressed", () => {
    set(5, 0x40000);
    for (const level of [4, 3, 2]) {
      const e = entry(5, level);
      expect([e & 0xfffn, (e >> 52n) & 63n, (e >> 59n) & 15n, e >> 63n]).toEqual([0x107n, 0n, 7n, 1n]);
    }
  });

  it("an empty slot of a table is not zero: it suppresses #VE", () => {
    set(5, 0x40000);
    expect(entry(6)).toBe(SVE);
    expect(p2m.set(slot, 5n, INVALID_MFN, 0, t.P2M_MMIO_DM, t.P2M_ACCESS_N)).toBe(0);
    expect(entry(5)).toBe(SVE);
  });

  it("keeps what #VE was for the page, whatever becomes of it", () => {
    set(5, 0x40000);
    p2m.corrupt(slot, 5n, 1, entry(5) & ~SVE);
    expect(set(5, 0x40001, 0, t.P2M_RAM_RO)).toBe(0);
    expect(entry(5) >> 63n).toBe(0n);
    p2m.set(slot, 5n, INVALID_MFN, 0, t.P2M_INVALID, t.P2M_ACCESS_N);
    set(5, 0x40002);
    expect(entry(5) >> 63n).toBe(1n);
  });

  it("children of a split say what their parent said, waiting for a recalculation included", () => {
    p2m.setIoPermission(slot, 1);
    p2m.setDefaultMtrr(slot, 0x801n);
    set(0x200, 0x40000, 9);
    p2m.changeTypeRange(slot, 0x200n, 0x400n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    const parent = entry(0x200, 2);
    p2m.changeTypeRange(slot, 0x210n, 0x220n, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    const child = entry(0x205);
    expect([child & 0x438n, (child >> 12n) & 0xfffffn]).toEqual([parent & 0x438n, 0x40005n]);
    expect((child >> 59n) & 15n).toBe((parent >> 59n) & 15n);
    p2m.setIoPermission(slot, 0);
  });
});

describe("requests", () => {
  it("are cut into the largest pieces that gfn, frame and length allow", () => {
    expect(counted(CTR_P2M_SETS, () => expect(set(0x200, 0x40200, 10)).toBe(0))).toBe(2);
    expect(counted(CTR_P2M_SETS, () => expect(set(0x40000, 0x40000, 18)).toBe(0))).toBe(1);
    expect(counted(CTR_P2M_SETS, () => expect(set(0x600, 0x40601, 9)).toBe(0))).toBe(512);
    // The only types that know 4 KiB only.
    p2m.setTypeServer(slot, 1, 2);
    expect(counted(CTR_P2M_SETS, () => expect(set(0xa00, 0x40a00, 9, t.P2M_IOREQ_SERVER)).toBe(0))).toBe(512);
    expect(p2m.check(slot)).toBe(0);
    p2m.setTypeServer(slot, 0, 0);
  });

  it("of another domain's memory are cut into 4 KiB, however they are aligned", () => {
    let first = p2m.ownFrame(slot);
    while (first % 512 !== 0) first = p2m.ownFrame(slot);
    for (let mfn = first + 1; mfn < first + 512; mfn++) expect(p2m.ownFrame(slot)).toBe(mfn);
    expect(set(0x200, first, 9, t.P2M_MAP_FOREIGN)).toBe(0);
    expect([lookup(0x2ff), p2m.lookupOrder(slot), p2m.check(slot)]).toEqual([t.P2M_MAP_FOREIGN, 0, 0]);
  });

  it("a piece that fails does not stop the others: the last error is the answer, success may be partial", () => {
    set(0, 0x40000, 9);
    p2m.setPool(slot, p2m.tables(slot));
    // The first half needs no table, the second one a page directory that there is no frame for.
    expect(p2m.set(slot, 0x3fe00n, 0x50000, 10, t.P2M_RAM_RW, RWX)).toBe(-ENOMEM);
    expect([lookup(0x3fe00), lookup(0x40000)]).toEqual([t.P2M_RAM_RW, t.P2M_MMIO_DM]);
    expect(p2m.check(slot)).toBe(0);
  });

  it("a frame that a foreign mapping cannot hold: -EBUSY, nothing is mapped", () => {
    expect(set(5, 0x40000, 0, t.P2M_MAP_FOREIGN)).toBe(-EBUSY);
    expect(lookup(5)).toBe(t.P2M_MMIO_DM);
    expect(p2m.check(slot)).toBe(0);
  });

  it("a foreign mapping holds its frame, and lets it go when something else comes", () => {
    const mfn = p2m.ownFrame(slot);
    const free = p2m.freeFrames();
    expect(set(5, mfn, 0, t.P2M_MAP_FOREIGN)).toBe(0);
    expect(set(5, mfn, 0, t.P2M_MAP_FOREIGN)).toBe(0); // the same again: one reference
    expect(set(6, mfn, 0, t.P2M_MAP_FOREIGN)).toBe(0);
    expect(p2m.check(slot)).toBe(0);
    expect(set(5, 0x40000)).toBe(0);
    expect(set(6, 0x40000)).toBe(0);
    expect(p2m.check(slot)).toBe(0);
    expect(p2m.freeFrames()).toBeLessThanOrEqual(free);
  });

  it("a superpage over a table frees it after the flush, not before", () => {
    for (let gfn = 0x200; gfn < 0x210; gfn++) set(gfn, 0x40000 + gfn);
    p2m.fillTlb(slot);
    const tables = p2m.tables(slot);
    expect(counted(CTR_P2M_FLUSHES, () => expect(set(0x200, 0x40000, 9)).toBe(0))).toBe(1);
    expect([p2m.tables(slot), p2m.isTlbEmpty(slot)]).toEqual([tables - 1, 1]);
  });

  it("a split whose table cannot be had changes nothing", () => {
    set(0x200, 0x40000, 9);
    p2m.setPool(slot, p2m.tables(slot));
    const before = entry(0x200, 2);
    expect(counted(CTR_P2M_SPLITS, () => expect(set(0x205, 0x111)).toBe(-ENOMEM))).toBe(0);
    expect(entry(0x200, 2)).toBe(before);
  });

  it("apply what is pending on the path first", () => {
    set(5, 0x40000);
    set(6, 0x40001);
    p2m.changeTypeGlobal(slot, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY);
    set(5, 0x40002, 0, t.P2M_RAM_RO);
    expect([(entry(5, 4) >> 3n) & 7n, (entry(6) >> 52n) & 63n]).toEqual([0n, 2n]);
  });

  it("bad ones: beyond four levels, wrapped, too large, a dead domain", () => {
    for (const [gfn, order] of [
      [1n << 36n, 0],
      [(1n << 36n) - 1n, 1],
      [(1n << 64n) - 1n, 0],
      [0n, 21],
      [0n, 0xffff_ffff],
    ] as const)
      expect(p2m.set(slot, gfn, 0x40000, order, t.P2M_RAM_RW, RWX)).toBe(-EINVAL);
    expect(p2m.check(slot)).toBe(0);
  });
});

describe("lookups", () => {
  it("a hole says how large it is: the block of the level where the walk ended", () => {
    set(5, 0x40000);
    set(0x7fff_ffff, 0x40001);
    const orders = [6, 0x300, 0x50000, 0x4000_0000].map((gfn) => [lookup(gfn), p2m.lookupOrder(slot)]);
    expect(orders).toEqual([
      [t.P2M_MMIO_DM, 0],
      [t.P2M_MMIO_DM, 9],
      [t.P2M_MMIO_DM, 18],
      [t.P2M_MMIO_DM, 27],
    ]);
    expect([p2m.lookupMfn(slot) >>> 0, p2m.lookupAccess(slot)]).toEqual([INVALID_MFN, t.P2M_ACCESS_N]);
  });

  it("promised pages of a domain that dies stay holes, and it does not crash for want of memory", () => {
    expect(set(0x200, INVALID_MFN, 9, t.P2M_POPULATE_ON_DEMAND)).toBe(0);
    p2m.setDying(slot);
    expect(p2m.lookupWith(slot, 0x234n, t.P2M_ALLOC)).toBe(t.P2M_MMIO_DM);
    expect([lookup(0x234), p2m.crashReason(slot)]).toEqual([t.P2M_POPULATE_ON_DEMAND, 0]);
  });

  it("promised pages stay promises for somebody who only looks", () => {
    expect(set(0x200, INVALID_MFN, 9, t.P2M_POPULATE_ON_DEMAND)).toBe(0);
    expect([lookup(0x234), p2m.crashReason(slot)]).toEqual([t.P2M_POPULATE_ON_DEMAND, 0]);
    p2m.lookupWith(slot, 0x234n, t.P2M_ALLOC);
    expect(p2m.crashReason(slot)).toBe(31); // there is no memory for it
  });
});
