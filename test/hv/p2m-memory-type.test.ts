/** The memory type of a page, case by case (spec 01 section 1.6), and who recomputes it. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CTR_P2M_INVALIDATED } from "../../hv-core/abi/counters.ts";
import { DOMCTL_IOMEM_PERMISSION, DOMCTL_IOPORT_PERMISSION } from "../../hv-core/abi/domctl.ts";
import { COUNTERS_BASE } from "../../hv-core/abi/layout.ts";
import * as t from "../../hv-core/abi/p2m-types.ts";
import { type Door, type Field, openDoor } from "./door.ts";
import { MISCONFIG, type P2mExports, startP2m } from "./p2m-exports.ts";

const UC = 0;
const WC = 1;
const WT = 4;
const WP = 5;
const WB = 6;
const MIXED = 7;
/** The one frame of device memory that nobody may write. */
const HPET = 0xfed00;
const VALID = 0xffff_ffff_f800n;

let p2m: P2mExports;
let slot: number;
beforeAll(async () => {
  ({ p2m, slot } = await startP2m());
});
beforeEach(() => {
  slot = p2m.renew(slot);
  p2m.setDefaultMtrr(slot, 0x806n);
  p2m.setIoPermission(slot, 1);
});

const entry = (gfn: number, level = 1): bigint => BigInt.asUintN(64, p2m.entryAt(slot, BigInt(gfn), level));
const typeOf = (gfn: number, level = 1): [type: number, ipat: boolean] => {
  const e = entry(gfn, level);
  return [Number((e >> 3n) & 7n), (e & 64n) !== 0n];
};
const map = (gfn: number, { order = 0, type = t.P2M_RAM_RW as number, mfn = 0x40000 + gfn } = {}): void =>
  expect(p2m.set(slot, BigInt(gfn), mfn, order, type, t.P2M_ACCESS_RWX)).toBe(0);
const variable = (index: number, gfn: number, type: number): void =>
  p2m.setVariableMtrr(slot, index, (BigInt(gfn) << 12n) | BigInt(type), VALID);

describe("case (a), read-only device memory", () => {
  it("is uncached whatever the guest's PAT says, and not writable", () => {
    map(0x10, { type: t.P2M_MMIO_DIRECT, mfn: HPET });
    expect([typeOf(0x10), Number(entry(0x10) & 7n)]).toEqual([[UC, true], 5]);
    map(0x11, { type: t.P2M_MMIO_DIRECT, mfn: HPET + 1 });
    expect([typeOf(0x11), Number(entry(0x11) & 7n)]).toEqual([[UC, false], 7]);
    p2m.setIoPermission(slot, 0);
    map(0x12, { mfn: HPET }); // before case (b)
    expect(typeOf(0x12)).toEqual([UC, true]);
    expect(p2m.check(slot)).toBe(0);
  });

  it("in part of a superpage: stored as invalid, and the first touch splits it", () => {
    map(0x200, { order: 9, type: t.P2M_MMIO_DIRECT, mfn: 0xfec00 });
    expect(typeOf(0x200, 2)[0]).toBe(MIXED);
    expect(p2m.resolve(slot, 0x300n)).toBe(1);
    expect([typeOf(0x300), typeOf(0x301)]).toEqual([
      [UC, true],
      [UC, false],
    ]);
    expect(Number(entry(0x301) & 7n)).toBe(7);
  });

  it("a write to it is emulated: nobody answers, so it is dropped; a read never leaves the guest", () => {
    map(0x10, { type: t.P2M_MMIO_DIRECT, mfn: HPET });
    const write = 2 | (5 << 3) | (3 << 7);
    // There is no instruction to emulate in this world: #GP(0) instead of a crash says that emulation was tried.
    p2m.violationExit(slot, 0x10n, write);
    expect(p2m.crashReason(slot)).toBe(0);
    map(0x11, { type: t.P2M_MMIO_DIRECT, mfn: HPET + 1 });
    p2m.violationExit(slot, 0x11n, write);
    expect(p2m.crashReason(slot)).toBe(1); // plain device memory has every right: such an exit cannot be
  });
});

it("case (b), no I/O: write-back whatever the MTRRs and a pin say", () => {
  p2m.setIoPermission(slot, 0);
  p2m.setDefaultMtrr(slot, 0x800n);
  expect(p2m.pin(slot, 0x10n, 0x10n, WC)).toBe(0);
  map(0x10);
  expect(typeOf(0x10)).toEqual([WB, true]);
});

it("case (c), frames of the hypervisor: write-back; a superpage that is only partly one is split", () => {
  p2m.setDefaultMtrr(slot, 0x800n);
  p2m.setXenHeap(0x205, 1, 1);
  map(0x10, { mfn: 0x205 });
  map(0x11, { mfn: 0x206 });
  map(0x400, { order: 9, mfn: 0x200 });
  expect([typeOf(0x10), typeOf(0x11), typeOf(0x400, 2)[0]]).toEqual([[WB, true], [UC, false], MIXED]);
  p2m.setXenHeap(0x200, 512, 1);
  map(0x600, { order: 9, mfn: 0x200 });
  expect(typeOf(0x600, 2)).toEqual([WB, true]);
  p2m.setXenHeap(0x200, 512, 0);
});

