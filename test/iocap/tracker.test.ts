/** The accountant alone, without page tables: its states and transitions (spec 06 section 6.3), and four ways to count against one model. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { EBUSY, ENOMEM, EOVERFLOW, EPERM } from "../../hv-core/abi/errno.ts";
import {
  IO_KIND_FRAME,
  IO_KIND_IRQ,
  IO_KIND_PORT,
  IO_UNIT_DEFAULT_IN_USE,
  IO_UNIT_FREE,
  IO_UNIT_GRANTED,
  IO_UNIT_IN_USE,
  IO_UNIT_RESERVED,
  IO_UNIT_REVOKING,
  IO_UNIT_SHARED,
} from "../../hv-core/abi/io-units.ts";
import { ACCOUNT_HEADERS, ACCOUNT_RADIX, ACCOUNT_RANGES, ACCOUNT_SLAB } from "../../hv-core/abi/knobs.ts";
import { loadUnits } from "../support/units.ts";

interface Exports {
  reset(method: number, policy: number, frames: number): void;
  seal(): void;
  reserve(kind: number, first: bigint, last: bigint): number;
  grant(kind: number, holder: number, first: bigint, last: bigint, isShared: boolean): number;
  revoke(kind: number, holder: number, first: bigint, last: bigint): number;
  map(holder: number, first: bigint, last: bigint): number;
  unmap(holder: number, first: bigint, last: bigint): void;
  mayUse(kind: number, holder: number, first: bigint, last: bigint): number;
  forget(holder: number): void;
  state(kind: number, unit: bigint): number;
  record(mfn: bigint): number;
  search(first: bigint, last: bigint, holder: number, isOther: boolean): bigint;
  counted(): number;
  total(): number;
  bytes(): number;
  free(): number;
  starve(left: number): void;
}

const METHODS = { headers: ACCOUNT_HEADERS, slab: ACCOUNT_SLAB, radix: ACCOUNT_RADIX, ranges: ACCOUNT_RANGES };
const REFUSE = 0;
const LAZY = 1;
const FRAMES = 4096;
const DOM0 = 1;
const U = 2;
const V = 3;
const M = 0xe_0100n;

let core: Exports;
beforeAll(async () => {
  core = (await loadUnits<Exports>("io-tracker", FRAMES)).exports;
});

const stateOf = (unit: bigint, kind = IO_KIND_FRAME): number => core.state(kind, unit) & 255;
const grant = (holder: number, first = M, last = first): number =>
  core.grant(IO_KIND_FRAME, holder, first, last, false);
const revoke = (holder: number, first = M, last = first): number => core.revoke(IO_KIND_FRAME, holder, first, last);
const map = (holder: number, first = M, last = first): number => core.map(holder, first, last);

describe.each(Object.entries(METHODS))("the accountant, counts in %s", (_, method) => {
  const reset = (policy = REFUSE, frames = FRAMES): void => core.reset(method, policy, frames);

  it("goes from free to granted to in use and back", () => {
    reset();
    expect(stateOf(M)).toBe(IO_UNIT_FREE);
    expect(grant(U)).toBe(0);
    expect(stateOf(M)).toBe(IO_UNIT_GRANTED);
    expect(core.state(IO_KIND_FRAME, M) >>> 8).toBe(U);
    expect(map(U)).toBe(0);
    expect(stateOf(M)).toBe(IO_UNIT_IN_USE);
    core.unmap(U, M, M);
    expect(stateOf(M)).toBe(IO_UNIT_GRANTED);
    expect(revoke(U)).toBe(0);
    expect(stateOf(M)).toBe(IO_UNIT_FREE);
  });

  it("lets the default domain use what nobody holds, and only that", () => {
    reset();
    expect(map(DOM0)).toBe(0);
    expect(stateOf(M)).toBe(IO_UNIT_DEFAULT_IN_USE);
    expect(grant(U)).toBe(-EBUSY);
    core.unmap(DOM0, M, M);
    expect(grant(U)).toBe(0);
    expect(map(DOM0)).toBe(-EPERM);
    expect(core.mayUse(IO_KIND_FRAME, DOM0, M - 1n, M)).toBe(0);
    expect(core.mayUse(IO_KIND_FRAME, DOM0, M - 1n, M - 1n)).toBe(1);
  });

  it("lets nobody map what was not granted, nor a range of which a part is another's", () => {
    reset();
    expect(map(U)).toBe(-EPERM);
    expect(grant(U, M, M + 3n)).toBe(0);
    expect(map(U, M, M + 4n)).toBe(-EPERM);
    expect(core.counted()).toBe(0);
    expect(grant(V, M + 3n, M + 9n)).toBe(-EBUSY);
    expect(stateOf(M + 9n)).toBe(IO_UNIT_FREE);
  });

  it("never gives away what the hypervisor has reserved", () => {
    reset();
    expect(core.reserve(IO_KIND_FRAME, M, M)).toBe(0);
    expect(stateOf(M)).toBe(IO_UNIT_RESERVED);
    expect(grant(DOM0)).toBe(-EPERM);
    expect(grant(U)).toBe(-EPERM);
    expect(map(DOM0)).toBe(-EPERM);
    expect(grant(U, M - 5n, M + 5n)).toBe(-EPERM);
  });

  it("reserves only at boot, and nothing that is in use", () => {
    reset();
    expect(map(DOM0)).toBe(0);
    expect(core.reserve(IO_KIND_FRAME, M - 1n, M + 1n)).toBe(-EBUSY);
    expect(grant(U, M + 2n)).toBe(0);
    expect(core.reserve(IO_KIND_FRAME, M + 2n, M + 2n)).toBe(-EBUSY);
    core.seal();
    expect(core.reserve(IO_KIND_FRAME, M + 7n, M + 7n)).toBe(-EPERM);
  });

  it("refuses to revoke what is mapped", () => {
    reset();
    grant(U);
    map(U);
    expect(revoke(U)).toBe(-EBUSY);
    expect(stateOf(M)).toBe(IO_UNIT_IN_USE);
    expect(map(DOM0, M + 1n)).toBe(0);
    expect(revoke(DOM0, M + 1n)).toBe(-EBUSY);
  });

  it("revokes lazily: the unit is nobody's until the last mapping is gone", () => {
    reset(LAZY);
    grant(U);
    map(U);
    map(U);
    expect(revoke(U)).toBe(0);
    expect(stateOf(M)).toBe(IO_UNIT_REVOKING);
    expect(map(U)).toBe(-EPERM);
    expect(grant(V)).toBe(-EBUSY);
    expect(map(DOM0)).toBe(-EPERM);
    core.unmap(U, M, M);
    expect(grant(V)).toBe(-EBUSY);
    core.unmap(U, M, M);
    expect(stateOf(M)).toBe(IO_UNIT_FREE);
    expect(grant(V)).toBe(0);
  });

  it("counts a frame that is mapped twice, twice", () => {
    reset();
    grant(U);
    map(U);
    map(U);
    expect(core.record(M) & 0xffff).toBe(2);
    core.unmap(U, M, M);
    expect(core.record(M) & 0xffff).toBe(1);
    expect(revoke(U)).toBe(-EBUSY);
  });

  it("stops at the limit of a count, with nothing half done", () => {
    reset();
    grant(U, M, M + 1n);
    for (let i = 0; i < 0xffff; i++) map(U, M + 1n);
    expect(map(U, M, M + 1n)).toBe(-EOVERFLOW);
    expect(core.record(M)).toBe(0);
    expect(core.record(M + 1n) & 0xffff).toBe(0xffff);
  });

  it("maps all of a large range or nothing when memory runs out", () => {
    reset();
    const last = M + 0xffffn; // a framebuffer of 256 MiB
    expect(grant(U, M, last)).toBe(0);
    core.starve(method === ACCOUNT_HEADERS ? 1000 : method === ACCOUNT_RANGES ? 0 : 20);
    const free = core.free();
    const rc = map(U, M, last);
    if (method === ACCOUNT_RANGES) {
      expect(rc).toBe(0); // one node, which the last frame of nodes still has
      return;
    }
    expect(rc).toBe(-ENOMEM);
    expect([core.counted(), core.total(), core.search(M, last, DOM0, true)]).toEqual([0, 0, 0n]);
    // A radix tree gives back all it took, objects too; the hash keeps its directory.
    expect(free - core.free()).toBeLessThanOrEqual(method === ACCOUNT_SLAB ? 8 : 0);
  });

  it("takes away whole ranges, and forgets the dead, when no memory is left to write anything down", () => {
    reset();
    let ranges = 0n;
    while (grant(U, M + 2n * ranges) === 0) ranges++;
    expect(ranges).toBeGreaterThan(40_000n);
    expect(grant(V, M + 2n * ranges)).toBe(-ENOMEM);
    expect(revoke(U, M)).toBe(0); // needs no node
    expect(stateOf(M)).toBe(IO_UNIT_FREE);
    core.forget(U);
    expect([stateOf(M + 2n), stateOf(M + 2n * (ranges - 1n))]).toEqual([IO_UNIT_FREE, IO_UNIT_FREE]);
    expect(grant(V, M, M + 2n * ranges)).toBe(0);
  });

  it("leaves a range whole that it has no memory to cut", () => {
    reset();
    expect(grant(U, M, M + 2n)).toBe(0);
    expect(grant(U, M + 4n, M + 6n)).toBe(0);
    let ranges = 4n;
    while (grant(U, M + 2n * ranges) === 0) ranges++;
    expect(revoke(U, M + 1n)).toBe(0); // two nodes are left: one for each edge
    expect(revoke(U, M + 5n)).toBe(-ENOMEM); // and now one
    expect(stateOf(M + 5n)).toBe(IO_UNIT_GRANTED);
    expect(grant(V, M + 1n)).toBe(-ENOMEM);
    expect(revoke(U, M, M)).toBe(0);
    expect(revoke(U, M + 2n, M + 2n)).toBe(0);
  });

  it("forgets what a dead domain held, but not what is still mapped", () => {
    reset();
    grant(U, M, M + 10n);
    grant(V, M + 11n, M + 12n);
    core.grant(IO_KIND_PORT, U, 0x300n, 0x307n, false);
    map(U, M + 2n);
    core.forget(U);
    expect(stateOf(M + 2n)).toBe(IO_UNIT_REVOKING);
    expect(stateOf(M + 11n)).toBe(IO_UNIT_GRANTED);
    expect(stateOf(0x300n, IO_KIND_PORT)).toBe(IO_UNIT_FREE);
    expect(grant(V, M, M + 10n)).toBe(-EBUSY);
    core.unmap(U, M + 2n, M + 2n);
    expect(grant(V, M, M + 10n)).toBe(0);
  });

  it("shares an interrupt line only when everybody says so", () => {
    reset();
    const line = (holder: number, isShared: boolean): number => core.grant(IO_KIND_IRQ, holder, 16n, 16n, isShared);
    expect(line(U, false)).toBe(0);
    expect(line(V, false)).toBe(-EBUSY);
    expect(line(V, true)).toBe(-EBUSY);
    core.revoke(IO_KIND_IRQ, U, 16n, 16n);
    expect(line(U, true)).toBe(0);
    expect(line(V, false)).toBe(-EBUSY);
    expect(line(V, true)).toBe(0);
    expect(stateOf(16n, IO_KIND_IRQ)).toBe(IO_UNIT_SHARED);
    for (const holder of [DOM0, U, V]) expect(core.mayUse(IO_KIND_IRQ, holder, 16n, 16n)).toBe(1);
  });

  it("agrees with a map of numbers under random operations", () => {
    const op = fc.record({
      kind: fc.constantFrom("grant", "revoke", "map", "unmap"),
      who: fc.constantFrom(DOM0, U, V),
      at: fc.nat(40),
      n: fc.integer({ min: 1, max: 12 }),
    });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 80 }), fc.constantFrom(REFUSE, LAZY), (ops, policy) => {
        reset(policy);
        const held = new Map<number, number>();
        const maps = new Map<number, { who: number; count: number }>();
        for (const { kind, who, at, n } of ops) {
          const units = Array.from({ length: n }, (_, i) => at + i);
          const [first, last] = [M + BigInt(at), M + BigInt(at + n - 1)];
          const mappedByOther = units.some((u) => maps.has(u) && maps.get(u)!.who !== who);
          if (kind === "grant") {
            const isBusy = units.some((u) => (held.get(u) ?? who) !== who) || mappedByOther;
            expect(grant(who, first, last)).toBe(isBusy ? -EBUSY : 0);
            if (!isBusy && who !== DOM0) for (const u of units) held.set(u, who);
          } else if (kind === "revoke") {
            const isBusy = policy === REFUSE && units.some((u) => maps.get(u)?.who === who);
            expect(revoke(who, first, last)).toBe(isBusy ? -EBUSY : 0);
            if (!isBusy) for (const u of units) if (held.get(u) === who) held.delete(u);
          } else if (kind === "map") {
            const may = units.every((u) => (who === DOM0 ? !held.has(u) : held.get(u) === who)) && !mappedByOther;
            expect(map(who, first, last)).toBe(may ? 0 : -EPERM);
            if (may) for (const u of units) maps.set(u, { who, count: (maps.get(u)?.count ?? 0) + 1 });
          } else if (units.every((u) => maps.get(u)?.who === who)) {
            core.unmap(who, first, last);
            for (const u of units) {
              const entry = maps.get(u)!;
              if (--entry.count === 0) maps.delete(u);
            }
          }
          for (let u = 0; u < 56; u++) {
            const entry = maps.get(u);
            expect(core.record(M + BigInt(u)) >>> 0).toBe(entry ? entry.who * 65536 + entry.count : 0);
          }
          expect(core.counted()).toBe(maps.size);
          expect(core.total()).toBe([...maps.values()].reduce((sum, { count }) => sum + count, 0));
        }
      }),
      { numRuns: 25 },
    );
  });
});
