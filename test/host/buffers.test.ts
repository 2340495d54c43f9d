/** Hypercall-safe buffers at run time: cache and counters, zeroing, poison, canaries, generations, bounces, growth (spec 07). */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import {
  type Arena,
  addressOf,
  allocBlock,
  createArena,
  dropArena,
  freeBlock,
  isLive,
} from "../../host/lib/buffers/arena.ts";
import { keptBlocks } from "../../host/lib/buffers/books.ts";
import { bounce } from "../../host/lib/buffers/bounce.ts";
import { handleField, plain, safeHypercall, setHandle } from "../../host/lib/buffers/call.ts";
import { struct, U8, U32, U64 } from "../../host/lib/buffers/element.ts";
import { allocSafe, allocSafeArray, Safe } from "../../host/lib/buffers/safe.ts";
import { allocStruct } from "../../host/lib/buffers/struct.ts";
import { instantiateCore } from "../../host/lib/core.ts";
import { createDom0, type Dom0 } from "../../host/lib/dom0.ts";
import { HvError } from "../../host/lib/errors.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { domainCreate, domainDestroy, domainMaxVcpus, domainSetHvmContext } from "../../host/lib/toolstack/domctl.ts";
import { entryContext } from "../../host/lib/toolstack/hvm-context.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { HC_XEN_VERSION } from "../../hv-core/abi/hypercalls.ts";

const DOM0_PAGES = 34;
/** What is left for the arena: all but the unused page and the one of the hot calls. */
const PAGES = 32;
const OP = struct("op", 16);
const wasm = compileBuild("release");
let dom0: Dom0;
let arena: Arena;

function start(options: { debug?: boolean; grow?: boolean } = {}): void {
  const core = instantiateCore(wasm, { frameCount: 512 });
  core.exports.machineInit(512, DOM0_PAGES);
  dom0 = createDom0(core, DOM0_PAGES, options);
  arena = dom0.arena;
  dropArena(arena);
  for (const counter of Object.keys(arena.stats)) arena.stats[counter as keyof typeof arena.stats] = 0;
}
beforeEach(() => start());

describe("arena", () => {
  it("gives the last freed block of a size first, and counts", () => {
    const a = allocBlock(arena, 100, "a");
    const b = allocBlock(arena, 100, "b");
    const three = allocBlock(arena, 3 * 4096, "three");
    freeBlock(arena, a);
    freeBlock(arena, b);
    freeBlock(arena, three);
    expect(allocBlock(arena, 1, "c").page).toBe(b.page);
    expect(allocBlock(arena, 1, "d").page).toBe(a.page);
    expect(allocBlock(arena, 9000, "e").page).toBe(three.page);
    allocBlock(arena, 5 * 4096, "f");
    expect(arena.stats).toMatchObject({
      allocations: 7,
      releases: 3,
      current: 4,
      maximum: 4,
      hits: 3,
      misses: 3,
      tooBig: 1,
    });
  });

  it("keeps four blocks of a size, and takes cached ones apart when it runs out", () => {
    const blocks = Array.from({ length: 6 }, () => allocBlock(arena, 1, "x"));
    for (const block of blocks) freeBlock(arena, block);
    expect(keptBlocks(arena.books, 1)).toBe(4);
    freeBlock(arena, allocBlock(arena, PAGES * 4096, "all"));
    expect(keptBlocks(arena.books, 1)).toBe(0);
    expect(() => allocBlock(arena, PAGES * 4096 + 1, "more")).toThrow(/ENOMEM.*33 pages asked/);
  });

  it("zeroes what the caller does not overwrite: no contents of an earlier buffer", () => {
    const first = allocBlock(arena, 4096, "secret");
    const at = addressOf(arena, first);
    dom0.core.u8.fill(0x77, at, at + 4096);
    freeBlock(arena, first);
    const second = allocBlock(arena, 10, "next", true);
    expect(second.page).toBe(first.page);
    expect(dom0.core.u8.subarray(at + 10, at + 4096).every((b) => b === 0)).toBe(true);
    expect(arena.stats.bytesZeroed).toBe(4096 + 4086);
  });

  it("debug: poisons what is freed and finds writes beyond the end", () => {
    start({ debug: true });
    const block = allocBlock(arena, 4080, "page");
    const at = addressOf(arena, block);
    expect(block.pages).toBe(1);
    freeBlock(arena, block);
    expect(dom0.core.u8[at]).toBe(0xa5);
    const short = allocBlock(arena, 16, "short");
    dom0.core.u8[addressOf(arena, short) + 20] = 1;
    expect(() => freeBlock(arena, short)).toThrow(/"short".*beyond its 16 bytes/);
    expect(allocBlock(arena, 4081, "two").pages).toBe(2);
  });

  it("names bad sizes and places", () => {
    expect(() => allocBlock(arena, 0, "none")).toThrow(RangeError);
    expect(() => createArena(dom0.core, { ...arena.place, pages: 0 })).toThrow(/an? hypercall arena of 0 pages/);
  });
});

