/** Populate on demand (spec 01 section 1.8): promises, the cache and its target, touches, reclaim, the end of memory. */
import { beforeEach, describe, expect, it } from "vitest";
import { CTR_POD_POPULATED, CTR_POD_RECLAIMED } from "../../hv-core/abi/counters.ts";
import { CRASH_POD_EMPTY } from "../../hv-core/abi/crash.ts";
import { DOM_CRASH_REASON } from "../../hv-core/abi/domain.ts";
import { EFAULT, EINVAL, ESRCH } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_SHADOW_OP,
  HC_MEMORY_OP,
  SHADOW_OP_ENABLE_LOGDIRTY,
  SHADOW_OP_PEEK,
  XENMAPSPACE_SHARED_INFO,
  XENMEM_ADD_TO_PHYSMAP,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_CURRENT_RESERVATION,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_GET_POD_TARGET,
  XENMEM_REMOVE_FROM_PHYSMAP,
  XENMEM_SET_POD_TARGET,
} from "../../hv-core/abi/hypercalls.ts";
import {
  COUNTERS_BASE,
  DOMAIN_SIZE,
  DOMAINS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  FRAMES_BASE,
} from "../../hv-core/abi/layout.ts";
import { ARG, type Door, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const ON_DEMAND = 1 << 16;
/** dom0 maps the guest's pages here to look at them: that is a touch as any other. */
const WINDOW = 0x8000;

let door: Door;
let domid: number;
beforeEach(() => {
  door = openDoor(8192);
  domid = door.createDomain({ pages: 2048 });
});

const promise = (gfns: readonly number[], order = 0): number => door.populate(domid, gfns, order, ON_DEMAND);

interface Pod {
  result: number;
  total: bigint;
  cache: bigint;
  entries: bigint;
}
function target(op: number, pages = 0n, who = domid, arg = ARG): Pod {
  if (arg === ARG)
    door.put(ARG, 40, [
      [0, 8, pages],
      [32, 2, who],
    ]);
  const result = door.call(HC_MEMORY_OP, op, arg);
  return { result, total: door.u64(ARG + 8), cache: door.u64(ARG + 16), entries: door.u64(ARG + 24) };
}
const set = (pages: number): Pod => target(XENMEM_SET_POD_TARGET, BigInt(pages));
const get = (): Pod => target(XENMEM_GET_POD_TARGET);

/** Maps a guest page into dom0. @returns errno of the item. */
function touch(gfn: number, at = WINDOW + gfn): number {
  door.put(LIST, 16, [
    [0, 8, gfn],
    [8, 8, at],
  ]);
  door.put(ARG, 32, [
    [0, 2, 0x7ff0],
    [2, 2, 4],
    [4, 2, 1],
    [6, 2, domid],
    [8, 8, LIST],
    [16, 8, LIST + 8],
    [24, 8, OUT],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, ARG)).toBe(0);
  return door.u32(OUT) | 0;
}
function letGo(gfn: number): void {
  door.put(ARG, 16, [
    [0, 2, 0x7ff0],
    [8, 8, WINDOW + gfn],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_REMOVE_FROM_PHYSMAP, ARG)).toBe(0);
}
function decrease(gfns: readonly number[], order = 0): number {
  door.put(
    LIST,
    4096,
    gfns.map((gfn, i) => [i * 8, 8, gfn] as const),
  );
  door.put(ARG, 32, [
    [0, 8, LIST],
    [8, 8, gfns.length],
    [16, 4, order],
    [24, 2, domid],
  ]);
  return door.call(HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, ARG);
}
const counter = (index: number): number => Number(door.view.getBigUint64(COUNTERS_BASE + index * 8, true));
const crashReason = (): number => door.view.getUint32(DOMAINS_BASE + DOMAIN_SIZE + DOM_CRASH_REASON, true);

describe("promises", () => {
  it("cost no memory and are counted once", () => {
    const free = door.freeFrames();
    expect(promise([0, 512], 9)).toBe(2);
    expect(promise([3, 700])).toBe(2);
    expect(get()).toMatchObject({ result: 0, total: 0n, cache: 0n, entries: 1024n });
    expect(free - door.freeFrames()).toBeLessThan(8);
  });

  it("are not made over RAM, for oneself, or out of reach", () => {
    expect(door.populate(domid, [5])).toBe(1);
    expect(promise([5])).toBe(0);
    expect(promise([0], 9)).toBe(0);
    expect(door.populate(0, [0x100], 0, ON_DEMAND)).toBe(0);
    expect(promise([2 ** 36])).toBe(0);
    expect(get().entries).toBe(0n);
  });

  it("go when real memory, a foreign page or nothing takes their place", () => {
    expect(promise([0], 9)).toBe(1);
    expect(door.populate(domid, [5])).toBe(1);
    expect(get().entries).toBe(511n);
    expect(decrease([6])).toBe(1);
    expect(get().entries).toBe(510n);
    expect(decrease([0x100], 4)).toBe(1);
    expect(get().entries).toBe(494n);
  });
});

describe("the target", () => {
  it("is memory in the cache: superpages first, never more than the maximum", () => {
    promise([0, 512], 9);
    expect(set(700)).toMatchObject({ result: 0, total: 700n, cache: 700n, entries: 1024n });
    expect(set(2049).result).toBe(-EINVAL);
    expect(set(100)).toMatchObject({ result: 0, cache: 700n }); // below what it has: the balloon driver's business
    expect(set(1024)).toMatchObject({ cache: 1024n, total: 1024n });
  });

  it("V1134..V1138: nothing to do without promises; bad callers", () => {
    door.populate(domid, [0, 512], 9);
    expect(get()).toMatchObject({ result: 0, total: 1024n, cache: 0n, entries: 0n });
    expect(set(10)).toMatchObject({ result: 0, total: 1024n, cache: 0n, entries: 0n });
    expect(target(XENMEM_GET_POD_TARGET, 0n, 0x7ff0).result).toBe(-EINVAL);
    expect(target(XENMEM_SET_POD_TARGET, 0n, 0x7000).result).toBe(-ESRCH);
    expect(target(XENMEM_SET_POD_TARGET, 0n, 0).result).toBe(-EINVAL);
    expect(target(XENMEM_GET_POD_TARGET, 0n, domid, NOWHERE).result).toBe(-EFAULT);
  });

  it("goes with the domain", () => {
    const free = door.freeFrames();
    const other = door.createDomain({ pages: 1024 });
    expect(door.populate(other, [0], 9, ON_DEMAND)).toBe(1);
    expect(target(XENMEM_SET_POD_TARGET, 512n, other).cache).toBe(512n);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, other)).toBe(0);
    expect(door.freeFrames()).toBe(free);
  });
});

