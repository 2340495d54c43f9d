/** Rangesets against a model that is a sorted list, and the limits recorded on Xen 4.17. */
import fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";
import { EINVAL, ENOMEM } from "../../hv-core/abi/errno.ts";
import { loadUnits } from "../support/units.ts";

interface Exports {
  reset(): void;
  create(limit: number): number;
  destroy(head: number): void;
  add(head: number, start: bigint, end: bigint): number;
  remove(head: number, start: bigint, end: bigint): number;
  contains(head: number, start: bigint, end: bigint): number;
  overlaps(head: number, start: bigint, end: bigint): number;
  count(head: number): number;
  ceiling(head: number, key: bigint): number;
  startOf(index: number): bigint;
  endOf(index: number): bigint;
}

const LAST = 0xffff_ffff_ffff_ffffn;
let core: Exports;
beforeAll(async () => {
  core = (await loadUnits<Exports>("rangeset")).exports;
});

/** The ranges of a set, in order. */
function ranges(head: number): [bigint, bigint][] {
  const list: [bigint, bigint][] = [];
  for (let key = 0n; ; ) {
    const index = core.ceiling(head, key);
    if (index === 0) return list;
    const end = BigInt.asUintN(64, core.endOf(index));
    list.push([BigInt.asUintN(64, core.startOf(index)), end]);
    if (end === LAST) return list;
    key = end + 1n;
  }
}

describe("rangeset", () => {
  it("agrees with a set of numbers under random additions and removals", () => {
    const op = fc.record({ isAdd: fc.boolean(), start: fc.nat(200), length: fc.nat(30) });
    fc.assert(
      fc.property(fc.array(op, { maxLength: 60 }), (ops) => {
        core.reset();
        const head = core.create(10_000);
        const model = new Array<boolean>(260).fill(false);
        for (const { isAdd, start, length } of ops) {
          const change = isAdd ? core.add : core.remove;
          expect(change(head, BigInt(start), BigInt(start + length))).toBe(0);
          model.fill(isAdd, start, start + length + 1);
          const expected: [bigint, bigint][] = [];
          for (let i = 0; i < model.length; i++) {
            if (!model[i]) continue;
            let end = i;
            while (model[end + 1]) end++;
            expected.push([BigInt(i), BigInt(end)]);
            i = end;
          }
          expect(ranges(head)).toEqual(expected);
          expect(core.count(head)).toBe(expected.length);
          const last = start + length;
          expect(core.contains(head, BigInt(start), BigInt(last)) !== 0).toBe(
            model.slice(start, last + 1).every((x) => x),
          );
          expect(core.overlaps(head, BigInt(start), BigInt(last)) !== 0).toBe(
            model.slice(start, last + 1).some((x) => x),
          );
        }
      }),
      { numRuns: 300 },
    );
  });

  it("takes the ends of the 64-bit space", () => {
    core.reset();
    const head = core.create(8);
    expect(core.add(head, LAST, LAST)).toBe(0);
    expect(core.add(head, 0n, 0n)).toBe(0);
    expect(core.contains(head, LAST, LAST)).toBe(1);
    expect(core.add(head, 1n, LAST - 1n)).toBe(0);
    expect(ranges(head)).toEqual([[0n, LAST]]);
    expect(core.remove(head, LAST, LAST)).toBe(0);
    expect(core.remove(head, 0n, 0n)).toBe(0);
    expect(ranges(head)).toEqual([[1n, LAST - 1n]]);
    expect(core.remove(head, 0n, LAST)).toBe(0);
    expect(core.count(head)).toBe(0);
  });

  it("refuses a reversed range", () => {
    core.reset();
    const head = core.create(8);
    expect(core.add(head, 2n, 1n)).toBe(-EINVAL);
    expect(core.remove(head, 2n, 1n)).toBe(-EINVAL);
  });

  it("at its limit joins neighbours and refuses a new range or a split", () => {
    core.reset();
    const head = core.create(2);
    expect(core.add(head, 0n, 9n)).toBe(0);
    expect(core.add(head, 20n, 29n)).toBe(0);
    expect(core.add(head, 40n, 49n)).toBe(-ENOMEM);
    expect(core.add(head, 15n, 19n)).toBe(-ENOMEM); // touches only its right neighbour: a range of its own for a moment
    expect(core.remove(head, 3n, 4n)).toBe(-ENOMEM);
    expect(ranges(head)).toEqual([
      [0n, 9n],
      [20n, 29n],
    ]);
    expect(core.add(head, 10n, 19n)).toBe(0);
    expect(ranges(head)).toEqual([[0n, 29n]]);
    expect(core.remove(head, 3n, 4n)).toBe(0);
    expect(core.count(head)).toBe(2);
  });

  it("gives its nodes back", () => {
    core.reset();
    const first = core.create(1000);
    for (let round = 0; round < 100; round++) {
      const head = core.create(1000);
      for (let i = 0n; i < 500n; i++) expect(core.add(head, i * 10n, i * 10n + 5n)).toBe(0);
      core.destroy(head);
    }
    const head = core.create(1000);
    expect(core.add(head, 1n, 1n)).toBe(0);
    expect(Math.max(first, head, core.ceiling(head, 0n))).toBeLessThan(600);
  });
});
