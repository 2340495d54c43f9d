/** Copy on write: who writes gets a page of his own, and nobody sees it (spec 04 section 4.2, unshare; spec 02 step 7). */
import { beforeEach, describe, expect, it } from "vitest";
import { load32, store32 } from "../../host/lib/explore/code.ts";
import {
  CTR_RMAP_TO_HASH,
  CTR_RMAP_TO_LIST,
  CTR_UNSHARE_COPIED,
  CTR_UNSHARE_LAST,
} from "../../hv-core/abi/counters.ts";
import { CRASH_UNSHARE_NO_MEMORY } from "../../hv-core/abi/crash.ts";
import { EINVAL } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_MAX_MEM,
  HC_MEMORY_OP,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_INCREASE_RESERVATION,
} from "../../hv-core/abi/hypercalls.ts";
import {
  AS_FIXED,
  AS_XEN,
  KNOB_SHARING_RMAP,
  KNOB_SHARING_THIRD,
  SHARING_RMAP_AUTO,
  SHARING_RMAP_HASH,
  SHARING_RMAP_LIST,
} from "../../hv-core/abi/knobs.ts";
import { COUNTERS_BASE } from "../../hv-core/abi/layout.ts";
import { P2M_RAM_RW, P2M_RAM_SHARED } from "../../hv-core/abi/p2m-types.ts";
import { makeCaller, mapGuestPage } from "../hv/caller.ts";
import { ARG, LIST, openDoor } from "../hv/door.ts";
import { crashOf, runIn } from "./guest.ts";
import { openSharing, type Sharing } from "./support.ts";

let s: Sharing;
let a: number;
let b: number;
const PAGE = 0x1000;
const range = (first: number, count: number) => Array.from({ length: count }, (_, i) => first + i);
const counter = (index: number) => Number(s.door.view.getBigUint64(COUNTERS_BASE + index * 8, true));
const balance = () => s.shared(a) + s.shared(b) - s.freed() - s.used();

function open(knobs: readonly (readonly [number, number])[] = [], pages = 64): void {
  s = openSharing(openDoor(2048, knobs));
  a = s.door.createDomain({ pages });
  b = s.door.createDomain({ pages });
  for (const domid of [a, b]) {
    expect(s.door.populate(domid, range(0, 16))).toBe(16);
    s.poke(domid, 1, 0x1111);
  }
}
beforeEach(() => open());

/** What mapping a page of a domain into dom0 answers. */
function mapping(domid: number, gfn: number): number {
  mapGuestPage(s.door, domid, gfn);
  return s.door.view.getInt32(s.door.at(0x5010), true); // the errno of the one item
}

/** Takes every frame that is left. @returns a domain to destroy for getting them back. */
function drain(): number {
  const hog = s.door.createDomain({ pages: 1 << 20 });
  const arg = s.door.put(ARG, 32, [
    [8, 8, s.door.freeFrames()],
    [24, 2, hog],
  ]);
  s.door.call(HC_MEMORY_OP, XENMEM_INCREASE_RESERVATION, arg);
  expect(s.door.freeFrames()).toBe(0);
  return hog;
}

describe("a guest's write to a shared page", () => {
  it("copies it: the others keep what they had", () => {
    expect(s.merge(a, 1, b, 1)).toBe(0);
    runIn(s, b, [store32(PAGE, 0x2222)]);
    expect([s.peek(a, 1), s.peek(b, 1)]).toEqual([0x1111, 0x2222]);
    expect(s.entry(a, 1).type).toBe(P2M_RAM_SHARED);
    expect(s.entry(b, 1)).toMatchObject({ type: P2M_RAM_RW, rights: 7 });
    expect([s.freed(), s.used(), s.shared(a), s.shared(b), s.totPages(b)]).toEqual([0, 1, 1, 0, 16]);
    expect([s.audit(), counter(CTR_UNSHARE_COPIED), counter(CTR_UNSHARE_LAST)]).toEqual([0, 1, 0]);
  });
  it("of the last sharer takes no copy: it keeps the frame", () => {
    s.merge(a, 1, b, 1);
    const { mfn } = s.entry(a, 1);
    runIn(s, b, [store32(PAGE, 0x2222)]);
    runIn(s, a, [store32(PAGE, 0x3333)]);
    expect(s.entry(a, 1)).toMatchObject({ mfn, type: P2M_RAM_RW, rights: 7 });
    expect([s.peek(a, 1), s.peek(b, 1)]).toEqual([0x3333, 0x2222]);
    expect([s.freed(), s.used(), s.shared(a), s.totPages(a)]).toEqual([0, 0, 0, 16]);
    expect(counter(CTR_UNSHARE_LAST)).toBe(1);
  });
  it("changes only the page it hits; reads change nothing", () => {
    for (const gfn of [1, 2]) s.merge(a, gfn, b, gfn);
    runIn(s, b, [load32(PAGE), store32(2 * PAGE, 7)]);
    expect([s.entry(b, 1).type, s.entry(b, 2).type]).toEqual([P2M_RAM_SHARED, P2M_RAM_RW]);
  });
  it("is seen by the guest itself, over a cached translation too", () => {
    s.merge(a, 1, b, 1);
    // Read the shared page (it is in the TLB now), write it, read it back and store what was read elsewhere.
    const saveEax = { bytes: [0xa3, 0x00, 0x30, 0, 0], text: "mov [0x3000], eax" };
    runIn(s, b, [load32(PAGE), store32(PAGE, 0x4444), load32(PAGE), saveEax]);
    expect(s.peek(b, 3)).toBe(0x4444);
    expect(s.peek(a, 1)).toBe(0x1111);
  });
});

