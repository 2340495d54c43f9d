/**
 * A p2m as a plain map from gfn to what is there, and random operations on both it and the real one. The model knows nothing of
 * tables, superpages or laziness: a change of many types simply happens. Used by p2m-model.test.ts and its long sibling.
 */
import * as fc from "fast-check";
import { EBUSY } from "../../hv-core/abi/errno.ts";
import * as t from "../../hv-core/abi/p2m-types.ts";
import { INVALID_MFN, MISCONFIG, type P2mExports } from "./p2m-exports.ts";
import { rightsOf } from "./p2m-rights.ts";

interface Page {
  readonly mfn: number;
  readonly type: number;
  readonly access: number;
}

/** A region of gfns that operations go to; the last one lies in a block of 1 GiB that may be mapped as one page. */
const REGIONS = [
  { base: 0, pages: 2048 },
  { base: 0x3fc00, pages: 2048 },
  { base: 2 ** 36 - 1024, pages: 1024 },
  { base: 0x80000, pages: 0x40000 },
] as const;

const CHANGEABLE: readonly number[] = [t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY, t.P2M_IOREQ_SERVER];
/** Bulk changes pass over entries without any right, so accesses of changeable types leave R. */
const READABLE = [
  t.P2M_ACCESS_RWX,
  t.P2M_ACCESS_RWX,
  t.P2M_ACCESS_RX,
  t.P2M_ACCESS_R,
  t.P2M_ACCESS_RW,
  t.P2M_ACCESS_RX2RW,
  t.P2M_ACCESS_R_PW,
];
const FIXED = [
  t.P2M_RAM_RO,
  t.P2M_MMIO_DIRECT,
  t.P2M_RAM_SHARED,
  t.P2M_GRANT_MAP_RW,
  t.P2M_GRANT_MAP_RO,
  t.P2M_RAM_PAGING_OUT,
  t.P2M_RAM_BROKEN,
];

type Gfn = { readonly region: number; readonly offset: number };
type Op =
  | { kind: "set"; at: Gfn; order: number; mfn: number; type: number; access: number }
  | { kind: "clear"; at: Gfn; order: number }
  | { kind: "foreign"; at: Gfn }
  | { kind: "cas"; at: Gfn; from: number; to: number }
  | { kind: "global"; from: number; to: number }
  | { kind: "range"; at: Gfn; pages: number; isOn: boolean }
  | { kind: "map"; flags: number } // WRITE: the only flag that 4.17 takes; READ leaves entries that are not present
  | { kind: "unmap" }
  | { kind: "watch"; at: Gfn }
  | { kind: "finish"; at: Gfn; pages: number }
  | { kind: "touch"; at: Gfn };

/** Few gfns, so that operations meet: borders of tables and superpages above all. */
const at: fc.Arbitrary<Gfn> = fc.record({
  region: fc.constantFrom(0, 0, 0, 1, 2, 3),
  offset: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(0, 1, 2, 511, 512, 513, 1023) },
    { weight: 1, arbitrary: fc.nat(0x3ffff) },
  ),
});
const order = fc.constantFrom(0, 0, 0, 1, 4, 9, 9, 10, 18);
const mfn = fc.integer({ min: 0x10000, max: 0xfffff });
const typeAndAccess = fc.oneof(
  fc.record({
    type: fc.constantFrom(t.P2M_RAM_RW, t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY),
    access: fc.constantFrom(...READABLE),
  }),
  fc.record({ type: fc.constantFrom(...FIXED), access: fc.nat(t.P2M_ACCESS_R_PW) }),
);