describe("touches", () => {
  it("a superpage is populated whole when the cache has one", () => {
    promise([0, 512], 9);
    set(1024);
    expect(touch(0x205)).toBe(0);
    expect(counter(CTR_POD_POPULATED)).toBe(512);
    expect(get()).toMatchObject({ total: 1024n, cache: 512n, entries: 512n });
  });

  it("in single pages when the cache has only those; gigabytes are broken down", () => {
    door = openDoor(8192);
    domid = door.createDomain({ pages: 2 ** 19 });
    promise([0x40000], 18);
    expect(get().entries).toBe(262144n);
    set(100);
    expect(touch(0x4567f)).toBe(0);
    expect(get()).toMatchObject({ total: 100n, cache: 99n, entries: 262143n });
  });

  it("a page is a frame of zeroes, also when the frame was somebody's before", () => {
    door.populate(domid, [0x400]);
    touch(0x400);
    const host = (gfn: number): number => FRAMES_BASE + (door.core.dom0Mfn(WINDOW + gfn) >>> 0) * 4096;
    const used = host(0x400);
    door.view.setUint32(used, 0x12345678, true);
    letGo(0x400);
    promise([3]);
    expect(decrease([0x400])).toBe(1); // the cache takes it
    expect(touch(3)).toBe(0);
    expect([host(3), door.view.getUint32(used, true)]).toEqual([used, 0]);
  });

  it("zero pages that nobody holds go back to the cache when it runs low", () => {
    for (let gfn = 0; gfn < 64; gfn++) promise([gfn]);
    set(8);
    for (let gfn = 0; gfn < 40; gfn++) {
      expect([gfn, touch(gfn)]).toEqual([gfn, 0]);
      letGo(gfn);
    }
    expect(counter(CTR_POD_RECLAIMED)).toBeGreaterThan(30);
    expect(get()).toMatchObject({ total: 8n });
    expect(get().entries + 8n - get().cache).toBe(64n);
    expect(crashReason()).toBe(0);
  });

  it("a page that is zero only where one looks first is somebody's", () => {
    promise([1, 2]);
    set(1);
    expect(touch(1)).toBe(0);
    const word = FRAMES_BASE + (door.core.dom0Mfn(WINDOW + 1) >>> 0) * 4096 + 0x800;
    door.view.setUint32(word, 0x12345678, true);
    letGo(1);
    expect(touch(2)).toBe(-EINVAL);
    expect([crashReason(), door.view.getUint32(word, true)]).toEqual([CRASH_POD_EMPTY, 0x12345678]);
  });

  it("without memory and without a zero page the domain crashes", () => {
    for (let gfn = 1; gfn < 32; gfn++) promise([gfn]);
    set(4);
    for (let gfn = 1; gfn < 5; gfn++) expect(touch(gfn)).toBe(0); // held by dom0: cannot be taken back
    expect(touch(5)).toBe(-EINVAL);
    expect(crashReason()).toBe(CRASH_POD_EMPTY);
  });
});

