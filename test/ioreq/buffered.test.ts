/** The buffered ring: format, full, the wrap of its pointers in both modes, and pointers that the device model made up. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  BUFIOREQ_ATOMIC,
  BUFIOREQ_LEGACY,
  BUFIOREQ_OFF,
  BUFIOREQ_READ_POINTER,
  BUFIOREQ_SLOT_COUNT,
  BUFIOREQ_SLOTS,
  BUFIOREQ_WRITE_POINTER,
  IOREQ_TYPE_COPY,
  IOREQ_TYPE_PIO,
  IOREQ_TYPE_TIMEOFFSET,
} from "../../hv-core/abi/ioreq.ts";
import { createWorld, OKAY, PTR, READ, UNHANDLEABLE, type World } from "./world.ts";

let w: World;
beforeAll(async () => {
  w = await createWorld();
});

let ring: number;
function setup(handling: number): void {
  w.core.setup(1, 0);
  w.create(handling);
  ring = handling === BUFIOREQ_OFF ? 0 : w.core.frameHost(w.core.resource(0, 0, 0n));
}

const put = (addr: bigint, data = 0n, size = 4, kind: number = IOREQ_TYPE_PIO) =>
  w.core.buffered(0, kind, addr, data, size, 1);
const pointers = () => [
  w.view().getUint32(ring + BUFIOREQ_READ_POINTER, true),
  w.view().getUint32(ring + BUFIOREQ_WRITE_POINTER, true),
];
function setPointers(read: number, write: number): void {
  w.view().setUint32(ring + BUFIOREQ_READ_POINTER, read, true);
  w.view().setUint32(ring + BUFIOREQ_WRITE_POINTER, write, true);
}
const slot = (index: number) => [
  w.view().getUint32(ring + BUFIOREQ_SLOTS + index * 8, true),
  w.view().getUint32(ring + BUFIOREQ_SLOTS + index * 8 + 4, true),
];

describe("format", () => {
  beforeEach(() => setup(BUFIOREQ_ATOMIC));

  it("packs type, direction, size and address into the first dword", () => {
    expect(put(0xabcden, 0x55n, 2, IOREQ_TYPE_COPY)).toBe(OKAY);
    expect(slot(0)).toEqual([(0xabcde << 12) | (1 << 10) | IOREQ_TYPE_COPY, 0x55].map((n) => n >>> 0));
    expect(pointers()).toEqual([0, 1]);
  });

  it("spends two slots on eight bytes, as recorded for TIMEOFFSET", () => {
    expect(put(0n, 0xffffffff_0000000fn, 8, IOREQ_TYPE_TIMEOFFSET)).toBe(OKAY);
    expect(slot(0)).toEqual([0x0c07, 0xf]);
    expect(slot(1)).toEqual([0x0c07, 0xffffffff]);
    expect(pointers()).toEqual([0, 2]);
  });

  it("refuses what does not fit it", () => {
    expect(put(0x100000n)).toBe(UNHANDLEABLE);
    expect(put(0n, 0n, 3)).toBe(UNHANDLEABLE);
    expect(put(0n, 0n, 4, IOREQ_TYPE_COPY | PTR)).toBe(UNHANDLEABLE);
    expect(w.core.buffered(0, IOREQ_TYPE_COPY, 0n, 0n, 4, 2)).toBe(UNHANDLEABLE);
    expect(put(0n, 0n, 4, IOREQ_TYPE_PIO | READ)).toBe(OKAY); // a direction bit exists
  });

  it("is full at 511, and at 510 for eight bytes", () => {
    for (let i = 0; i < BUFIOREQ_SLOT_COUNT - 1; i++) expect(put(1n)).toBe(OKAY);
    expect(put(1n, 0n, 8)).toBe(UNHANDLEABLE);
    expect(put(1n)).toBe(OKAY);
    expect(put(1n)).toBe(UNHANDLEABLE);
  });

  it("needs a server with a ring", () => {
    setup(BUFIOREQ_OFF);
    expect(put(1n)).toBe(UNHANDLEABLE);
  });
});

describe("pointers", () => {
  it("are canonicalised in atomic mode", () => {
    setup(BUFIOREQ_ATOMIC);
    setPointers(1200, 1203);
    expect(put(7n)).toBe(OKAY);
    expect(pointers()).toEqual([1200 - 1022, 1204 - 1022]);
    expect(slot(1203 - 1022)[0]! >>> 12).toBe(7);
  });

  it("run free in legacy mode", () => {
    setup(BUFIOREQ_LEGACY);
    setPointers(1200, 1203);
    expect(put(7n)).toBe(OKAY);
    expect(pointers()).toEqual([1200, 1204]);
  });

  it("keep first-in first-out order through many rounds in atomic mode", () => {
    setup(BUFIOREQ_ATOMIC);
    let next = 0;
    for (let i = 0; i < 5000; i++) {
      expect(put(BigInt(i & 0xfffff), BigInt(i))).toBe(OKAY);
      if (i % 3 !== 2) continue;
      for (let [read, write] = pointers() as [number, number]; read !== write; read = (read + 1) >>> 0) {
        expect(slot(read % BUFIOREQ_SLOT_COUNT)[1]).toBe(next++);
        w.view().setUint32(ring + BUFIOREQ_READ_POINTER, (read + 1) >>> 0, true);
      }
    }
    expect(pointers()[1]).toBeLessThan(2 * BUFIOREQ_SLOT_COUNT);
  });

  it("lose a slot when legacy ones wrap at 2^32", () => {
    setup(BUFIOREQ_LEGACY);
    setPointers(0xffffffff, 0xffffffff);
    expect(put(5n)).toBe(OKAY);
    expect(pointers()).toEqual([0xffffffff, 0]);
    expect(slot(0xffffffff % BUFIOREQ_SLOT_COUNT)[0]! >>> 12).toBe(5);
  });

  it("may be anything: only a slot of the page is ever written", () => {
    for (const handling of [BUFIOREQ_LEGACY, BUFIOREQ_ATOMIC]) {
      for (const [read, write] of [
        [5, 0],
        [0, 0xffffffff],
        [0x12345678, 0x12345679],
        [0xffffffff, 3],
        [0x80000000, 0x80000000],
      ] as const) {
        setup(handling);
        const before = new Uint8Array(w.view().buffer.slice(ring + 4096, ring + 8192));
        setPointers(read, write);
        expect([OKAY, UNHANDLEABLE]).toContain(put(9n, 9n, 8));
        expect(new Uint8Array(w.view().buffer.slice(ring + 4096, ring + 8192))).toEqual(before);
      }
    }
  });
});