describe("no memory for the copy", () => {
  it("and no ring: the domain crashes with a reason, the other goes on, nothing has changed", () => {
    s.merge(a, 1, b, 1);
    drain();
    runIn(s, b, [store32(PAGE, 0x2222)]);
    expect(crashOf(s, b)).toBe(CRASH_UNSHARE_NO_MEMORY);
    expect(crashOf(s, a)).toBe(0);
    expect([s.peek(a, 1), s.peek(b, 1)]).toEqual([0x1111, 0x1111]);
    expect([s.freed(), s.used(), balance(), s.audit()]).toEqual([1, 1, 0, 0]);
  });
  it("the last sharer needs none", () => {
    s.handle(a, 1);
    drain();
    runIn(s, a, [store32(PAGE, 5)]);
    expect([crashOf(s, a), s.peek(a, 1), s.used()]).toEqual([0, 5, 0]);
  });
  it("a domain at its limit of memory has none, however much the machine has", () => {
    s.merge(a, 1, b, 1);
    s.door.domctl(DOMCTL_MAX_MEM, b, [[0, 8, 15 * 4]]);
    runIn(s, b, [store32(PAGE, 0x2222)]);
    expect(crashOf(s, b)).toBe(CRASH_UNSHARE_NO_MEMORY);
  });
  it("foreign mappings get an error, and work when memory is back", () => {
    s.merge(a, 1, b, 1);
    const hog = drain();
    expect(mapping(b, 1)).toBe(-EINVAL);
    expect([s.freed(), s.shared(b), balance()]).toEqual([1, 1, 0]);
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, hog)).toBe(0);
    expect(mapping(b, 1)).toBe(0);
    expect([s.freed(), s.shared(b), balance()]).toEqual([0, 0, 0]);
  });
});

describe("whoever else writes to the page", () => {
  it("a hypercall's results unshare what they go to", () => {
    const caller = makeCaller(s.door);
    s.merge(a, 1, caller.domid, 5);
    const before = s.entry(caller.domid, 5).mfn;
    // xen_version op 1: sixteen bytes of extra version to page 5
    expect(caller.call(17, 1, 5 * PAGE)).toBe(0);
    expect(s.entry(caller.domid, 5).mfn).not.toBe(before);
    expect(s.entry(caller.domid, 5).type).toBe(P2M_RAM_RW);
    expect(s.peek(a, 1)).toBe(0x1111);
  });
  it("a page that is given back loses one reference only", () => {
    s.merge(a, 1, b, 1);
    expect(decrease(b, 1)).toBe(1);
    expect([s.freed(), s.used(), s.shared(a), s.shared(b), s.totPages(b)]).toEqual([0, 1, 1, 0, 15]);
    expect(decrease(a, 1)).toBe(1);
    expect([s.used(), s.shared(a), s.totPages(a), s.audit()]).toEqual([0, 0, 15, 0]);
  });
  it("a page put over a shared one leaves the others what they have", () => {
    s.merge(a, 1, b, 1);
    expect(s.door.populate(b, [1])).toBe(1);
    expect([s.shared(b), s.peek(a, 1), balance()]).toEqual([0, 0x1111, 0]);
  });
});

function decrease(domid: number, gfn: number): number {
  s.door.put(LIST, 8, [[0, 8, gfn]]);
  const arg = s.door.put(ARG, 32, [
    [0, 8, LIST],
    [8, 8, 1],
    [24, 2, domid],
  ]);
  return s.door.call(HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, arg);
}