it("populated pages are known under their gfns, and dirty where writes are tracked", () => {
  promise([0], 9);
  promise([0x203]);
  set(513);
  const shadow = (op: number) =>
    door.domctl(DOMCTL_SHADOW_OP, domid, [
      [0, 4, op],
      [16, 8, OUT],
      [24, 8, 0x400],
    ]);
  expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
  for (const gfn of [5, 0x203]) {
    expect(touch(gfn)).toBe(0);
    const mfn = door.core.dom0Mfn(WINDOW + gfn) >>> 0;
    expect(door.view.getBigUint64(FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + 16, true)).toBe(BigInt(gfn));
  }
  expect(shadow(SHADOW_OP_PEEK)).toBe(0);
  expect(door.result32(36)).toBe(513);
});

it("a promise at the end of the address space does not make the sweep long", () => {
  const last = 2 ** 36 - 1;
  promise([last, 7]);
  expect(set(1)).toMatchObject({ cache: 1n, entries: 2n });
  expect(touch(last, WINDOW)).toBe(0); // held by dom0: cannot be taken back
  expect(touch(7)).toBe(-EINVAL);
  expect(crashReason()).toBe(CRASH_POD_EMPTY);
});

describe("giving back", () => {
  it("what a balloon driver frees is stolen for the cache until all promises are covered", () => {
    door.populate(domid, [0x400, 0x401, 0x402, 0x403]);
    for (let gfn = 0; gfn < 3; gfn++) promise([gfn]);
    expect(get()).toMatchObject({ total: 4n, cache: 0n, entries: 3n });
    expect(decrease([0x400, 0x401])).toBe(2);
    expect(get()).toMatchObject({ total: 4n, cache: 2n, entries: 3n });
    expect(decrease([0x402, 0x403])).toBe(2);
    expect(get()).toMatchObject({ total: 3n, cache: 3n, entries: 3n });
    expect(decrease([0x402])).toBe(0);
  });

  it("but not the hypervisor's own pages: the shared info page never enters the cache (XSA-507)", () => {
    for (let gfn = 0; gfn < 3; gfn++) promise([gfn]);
    door.put(ARG, 24, [
      [0, 2, domid],
      [4, 4, XENMAPSPACE_SHARED_INFO],
      [16, 8, 0x400],
    ]);
    expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, ARG)).toBe(0);
    decrease([0x400]);
    expect(get()).toMatchObject({ cache: 0n, entries: 3n });
    expect(touch(0)).toBe(-EINVAL);
    expect(crashReason()).toBe(CRASH_POD_EMPTY);
  });

  it("and withdrawn promises free what the cache has too much", () => {
    for (let gfn = 0; gfn < 8; gfn++) promise([gfn]);
    set(8);
    expect(decrease([0, 1, 2])).toBe(3);
    expect(get()).toMatchObject({ total: 5n, cache: 5n, entries: 5n });
    expect(door.call(HC_MEMORY_OP, XENMEM_CURRENT_RESERVATION, door.put(ARG, 8, [[0, 2, domid]]))).toBe(5);
  });
});
