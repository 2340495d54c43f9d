/** The invariants of spec 01 section 1.10: each is broken once on purpose, so that the checker is known to see it. */
import { beforeEach, describe, expect, it } from "vitest";
import * as t from "../../hv-core/abi/p2m-types.ts";
import { type P2mExports, startP2m } from "./p2m-exports.ts";

const P2M = 16;
const POD = 48;
const PAGING = 64;
const EMT = 0x38n;
const TYPE_SHIFT = 52n;
const MFN = 0x000f_ffff_ffff_f000n;

let p2m: P2mExports;
let slot: number;
beforeEach(async () => {
  ({ p2m, slot } = await startP2m());
});

const map = (gfn: number, mfn: number, type: number = t.P2M_RAM_RW, order = 0): void =>
  expect(p2m.set(slot, BigInt(gfn), mfn, order, type, t.P2M_ACCESS_RWX)).toBe(0);
const entry = (gfn: number, level = 1): bigint => BigInt.asUintN(64, p2m.entryAt(slot, BigInt(gfn), level));
const broken = (): number[] =>
  Array.from({ length: 13 }, (_, i) => i + 1).filter((n) => (p2m.check(slot) >> (n - 1)) & 1);

describe("a healthy map", () => {
  it("breaks none", () => {
    map(5, p2m.ownFrame(slot));
    map(0x200, 0x40000, t.P2M_RAM_RW, 9);
    expect(broken()).toEqual([]);
  });
});

describe("broken on purpose", () => {
  const frame = (): number => p2m.ownFrame(slot);

  it("P-1: a memory type that the processor refuses", () => {
    map(5, frame());
    p2m.corrupt(slot, 5n, 1, (entry(5) & ~EMT) | (2n << 3n));
    expect(broken()).toEqual([1]);
  });

  it("P-1: an entry that waits for a recalculation but would not be met", () => {
    map(5, frame());
    p2m.corrupt(slot, 5n, 1, entry(5) | (1n << 10n));
    expect(broken()).toEqual([1]);
  });

  it("P-2: rights that type and access do not give", () => {
    map(5, frame(), t.P2M_RAM_RO);
    p2m.corrupt(slot, 5n, 1, entry(5) | 2n);
    expect(broken()).toEqual([2]);
  });

  it("P-3: the count of ioreq_server pages", () => {
    p2m.setTypeServer(slot, 1, 2);
    map(5, frame(), t.P2M_IOREQ_SERVER);
    p2m.setIoreqEntries(slot, 2n);
    expect(broken()).toEqual([3]);
  });

  it("P-5: a page whose frame is known under another gfn", () => {
    expect(p2m.addPage(slot, 5n, frame(), 0)).toBe(0);
    const mfn = Number((entry(5) & MFN) >> 12n);
    p2m.corrupt(slot, 6n, 1, entry(5));
    expect(broken()).toEqual([5, 9]);
    expect(p2m.m2p(mfn)).toBe(5n);
  });

  it("P-6: a free frame that an entry, or a processor, still reaches", () => {
    const mfn = frame();
    map(5, mfn);
    p2m.corrupt(slot, 5n, 1, (entry(5) & ~MFN) | ((entry(5, 2) & MFN) as bigint)); // an EPT table
    expect(broken()).toEqual([6]);
    map(5, mfn);
    expect(broken()).toEqual([]);
    p2m.cache(slot, 5n, Number((entry(5, 2) & MFN) >> 12n));
    expect(broken()).toEqual([6]);
  });

  it("P-7: a writable translation of a page that is not known to be dirty", () => {
    const mfn = frame();
    expect(p2m.addPage(slot, 5n, mfn, 0)).toBe(0);
    p2m.setLogDirtyMode(slot, 1);
    p2m.cache(slot, 5n, mfn);
    expect(broken()).toEqual([7]);
    p2m.markDirty(slot, 5n);
    expect(broken()).toEqual([]);
  });

  it("P-8: a superpage of type ioreq_server", () => {
    p2m.setTypeServer(slot, 1, 2);
    map(0x200, 0x40000, t.P2M_RAM_RW, 9);
    p2m.corrupt(slot, 0x200n, 2, (entry(0x200, 2) & ~6n) | (15n << TYPE_SHIFT));
    expect(broken()).toContain(8);
  });

  it("P-9: a page above the high-water mark", () => {
    map(5, frame());
    p2m.setMaxMapped(slot, 4n);
    expect(broken()).toEqual([9]);
  });

  it("P-11: a page of the type without a server, and nothing to repair it", () => {
    p2m.setTypeServer(slot, 1, 2);
    map(5, frame(), t.P2M_IOREQ_SERVER);
    p2m.setTypeServer(slot, 0, 0);
    expect(broken()).toEqual([11]);
    p2m.changeTypeGlobal(slot, t.P2M_IOREQ_SERVER, t.P2M_RAM_RW);
    expect(broken()).toEqual([]);
  });
});