export const operation: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc
      .tuple(at, order, mfn, typeAndAccess)
      .map(([at, order, mfn, ta]): Op => ({ kind: "set", at, order, mfn, ...ta })),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("clear" as const), at, order }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("foreign" as const), at }) },
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant("cas" as const),
      at,
      from: fc.constantFrom(...CHANGEABLE, t.P2M_RAM_RO),
      to: fc.constantFrom(...CHANGEABLE, t.P2M_RAM_RO),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Op>(
      { kind: "global", from: t.P2M_RAM_RW, to: t.P2M_RAM_LOGDIRTY },
      { kind: "global", from: t.P2M_RAM_LOGDIRTY, to: t.P2M_RAM_RW },
      { kind: "global", from: t.P2M_RAM_RW, to: t.P2M_RAM_RW },
    ),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("range" as const),
      at,
      pages: fc.constantFrom(1, 2, 3, 64, 512, 700, 1024, 4096),
      isOn: fc.boolean(),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("map" as const), flags: fc.constant(2) }) },
  { weight: 2, arbitrary: fc.constant<Op>({ kind: "unmap" }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("watch" as const), at }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("finish" as const), at, pages: fc.constantFrom(1, 256, 600) }),
  },
  { weight: 5, arbitrary: fc.record({ kind: fc.constant("touch" as const), at }) },
);

const gfnOf = ({ region, offset }: Gfn): number => REGIONS[region]!.base + (offset % REGIONS[region]!.pages);

class Mismatch extends Error {}

function same(what: string, actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Mismatch(`${what}: ${String(actual)} instead of ${String(expected)}`);
}

/** The model beside the real one. */
export class Pair {
  private readonly pages = new Map<number, Page>();
  /** The block of 1 GiB that `pages` overrides; "gone" entries are holes in it. */
  private block: { first: number; page: Page } | undefined;
  private readonly holes = new Set<number>();
  private readonly tracked = new Set<number>();
  private isGlobal = false;
  private server = 0;
  private flags = 0;
  private maxMapped = 0;

  private readonly p2m: P2mExports;
  private readonly slot: number;

  constructor(p2m: P2mExports, slot: number) {
    this.p2m = p2m;
    this.slot = slot;
  }

  private get(gfn: number): Page | undefined {
    const own = this.pages.get(gfn);
    if (own || !this.block || this.holes.has(gfn)) return own;
    const { first, page } = this.block;
    if (gfn < first || gfn >= first + 0x40000) return undefined;
    return { ...page, mfn: page.mfn + (gfn - first) };
  }

  private put(gfn: number, page: Page | undefined): void {
    if (page) this.pages.set(gfn, page);
    else {
      this.pages.delete(gfn);
      this.holes.add(gfn);
    }
  }

  private recalc(type: number, gfn: number): number {
    if (!CHANGEABLE.includes(type) || (type === t.P2M_IOREQ_SERVER && this.server !== 0)) return type;
    return this.isGlobal || this.tracked.has(gfn) ? t.P2M_RAM_LOGDIRTY : t.P2M_RAM_RW;
  }

  /** Everything that is mapped gets the type it should have now. A block splits where single pages are tracked. */
  private recalcAll(): void {
    for (const [gfn, page] of this.pages) this.pages.set(gfn, { ...page, type: this.recalc(page.type, gfn) });
    if (!this.block) return;
    const { first, page } = this.block;
    for (const gfn of this.tracked) {
      const inside = gfn >= first && gfn < first + 0x40000 ? this.get(gfn) : undefined;
      if (inside) this.pages.set(gfn, { ...inside, type: this.recalc(inside.type, gfn) });
    }
    this.block = { first, page: { ...page, type: this.recalc(page.type, -1) } };
  }

  /** 2^order pages, aligned down; 1 GiB only in its own region. */
  private span(where: Gfn, wanted: number): { gfn: number; order: number } {
    const order = wanted === 18 && where.region !== 3 ? 9 : wanted;
    const size = 2 ** order;
    return { gfn: Math.floor(gfnOf(where) / size) * size, order };
  }

  private fill(gfn: number, order: number, page: Page | undefined): void {
    if (order === 18) {
      for (const own of [...this.pages.keys()]) if (own >= gfn && own < gfn + 0x40000) this.pages.delete(own);
      for (const hole of [...this.holes]) if (hole >= gfn && hole < gfn + 0x40000) this.holes.delete(hole);
      this.block = page ? { first: gfn, page } : undefined;
    } else {
      for (let i = 0; i < 2 ** order; i++) this.put(gfn + i, page && { ...page, mfn: page.mfn + i });
    }
    if (page) this.maxMapped = Math.max(this.maxMapped, gfn + 2 ** order - 1);
  }