describe("safe buffers", () => {
  it("are freed with their scope; a later use is found out", () => {
    let leaked: { get(i?: number): bigint };
    {
      using buffer = allocSafe(arena, U64, "inout", 2, "pair");
      buffer.set(1, 7n);
      expect(buffer.values()).toEqual([0n, 7n]);
      leaked = buffer;
    }
    expect(() => leaked.get(0)).toThrow(/"pair".*freed before this use/);
    using next = allocSafe(arena, U64, "out", 2);
    expect(next.values()).toEqual([0n, 0n]);
    expect(() => leaked.get(0)).toThrow(/freed/);
  });

  it("know their length", () => {
    using buffer = allocSafe(arena, U32, "inout", 3, "three");
    expect(() => buffer.get(3)).toThrow(/element 3 of 3/);
    expect(() => buffer.set(-1, 0)).toThrow(RangeError);
    using structure = allocStruct(arena, OP, "in");
    expect(() => setHandle(structure, handleField(OP, 8, U32, "in"), buffer, 4)).toThrow(/needs 16 bytes.*has 12/);
    expect(() => structure.setU64(9, 0n)).toThrow(/bytes 9 to 16 of 16/);
    expect(() => buffer.setBytes(new Uint8Array(13))).toThrow(/13 bytes do not fit its 12/);
  });

  it("stand in handle fields and in direct arguments", () => {
    using text = allocSafe(arena, U8, "out", 16, "extraversion");
    expect(safeHypercall(dom0, plain(HC_XEN_VERSION), plain(1), text)).toBe(0);
    expect(String.fromCharCode(...text.values()).replace(/\0+$/, "")).toBe(".7");
    using structure = allocStruct(arena, OP, "inout");
    setHandle(structure, handleField(OP, 8, U8, "out"), text, 16);
    expect(structure.u64(8)).toBe(text.gpa());
    setHandle(structure, handleField(OP, 8, U8, "out"), null);
    expect(structure.bytes().every((b) => b === 0)).toBe(true);
  });

  it("arrays are freed together, also when the last one does not fit", () => {
    {
      using three = allocSafeArray(arena, U64, "out", [1, 600, 2]);
      expect([three.length, three.at(1).count]).toEqual([3, 600]);
      expect(() => three.at(3)).toThrow(RangeError);
    }
    expect(arena.stats.current).toBe(0);
    expect(() => allocSafeArray(arena, U8, "out", [4096, PAGES * 4096])).toThrow(/ENOMEM/);
    expect(arena.stats.current).toBe(0);
  });

  it("survive growth of the memory at every allocation", () => {
    start({ grow: true });
    const before = dom0.core.u8;
    using a = allocSafe(arena, U64, "inout", 1);
    a.set(0, 5n);
    using b = allocSafe(arena, U64, "inout", 1);
    b.set(0, 6n);
    expect(before.length).toBe(0);
    expect([a.get(), b.get()]).toEqual([5n, 6n]);
  });

  it("are dead after the arena was dropped", () => {
    const buffer = allocSafe(arena, U8, "inout", 1, "old");
    dropArena(arena);
    expect(() => buffer.get()).toThrow(/freed/);
    expect(arena.stats.current).toBe(0);
  });
});