it("cases (d) and (e): direct MMIO is uncached, grants and foreign pages are write-back", () => {
  p2m.setDefaultMtrr(slot, 0x801n);
  map(0x10, { type: t.P2M_MMIO_DIRECT });
  map(0x11, { type: t.P2M_GRANT_MAP_RW });
  map(0x12, { type: t.P2M_GRANT_MAP_RO });
  map(0x13, { type: t.P2M_MAP_FOREIGN, mfn: 1 });
  expect([0x10, 0x11, 0x12, 0x13].map((gfn) => typeOf(gfn))).toEqual([
    [UC, false],
    [WB, true],
    [WB, true],
    [WB, true],
  ]);
});

describe("case (f), pinned ranges", () => {
  it.each([
    [0, UC],
    [1, WC],
    [4, WT],
    [5, WP],
    [6, WB],
    [7, UC], // UC-
  ])("type %i comes before the MTRRs", (type, expected) => {
    variable(0, 0x400, WT);
    expect(p2m.pin(slot, 0x400n, 0x5ffn, type)).toBe(0);
    map(0x400);
    expect(typeOf(0x400)).toEqual([expected, true]);
  });

  it("reach present pages lazily, and take superpages apart where only a part is pinned", () => {
    map(0x400, { order: 9 });
    map(0x600, { order: 9 });
    expect(typeOf(0x400, 2)).toEqual([WB, false]);
    expect(p2m.pin(slot, 0x400n, 0x61fn, WC)).toBe(0);
    expect((BigInt.asUintN(64, p2m.hardware(slot, 0x400n)) & MISCONFIG) !== 0n).toBe(true);
    expect([p2m.resolve(slot, 0x400n), p2m.resolve(slot, 0x600n)]).toEqual([1, 1]);
    expect([typeOf(0x400, 2), typeOf(0x61f), typeOf(0x620)]).toEqual([
      [WC, true],
      [WC, true],
      [WB, false],
    ]);
    expect(p2m.pin(slot, 0x400n, 0x61fn, 0xffff_ffff)).toBe(0);
    p2m.resolve(slot, 0x400n);
    expect(typeOf(0x400, 2)).toEqual([WB, false]);
  });

  it("not for direct MMIO", () => {
    expect(p2m.pin(slot, 0x10n, 0x10n, WC)).toBe(0);
    map(0x10, { type: t.P2M_MMIO_DIRECT });
    expect(typeOf(0x10)).toEqual([UC, false]);
  });
});

describe("case (g), the guest's MTRRs", () => {
  it.each([
    ["one range", [WC], WC],
    ["write-back and write-through", [WB, WT], WT],
    ["uncached wins", [WB, UC], UC],
    ["an undefined pair", [WC, WT], UC],
  ] as const)("%s", (_, types, expected) => {
    types.forEach((type, index) => {
      variable(index, 0x400, type);
    });
    map(0x400);
    expect(typeOf(0x400)).toEqual([expected, false]);
  });

  it("fixed ranges in the first MiB, a superpage there is always split", () => {
    p2m.setDefaultMtrr(slot, 0xc06n);
    p2m.setFixedMtrr(slot, 0x250, 0x0000_0000_0000_0500n); // the second 64 KiB: WP
    p2m.setFixedMtrr(slot, 0x258, 4n); // 0x80000: WT
    p2m.setFixedMtrr(slot, 0x268, 1n << 56n); // 0xc7000: WC
    for (const gfn of [0x10, 0x80, 0xc7]) map(gfn);
    expect([0x10, 0x80, 0xc7].map((gfn) => typeOf(gfn)[0])).toEqual([WP, WT, WC]);
    map(0, { order: 9 });
    expect(typeOf(0, 2)[0]).toBe(MIXED);
  });
});

describe("a domain's first and last I/O permission", () => {
  /** Gives or takes one frame or one port; how many entries of the map became invalid. */
  function invalidated(door: Door, domid: number, cmd: number, allow: number): number {
    const before = door.view.getBigUint64(COUNTERS_BASE + CTR_P2M_INVALIDATED * 8, true);
    const isMemory = cmd === DOMCTL_IOMEM_PERMISSION;
    const fields: readonly Field[] = isMemory
      ? [
          [0, 8, 0xf0000],
          [8, 8, 1],
          [16, 1, allow],
        ]
      : [
          [0, 4, 0x1000],
          [4, 4, 1],
          [8, 1, allow],
        ];
    expect(door.domctl(cmd, domid, fields)).toBe(0);
    return Number(door.view.getBigUint64(COUNTERS_BASE + CTR_P2M_INVALIDATED * 8, true) - before);
  }

  it.each([
    ["frames, then ports", DOMCTL_IOMEM_PERMISSION, DOMCTL_IOPORT_PERMISSION],
    ["ports, then frames", DOMCTL_IOPORT_PERMISSION, DOMCTL_IOMEM_PERMISSION],
  ] as const)("%s: only the first and the last make all memory types be recomputed", (_, one, other) => {
    const door = openDoor();
    const domid = door.createDomain();
    let gfn = 5;
    const steps = [
      [other, 0],
      [one, 1],
      [one, 1],
      [other, 1],
      [one, 0],
      [other, 0],
      [other, 0],
    ] as const;
    const counts = steps.map(([cmd, allow]) => {
      expect(door.populate(domid, [gfn++])).toBe(1); // repairs the path
      return invalidated(door, domid, cmd, allow);
    });
    expect(counts).toEqual([0, 1, 0, 0, 0, 1, 0]);
    expect(door.core.p2mInvariants(domid) >>> 0).toBe(0);
  });
});