describe("a domain that dies", () => {
  it("gives up its references; the frames go with the last of them", () => {
    const before = s.door.freeFrames();
    const c = s.door.createDomain({ pages: 64 });
    s.door.populate(c, range(0, 8));
    for (const gfn of range(0, 8)) s.merge(a, gfn + 1, c, gfn);
    expect([s.freed(), s.shared(c)]).toEqual([8, 8]);
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, c)).toBe(0);
    expect([s.freed(), s.used(), s.shared(a), s.audit()]).toEqual([0, 8, 8, 0]);
    expect(s.peek(a, 1)).toBe(0x1111);
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, a)).toBe(0);
    expect([s.freed(), s.used(), s.audit()]).toEqual([0, 0, 0]);
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, b)).toBe(0);
    expect(s.door.freeFrames()).toBeGreaterThan(before + 32);
  });
  it("with many shared pages is preempted on the way", () => {
    open([], 1200);
    s.door.populate(a, range(16, 480));
    s.door.populate(a, range(496, 480));
    s.door.populate(b, range(16, 480));
    s.door.populate(b, range(496, 480));
    for (const domid of [a, b]) s.control(domid, true);
    const rc = s.op(8, a, [
      [0, 8, 1],
      [8, 8, 975],
      [24, 2, b],
    ]);
    expect(rc).toBe(0);
    expect(s.freed()).toBe(975);
    expect(s.door.domctl(DOMCTL_DESTROYDOMAIN, b)).toBe(0);
    expect([s.freed(), s.shared(a)]).toEqual([0, 975]);
  });
});

describe("the reverse map", () => {
  const SHARERS = 300;
  /** One frame shown by `count` gfns of b and one of a. */
  function many(count: number): void {
    const sh = s.handle(a, 1);
    s.control(b, true);
    for (let i = 0; i < count; i++) expect(s.add(a, 1, sh, b, 0x100 + i)).toBe(0);
  }
  it("is a list, a hash from 256 entries on, and a list again at 64", () => {
    open([[KNOB_SHARING_RMAP, SHARING_RMAP_AUTO]], 400);
    many(SHARERS);
    expect(counter(CTR_RMAP_TO_HASH)).toBe(1);
    expect([s.freed(), s.debugGfn(a, 1), s.audit()]).toEqual([SHARERS, SHARERS + 1, 0]);
    let left = SHARERS;
    while (left > 62) {
      mapGuestPage(s.door, b, 0x100 + --left);
      if (left === 64) expect(counter(CTR_RMAP_TO_LIST)).toBe(0);
    }
    expect(counter(CTR_RMAP_TO_LIST)).toBe(1);
    expect([s.freed(), s.debugGfn(a, 1), s.audit(), balance()]).toEqual([62, 63, 0, 0]);
  });
  for (const [name, value] of [
    ["list", SHARING_RMAP_LIST],
    ["hash", SHARING_RMAP_HASH],
  ] as const)
    it(`can stay a ${name} for good`, () => {
      open([[KNOB_SHARING_RMAP, value]], 400);
      many(SHARERS);
      expect(counter(CTR_RMAP_TO_HASH)).toBe(value === SHARING_RMAP_HASH ? 1 : 0);
      for (let i = 0; i < SHARERS; i += 2) mapGuestPage(s.door, b, 0x100 + i);
      expect([s.freed(), s.audit(), balance()]).toEqual([SHARERS / 2, 0, 0]);
      expect(counter(CTR_RMAP_TO_LIST)).toBe(0);
    });
});

describe("entries of a third domain (S-10)", () => {
  function three(): number {
    const c = s.door.createDomain({ pages: 64 });
    s.door.populate(c, range(0, 8));
    s.merge(b, 1, c, 1); // b's page is shown by c too
    return c;
  }
  it("move with their domain's lock taken in order", () => {
    open([[KNOB_SHARING_THIRD, AS_FIXED]]);
    const c = three();
    const sh = s.handle(a, 1);
    expect(s.share(a, 1, sh, b, 1, s.handle(b, 1))).toBe(0);
    const { mfn } = s.entry(a, 1);
    expect([s.entry(b, 1).mfn, s.entry(c, 1).mfn]).toEqual([mfn, mfn]);
    expect([s.freed(), s.used(), s.debugGfn(a, 1), s.audit()]).toEqual([2, 1, 3, 0]);
  });
  it("stop the hypervisor as in Xen 4.17: a p2m lock is taken under page locks", () => {
    open([[KNOB_SHARING_THIRD, AS_XEN]]);
    three();
    const sh = s.handle(a, 1);
    const ch = s.handle(b, 1);
    expect(() => s.share(a, 1, sh, b, 1, ch)).toThrow(WebAssembly.RuntimeError);
  });
});

it("a superpage is nominated piece by piece", () => {
  open([], 1024);
  const c = s.door.createDomain({ pages: 1024 });
  expect(s.door.populate(c, [0x200], 9)).toBe(1);
  s.poke(c, 0x205, 77);
  expect(s.merge(c, 0x205, c, 0x206)).toBe(0);
  expect([s.entry(c, 0x204).rights, s.entry(c, 0x205).rights, s.peek(c, 0x206)]).toEqual([7, 5, 77]);
});

it("a zombie's pages cannot be mapped any more", () => {
  s.merge(a, 1, b, 1);
  mapGuestPage(s.door, b, 2);
  s.door.domctl(DOMCTL_DESTROYDOMAIN, b);
  expect(mapping(b, 1)).toBe(-EINVAL);
  expect([s.freed(), s.used(), s.shared(a)]).toEqual([0, 1, 1]);
});
