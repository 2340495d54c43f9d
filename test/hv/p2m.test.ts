/**
 * The p2m against a Map: random maps, unmaps, type changes and lookups with 4K, 2M and 1G leaves; what the software looks up and
 * what the hardware walks must agree with the model, and every table must come back.
 */
import { describe, expect, it } from "vitest";
import { EBUSY, EINVAL, ENOMEM } from "../../hv-core/abi/errno.ts";
import {
  P2M_ACCESS_N,
  P2M_ACCESS_RW,
  P2M_ACCESS_RWX,
  P2M_ACCESS_RX,
  P2M_IOREQ_SERVER,
  P2M_MMIO_DIRECT,
  P2M_MMIO_DM,
  P2M_RAM_LOGDIRTY,
  P2M_RAM_RO,
  P2M_RAM_RW,
} from "../../hv-core/abi/p2m-types.ts";
import { loadUnits } from "../support/units.ts";

interface Exports {
  setup(frames: number, superpages: number): number;
  set(slot: number, gfn: bigint, mfn: number, order: number, type: number, access: number): number;
  lookup(slot: number, gfn: bigint): number;
  lookupMfn(slot: number): number;
  lookupAccess(slot: number): number;
  lookupOrder(slot: number): number;
  changeTypeOne(slot: number, gfn: bigint, from: number, to: number): number;
  hardware(slot: number, gfn: bigint): bigint;
  setPool(slot: number, tables: number): void;
  tables(slot: number): number;
  maxMapped(slot: number): bigint;
  fillTlb(slot: number): void;
  isTlbEmpty(slot: number): number;
  freeFrames(): number;
  destroy(slot: number): void;
  audit(slot: number): number;
  check(slot: number): number;
}

const FRAMES = 2048;
const INVALID_MFN = 0xffff_ffff;

async function start(superpages = 1) {
  const { exports: p2m } = await loadUnits<Exports>("p2m", FRAMES);
  const slot = p2m.setup(FRAMES, superpages);
  expect(slot).toBe(1);
  return { p2m, slot };
}

/** Rights the hardware gives: the table of spec 01 sections 1.1 and 1.2. */
const TYPE_RIGHTS: Readonly<Record<number, number>> = {
  [P2M_RAM_RW]: 7,
  [P2M_RAM_LOGDIRTY]: 5,
  [P2M_RAM_RO]: 5,
  [P2M_MMIO_DM]: 0,
  [P2M_MMIO_DIRECT]: 7,
  [P2M_IOREQ_SERVER]: 3,
};
const ACCESS_RIGHTS: Readonly<Record<number, number>> = {
  [P2M_ACCESS_N]: 0,
  [P2M_ACCESS_RW]: 3,
  [P2M_ACCESS_RX]: 5,
  [P2M_ACCESS_RWX]: 7,
};