it("no buffer is larger than its block, whoever makes it, and no number is taken for a size that is none", () => {
  const { dom0 } = createMachine(wasm, { memoryBytes: 4 * 2 ** 20 });
  const block = allocBlock(dom0.arena, 8, "eight bytes");
  expect(() => new Safe(dom0.arena, block, U64, "inout", 2)).toThrow('"eight bytes": 2 elements of 8 bytes in 8');
  for (const count of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => allocSafe(dom0.arena, U64, "in", count)).toThrow(RangeError);
  using one = allocSafe(dom0.arena, U64, "in", 1);
  for (const needed of [Number.NaN, -1, 0.5]) expect(() => one.gpa(needed)).toThrow(RangeError);
  expect(() => one.gpa(9)).toThrow(HvError);
  freeBlock(dom0.arena, block);
});

describe("the toolstack", () => {
  it("has no raw addresses: every buffer of it is a safe one", () => {
    const folder = join(ROOT, "host/lib/toolstack");
    const raw = readdirSync(folder).filter((file) =>
      /\b(withBuffer|gpaOfBlock|addressOf)\b|\.gpa\(/.test(readFileSync(join(folder, file), "utf8")),
    );
    expect(raw).toEqual([]);
  });

  it("takes the same pages again after a snapshot was put back", () => {
    using machine = createMachine(wasm, { memoryBytes: 4 * 2 ** 20 });
    const again = (): string => {
      const domid = domainCreate(machine.dom0, 1);
      domainMaxVcpus(machine.dom0, domid, 1);
      domainSetHvmContext(machine.dom0, domid, entryContext({ eip: 0, ebx: 0 }, 1));
      domainDestroy(machine.dom0, domid);
      return machine.stateHash();
    };
    again();
    const snapshot = machine.snapshot();
    const first = again();
    freeBlock(machine.dom0.arena, allocBlock(machine.dom0.arena, 9000, "something else"));
    const held = allocBlock(machine.dom0.arena, 5, "held");
    machine.restore(snapshot);
    expect(isLive(machine.dom0.arena, held)).toBe(false);
    expect(again()).toBe(first);
  });
});

describe("bounce", () => {
  const user = (): Uint8Array<ArrayBuffer> => Uint8Array.of(1, 2, 3, 4);

  it("in: copied in only; out: zeroed and copied back; inout: both", () => {
    const data = user();
    bounce(arena, data, "in", (safe) => safe.set(0, 9));
    expect([...data]).toEqual([1, 2, 3, 4]);
    bounce(arena, data, "inout", (safe) => safe.set(0, safe.get(1) * 10));
    expect([...data]).toEqual([20, 2, 3, 4]);
    bounce(arena, data, "out", (safe) => expect(safe.values()).toEqual([0, 0, 0, 0]));
    expect([...data]).toEqual([0, 0, 0, 0]);
    expect(arena.stats.current).toBe(0);
  });

  it("a call that fails leaves the caller's data alone", () => {
    const data = user();
    const failing = (): void =>
      bounce(arena, data, "inout", (safe) => {
        safe.set(0, 99);
        throw new Error("the call failed");
      });
    expect(failing).toThrow("the call failed");
    expect([...data]).toEqual([1, 2, 3, 4]);
    expect(arena.stats.current).toBe(0);
  });

  it("refuses two bounces of the same bytes, allows neighbours", () => {
    const data = user();
    const twice = (a: Uint8Array, b: Uint8Array): void =>
      bounce(arena, a, "inout", () => bounce(arena, b, "inout", () => {}));
    expect(() => twice(data, data.subarray(1))).toThrow(/bounced already/);
    twice(data.subarray(0, 2), data.subarray(2));
    expect(arena.stats.current).toBe(0);
  });
});