  apply(op: Op): void {
    const { p2m, slot } = this;
    switch (op.kind) {
      case "set": {
        const { gfn, order } = this.span(op.at, op.order);
        const first = order === 18 ? 0x40000 : Math.floor(op.mfn / 2 ** order) * 2 ** order; // frames that do not exist
        same("set", p2m.set(slot, BigInt(gfn), first, order, op.type, op.access), 0);
        this.fill(gfn, order, { mfn: first, type: op.type, access: op.access });
        break;
      }
      case "clear": {
        const { gfn, order } = this.span(op.at, op.order);
        same("clear", p2m.set(slot, BigInt(gfn), INVALID_MFN, order, t.P2M_MMIO_DM, t.P2M_ACCESS_N), 0);
        this.fill(gfn, order, undefined);
        break;
      }
      case "foreign": {
        const gfn = gfnOf(op.at);
        same("foreign", p2m.set(slot, BigInt(gfn), 1, 0, t.P2M_MAP_FOREIGN, t.P2M_ACCESS_RWX), 0);
        this.fill(gfn, 0, { mfn: 1, type: t.P2M_MAP_FOREIGN, access: t.P2M_ACCESS_RWX });
        break;
      }
      case "cas":
        this.compareAndSwap(gfnOf(op.at), op.from, op.to);
        break;
      case "global":
        p2m.changeTypeGlobal(slot, op.from, op.to);
        if (op.from !== op.to) this.isGlobal = op.to === t.P2M_RAM_LOGDIRTY;
        this.recalcAll();
        break;
      case "range":
        this.range(gfnOf(op.at), op.pages, op.isOn);
        break;
      case "map":
        if (this.server !== 0 || p2m.ioreqEntries(slot) !== 0n) return; // the hypercall answers -EBUSY
        this.server = 1;
        this.flags = op.flags;
        p2m.setTypeServer(slot, 1, op.flags);
        break;
      case "unmap":
        if (this.server === 0) return;
        this.server = 0;
        this.flags = 0;
        p2m.setTypeServer(slot, 0, 0);
        p2m.changeTypeGlobal(slot, t.P2M_IOREQ_SERVER, t.P2M_RAM_RW);
        this.isGlobal = false;
        this.recalcAll();
        break;
      case "watch": {
        this.apply({ kind: "map", flags: 2 });
        if (this.server === 0) return;
        const page = { mfn: 0x50000, type: t.P2M_IOREQ_SERVER, access: t.P2M_ACCESS_RWX };
        same("watch", p2m.set(slot, BigInt(gfnOf(op.at)), page.mfn, 0, page.type, page.access), 0);
        this.fill(gfnOf(op.at), 0, page);
        break;
      }
      case "finish":
        same("finish", p2m.finishTypeChange(slot, BigInt(gfnOf(op.at)), BigInt(op.pages)), 0);
        break;
      case "touch":
        this.touch(gfnOf(op.at));
    }
  }

  private compareAndSwap(gfn: number, from: number, to: number): void {
    if (to === t.P2M_IOREQ_SERVER && this.server === 0) return; // the hypercall answers -EINVAL
    const page = this.get(gfn);
    const matches = page !== undefined && page.type === from;
    same("cas", this.p2m.changeTypeOne(this.slot, BigInt(gfn), from, to), matches ? 0 : -EBUSY);
    if (matches) this.put(gfn, { mfn: page.mfn, type: to, access: t.P2M_ACCESS_RWX });
  }

  private range(gfn: number, pages: number, isOn: boolean): void {
    const { p2m, slot } = this;
    const [from, to] = isOn ? [t.P2M_RAM_RW, t.P2M_RAM_LOGDIRTY] : [t.P2M_RAM_LOGDIRTY, t.P2M_RAM_RW];
    p2m.changeTypeRange(slot, BigInt(gfn), BigInt(gfn + pages), from, to);
    const last = Math.min(gfn + pages - 1, this.maxMapped);
    for (let g = gfn; g <= last; g++) {
      if (isOn) this.tracked.add(g);
      else this.tracked.delete(g);
    }
    const isWhole = gfn === 0 && last === this.maxMapped;
    for (let g = gfn; g <= last; g++) {
      const page = this.get(g);
      if (!page) continue;
      let type = this.recalc(page.type, g);
      // A range of one page only changes what is tracked; the entry follows if it was waiting for a repair anyway.
      if (gfn === last && !isWhole && p2m.lookup(slot, BigInt(g)) === page.type) type = page.type;
      this.put(g, { ...page, type });
    }
  }