function generator(seed: number) {
  let state = seed;
  return (below: number) => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

interface Page {
  mfn: number;
  type: number;
  access: number;
}

describe("against a model", () => {
  it.each([
    [1, 1],
    [2, 1],
    [3, 0],
  ])("seed %i, superpages %i", async (seed, superpages) => {
    const { p2m, slot } = await start(superpages);
    const free = p2m.freeFrames();
    const tables = p2m.tables(slot);
    const random = generator(seed);
    const model = new Map<number, Page>();
    const types = [P2M_RAM_RW, P2M_RAM_RW, P2M_RAM_RO, P2M_RAM_LOGDIRTY, P2M_MMIO_DIRECT];
    const accesses = [P2M_ACCESS_RWX, P2M_ACCESS_RWX, P2M_ACCESS_RX, P2M_ACCESS_N];
    // Three regions: around 0, around 1 GiB, and at the top of four levels.
    const bases = [0, 0x3fe00, 2 ** 36 - 4096];
    for (let round = 0; round < 3000; round++) {
      const order = [0, 0, 0, 3, 9, 9, 10][random(7)]!;
      const size = 2 ** order;
      const base = bases[random(3)]!;
      const gfn = base + Math.floor(random(4096) / size) * size;
      if (random(4) === 0) {
        expect(p2m.set(slot, BigInt(gfn), INVALID_MFN, order, P2M_MMIO_DM, P2M_ACCESS_N)).toBe(0);
        for (let i = 0; i < size; i++) model.delete(gfn + i);
      } else {
        const type = types[random(types.length)]!;
        const access = accesses[random(accesses.length)]!;
        const mfn = Math.floor(random(0x10000) / size) * size + 0x10000;
        expect(p2m.set(slot, BigInt(gfn), mfn, order, type, access)).toBe(0);
        for (let i = 0; i < size; i++) model.set(gfn + i, { mfn: mfn + i, type, access });
      }
      for (let i = 0; i < 8; i++) {
        const probe = i < 4 ? gfn + random(size) : bases[random(3)]! + random(4096);
        const page = model.get(probe);
        expect(p2m.lookup(slot, BigInt(probe))).toBe(page?.type ?? P2M_MMIO_DM);
        expect(p2m.lookupMfn(slot) >>> 0).toBe(page?.mfn ?? INVALID_MFN);
        const rights = page ? TYPE_RIGHTS[page.type]! & ACCESS_RIGHTS[page.access]! : 0;
        const hardware = p2m.hardware(slot, BigInt(probe));
        expect(Number(hardware & 7n)).toBe(rights);
        if (rights !== 0) expect(Number((hardware >> 12n) & 0xffffffffffn)).toBe(page!.mfn);
      }
    }
    expect(p2m.audit(slot)).toBe(p2m.tables(slot));
    expect(p2m.check(slot)).toBe(0);
    expect(p2m.tables(slot)).toBeGreaterThan(tables);
    p2m.destroy(slot);
    expect(p2m.freeFrames()).toBe(free + tables + 2); // shared_info and the first bucket of ports as well
  });
});

describe("edges", () => {
  it("splits a 1G leaf into 2M and 4K ones that say the same", async () => {
    const { p2m, slot } = await start();
    expect(p2m.set(slot, 0x40000n, 0x40000, 18, P2M_RAM_RW, P2M_ACCESS_RWX)).toBe(0);
    expect([p2m.lookup(slot, 0x45678n), p2m.lookupMfn(slot), p2m.lookupOrder(slot)]).toEqual([0, 0x45678, 18]);
    const before = p2m.tables(slot);
    expect(p2m.set(slot, 0x45678n, 0x111, 0, P2M_RAM_RO, P2M_ACCESS_RWX)).toBe(0);
    expect(p2m.tables(slot)).toBe(before + 2);
    expect([p2m.lookup(slot, 0x45678n), p2m.lookupMfn(slot), p2m.lookupOrder(slot)]).toEqual([P2M_RAM_RO, 0x111, 0]);
    expect([p2m.lookup(slot, 0x45679n), p2m.lookupMfn(slot), p2m.lookupOrder(slot)]).toEqual([0, 0x45679, 0]);
    expect([p2m.lookup(slot, 0x45a00n), p2m.lookupMfn(slot), p2m.lookupOrder(slot)]).toEqual([0, 0x45a00, 9]);
    // A superpage over it gives the tables back.
    expect(p2m.set(slot, 0x40000n, 0x80000, 18, P2M_RAM_RW, P2M_ACCESS_RWX)).toBe(0);
    expect(p2m.tables(slot)).toBe(before);
  });

  it("answers -ENOMEM when the paging pool is used up, and changes nothing then", async () => {
    const { p2m, slot } = await start();
    p2m.set(slot, 0n, 0x200, 9, P2M_RAM_RW, P2M_ACCESS_RWX);
    p2m.setPool(slot, p2m.tables(slot));
    expect(p2m.set(slot, 5n, 0x111, 0, P2M_RAM_RO, P2M_ACCESS_RWX)).toBe(-ENOMEM);
    expect([p2m.lookup(slot, 5n), p2m.lookupMfn(slot)]).toEqual([P2M_RAM_RW, 0x205]);
  });

  it("refuses gfns that four levels cannot reach", async () => {
    const { p2m, slot } = await start();
    expect(p2m.set(slot, 1n << 36n, 5, 0, P2M_RAM_RW, P2M_ACCESS_RWX)).toBe(-EINVAL);
    expect(p2m.set(slot, (1n << 36n) - 1n, 5, 0, P2M_RAM_RW, P2M_ACCESS_RWX)).toBe(0);
    expect(p2m.maxMapped(slot)).toBe((1n << 36n) - 1n);
    expect(p2m.lookup(slot, 0xffff_ffff_ffff_ffffn)).toBe(P2M_MMIO_DM);
  });

  it("says how large the hole is above everything mapped", async () => {
    const { p2m, slot } = await start();
    p2m.set(slot, 0n, 5, 0, P2M_RAM_RW, P2M_ACCESS_RWX);
    p2m.lookup(slot, 1n);
    expect(p2m.lookupOrder(slot)).toBe(0);
    p2m.lookup(slot, 0x200n);
    expect(p2m.lookupOrder(slot)).toBe(9);
    p2m.lookup(slot, 1n << 27n);
    expect(p2m.lookupOrder(slot)).toBe(27);
  });

  it("flushes TLBs when something present changes, not when a hole is filled", async () => {
    const { p2m, slot } = await start();
    p2m.fillTlb(slot);
    p2m.set(slot, 7n, 5, 0, P2M_RAM_RW, P2M_ACCESS_RWX);
    expect(p2m.isTlbEmpty(slot)).toBe(0);
    p2m.set(slot, 7n, 6, 0, P2M_RAM_RW, P2M_ACCESS_RWX);
    expect(p2m.isTlbEmpty(slot)).toBe(1);
  });

  it("changes a type only from what it is, and resets the access", async () => {
    const { p2m, slot } = await start();
    p2m.set(slot, 7n, 5, 0, P2M_RAM_RW, P2M_ACCESS_RX);
    expect(p2m.changeTypeOne(slot, 7n, P2M_RAM_RO, P2M_RAM_RW)).toBe(-EBUSY);
    expect(p2m.changeTypeOne(slot, 7n, P2M_RAM_RW, P2M_RAM_RO)).toBe(0);
    expect([p2m.lookup(slot, 7n), p2m.lookupAccess(slot)]).toEqual([P2M_RAM_RO, P2M_ACCESS_RWX]);
  });
});