describe("P-10, the order of locks", () => {
  it.each([
    [P2M, POD],
    [P2M, PAGING],
    [POD, PAGING],
    [P2M, P2M],
    [PAGING, PAGING],
  ])("%i, then %i", (first, second) => {
    p2m.takeLocks(slot, first, second);
    expect(broken()).toEqual([]);
  });

  it.each([
    [POD, P2M],
    [PAGING, P2M],
    [PAGING, POD],
  ])("%i, then %i stops the machine", (first, second) => {
    expect(() => p2m.takeLocks(slot, first, second)).toThrow(/unreachable/);
  });

  it("a lock that is never let go is seen", () => {
    p2m.leaveLocked(slot);
    expect(broken()).toEqual([10]);
  });
});

describe("frames in and out", () => {
  it("a frame that is mapped elsewhere in the domain goes away from there", () => {
    const mfn = p2m.ownFrame(slot);
    expect(p2m.addPage(slot, 5n, mfn, 0)).toBe(0);
    expect(p2m.addPage(slot, 9n, mfn, 0)).toBe(0);
    expect([p2m.lookup(slot, 5n), p2m.lookup(slot, 9n), p2m.m2p(mfn)]).toEqual([t.P2M_MMIO_DM, t.P2M_RAM_RW, 9n]);
    expect(broken()).toEqual([]);
  });

  it("only the expected frame is unmapped, and device models hear of it", () => {
    const mfn = p2m.ownFrame(slot);
    p2m.addPage(slot, 5n, mfn, 0);
    expect(p2m.removePage(slot, 5n, mfn + 1)).toBe(-84);
    expect(p2m.mapcacheInvalidate(slot)).toBe(0);
    expect(p2m.removePage(slot, 5n, mfn)).toBe(0);
    expect(p2m.mapcacheInvalidate(slot)).toBe(1);
    expect(p2m.lookup(slot, 5n)).toBe(t.P2M_MMIO_DM);
  });

  it("a special mapping in the way crashes the domain", () => {
    map(5, 0x40000, t.P2M_MMIO_DIRECT);
    expect(p2m.addPage(slot, 5n, p2m.ownFrame(slot), 0)).toBe(-1);
    expect(p2m.crashReason(slot)).toBe(10);
    expect(p2m.lookup(slot, 5n)).toBe(t.P2M_MMIO_DIRECT);
  });

  it("a broken frame has no contents; whoever wants to use it crashes", () => {
    map(5, 0x40000, t.P2M_RAM_BROKEN);
    expect([p2m.lookup(slot, 5n), p2m.lookupMfn(slot) >>> 0]).toEqual([t.P2M_RAM_BROKEN, 0xffff_ffff]);
    expect(p2m.crashReason(slot)).toBe(0);
    p2m.lookupWith(slot, 5n, t.P2M_ALLOC);
    expect(p2m.crashReason(slot)).toBe(30);
  });
});