  /** An access by the processor: at most one misconfiguration, then exactly the rights of type and access. */
  private touch(gfn: number): void {
    const { p2m, slot } = this;
    const page = this.get(gfn);
    const rights = page ? rightsOf(page.type, page.access, this.flags) : 0;
    // Writable but not readable is no legal entry, and no repair makes it one: a touch crashes the domain, as on real Xen.
    const isIllegal = (rights & 3) === 2;
    let found = p2m.hardware(slot, BigInt(gfn));
    if ((found & MISCONFIG) !== 0n) {
      const resolved = p2m.resolve(slot, BigInt(gfn));
      if (!isIllegal) same("resolve", resolved, 1);
      found = p2m.hardware(slot, BigInt(gfn));
    }
    if (isIllegal) {
      same("illegal entry", (found & MISCONFIG) !== 0n, true);
      return;
    }
    same(`rights of gfn ${gfn.toString(16)}`, Number(found & 7n), rights);
    if (rights !== 0) same(`frame of gfn ${gfn.toString(16)}`, Number((found >> 12n) & 0xffffffffffn), page!.mfn);
    same("resolve again", p2m.resolve(slot, BigInt(gfn)), 0);
  }

  private compare(gfn: number): void {
    const { p2m, slot } = this;
    const page = this.get(gfn);
    same(`type of gfn ${gfn.toString(16)}`, p2m.lookup(slot, BigInt(gfn)), page?.type ?? t.P2M_MMIO_DM);
    same(
      `frame of gfn ${gfn.toString(16)}`,
      p2m.lookupMfn(slot) >>> 0,
      page && page.type !== t.P2M_RAM_BROKEN ? page.mfn : INVALID_MFN,
    );
    same(`access of gfn ${gfn.toString(16)}`, p2m.lookupAccess(slot), page?.access ?? t.P2M_ACCESS_N);
  }

  /** After each step: invariants, and lookups at and around the place of the operation. */
  checkStep(op: Op): void {
    same("broken invariants", this.p2m.check(this.slot), 0);
    if (!("at" in op)) return;
    const gfn = gfnOf(op.at);
    const block = gfn - (gfn % 512);
    for (const near of [gfn, gfn + 1, gfn - 1, block, block + 511, block + 512, block - 1])
      if (near >= 0 && near < 2 ** 36) this.compare(near);
  }

  /** At the end: every page that anything was said about, and both sides of it; then the same by touching. */
  checkAll(): void {
    const all = new Set<number>();
    for (const gfn of [...this.pages.keys(), ...this.holes, ...this.tracked]) all.add(gfn);
    if (this.block) for (const step of [0, 1, 511, 512, 0x3ffff]) all.add(this.block.first + step);
    for (const gfn of all) this.compare(gfn);
    let left = 200;
    for (const gfn of all) if (left-- > 0) this.touch(gfn);
    same("broken invariants", this.p2m.check(this.slot), 0);
  }
}

/** Runs `sequences` random operation sequences; a failure shows the smallest one. */
export function compareWithModel(p2m: P2mExports, slot: number, sequences: number, seed: number): void {
  let current = slot;
  const free = p2m.freeFrames();
  fc.assert(
    fc.property(fc.array(operation, { minLength: 1, maxLength: 30, size: "max" }), (ops) => {
      current = p2m.renew(current);
      same("frames lost", p2m.freeFrames(), free);
      const pair = new Pair(p2m, current);
      for (const op of ops) {
        pair.apply(op);
        pair.checkStep(op);
      }
      pair.checkAll();
    }),
    { numRuns: sequences, seed },
  );
}
