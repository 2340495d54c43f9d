/** Small objects in machine frames: unique, zeroed, and the frames come back. */
import fc from "fast-check";
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { loadUnits } from "../support/units.ts";

interface SlabExports {
  start(frames: number): void;
  alloc(id: number, bytes: number): number;
  free(id: number, at: number): void;
  objects(id: number): number;
  frames(id: number): number;
  available(): number;
}

const FRAMES = 16;
let slab: SlabExports;
let memory: WebAssembly.Memory;

beforeAll(async () => {
  ({ exports: slab, memory } = await loadUnits<SlabExports>("slab", FRAMES));
});
beforeEach(() => slab.start(FRAMES));

const bytes = (at: number, count: number) => new Uint8Array(memory.buffer, at, count);

describe("objects in frames", () => {
  it("fill a frame before the next one is taken", () => {
    const before = slab.available();
    const all = Array.from({ length: 4096 / 32 }, () => slab.alloc(5, 32));
    expect(slab.frames(5)).toBe(1);
    expect(new Set(all).size).toBe(4096 / 32);
    expect(all.every((at) => at >= FRAMES_BASE && at % 32 === 0)).toBe(true);
    slab.alloc(5, 32);
    expect(slab.frames(5)).toBe(2);
    expect(slab.available()).toBe(before - 2);
  });

  it("are zeroed, also when somebody had them before", () => {
    const at = slab.alloc(0, 48);
    bytes(at, 48).fill(0xff);
    const other = slab.alloc(0, 48);
    slab.free(0, at);
    expect(slab.alloc(0, 48)).toBe(at);
    expect([...bytes(at, 48)]).toEqual(new Array(48).fill(0));
    expect(other).not.toBe(at);
  });

  it("of a size that does not divide a page leave its end unused", () => {
    for (let i = 0; i < Math.floor(4096 / 24); i++) expect(slab.alloc(1, 24) & 4095).toBeLessThanOrEqual(4096 - 24);
    expect(slab.frames(1)).toBe(1);
  });

  it("may be as large as a page", () => {
    const a = slab.alloc(2, 4096);
    const b = slab.alloc(2, 4096);
    expect([a & 4095, b & 4095, slab.frames(2)]).toEqual([0, 0, 2]);
    slab.free(2, a);
    expect(slab.frames(2)).toBe(1);
  });

  it("answer 0 when no frame is left, and go on when one comes back", () => {
    const got: number[] = [];
    for (let at = slab.alloc(3, 4096); at !== 0; at = slab.alloc(3, 4096)) got.push(at);
    expect(slab.available()).toBe(0);
    slab.free(3, got[0]!);
    expect(slab.alloc(3, 4096)).toBe(got[0]);
  });

  it("trap when one is given back that nobody has", () => {
    const at = slab.alloc(4, 16);
    slab.free(4, at);
    expect(() => slab.free(4, at)).toThrow();
  });
});

describe("random lives", () => {
  it("never give one object twice, and give every frame back at the end", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(2), fc.boolean(), fc.nat(1000)), { maxLength: 400 }), (steps) => {
        slab.start(FRAMES);
        const before = slab.available();
        const sizes = [16, 40, 1024];
        const live: [id: number, at: number][] = [];
        for (const [id, isAlloc, pick] of steps) {
          if (!isAlloc && live.length > 0) {
            const [[owner, at]] = live.splice(pick % live.length, 1) as [[number, number]];
            slab.free(owner, at);
            continue;
          }
          const at = slab.alloc(id, sizes[id]!);
          if (at === 0) continue;
          for (const [other, there] of live) {
            const apart = at + sizes[id]! <= there || there + sizes[other]! <= at;
            if (!apart) throw new Error(`0x${at.toString(16)} overlaps 0x${there.toString(16)}`);
          }
          bytes(at, sizes[id]!).fill(0xaa);
          live.push([id, at]);
        }
        for (const id of [0, 1, 2]) expect(slab.objects(id)).toBe(live.filter(([owner]) => owner === id).length);
        for (const [id, at] of live) slab.free(id, at);
        expect(slab.available()).toBe(before);
      }),
      { numRuns: 150 },
    );
  });
});
