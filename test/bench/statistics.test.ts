/** The tests behind the verdicts: exact where they say exact, few false alarms, and they see what is there. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { judge } from "../../bench/ab.ts";
import { holm, pairedRatio, rankSum, signedRankP } from "../../bench/statistics.ts";

/** Uniform numbers of [0, 1) from a seed. */
function uniform(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) | 0;
    return (state >>> 8) / 2 ** 24;
  };
}

/** Ratios of pairs on a noisy machine: mostly within 2 %, now and then far off. */
function noisyRatios(next: () => number, pairs: number, factor: number): number[] {
  return Array.from({ length: pairs }, () => {
    const noise = (next() + next() + next() - 1.5) * 0.02;
    const outlier = next() < 0.05 ? (next() - 0.5) * 0.3 : 0;
    return factor * (1 + noise + outlier);
  });
}

describe("signed rank", () => {
  it("counts exactly: all of n signs the same has 2 of 2^n chances", () => {
    for (const n of [1, 5, 12]) expect(signedRankP(Array.from({ length: n }, (_, i) => i + 1))).toBe(2 / 2 ** n);
  });

  it("knows the textbook case", () => {
    // Ranks of the negatives 1 and 3: 1 + 3 = 4 of 36; 9 sets of ranks of 1..8 have a sum of at most 4... counted by hand: 2 * 7 / 256.
    expect(signedRankP([-1, 2, -3, 4, 5, 6, 7, 8])).toBeCloseTo((2 * 7) / 256, 12);
  });

  it("does not care about sign or order, and zeros say nothing", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -50, max: 50 }), { maxLength: 12 }), (list) => {
        const p = signedRankP(list);
        expect(p).toBeGreaterThan(0);
        expect(p).toBeLessThanOrEqual(1);
        expect(signedRankP(list.map((x) => -x).reverse())).toBeCloseTo(p, 12);
        expect(signedRankP([...list, 0])).toBeCloseTo(p, 12);
      }),
    );
  });
});

describe("rank sum", () => {
  it("sees lists apart and lists alike", () => {
    const a = Array.from({ length: 20 }, (_, i) => 100 + i);
    expect(
      rankSum(
        a,
        a.map((x) => x - 50),
      ).p,
    ).toBeLessThan(1e-6);
    expect(
      rankSum(
        a,
        a.map((x) => x - 50),
      ).delta,
    ).toBe(1);
    expect(rankSum(a, a).p).toBeGreaterThan(0.9);
    expect(rankSum(a, a).delta).toBe(0);
  });
});

describe("Holm's correction", () => {
  it("multiplies the smallest by the number of rows and never turns the order round", () => {
    expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
    expect(holm([])).toEqual([]);
  });
});

describe("judging designs", () => {
  const table = (next: () => number, factor: number) =>
    Array.from({ length: 10 }, (_, i) => ({
      name: `w${i}`,
      ratios: noisyRatios(next, 16, i === 3 ? factor : 1),
      simulated: 1,
    }));

  it("an unchanged build is flagged in at most 1 of 20 tables", () => {
    const next = uniform(7);
    let flagged = 0;
    for (let run = 0; run < 100; run++)
      if (judge(table(next, 1)).some((row) => row.verdict !== "no evidence")) flagged++;
    expect(flagged).toBeLessThanOrEqual(5);
  });

  it("5 % on one path are found in at least 9 of 10 tables, and nothing else is", () => {
    const next = uniform(11);
    let found = 0;
    let others = 0;
    for (let run = 0; run < 100; run++) {
      const rows = judge(table(next, 1.05));
      if (rows[3]!.verdict === "slower") found++;
      others += rows.filter((row, i) => i !== 3 && row.verdict !== "no evidence").length;
    }
    expect(found).toBeGreaterThanOrEqual(90);
    expect(others).toBeLessThanOrEqual(5);
  });

  it("the interval of paired ratios holds what they are about", () => {
    const { value, low, high } = pairedRatio(noisyRatios(uniform(3), 24, 1.3));
    expect(low).toBeLessThanOrEqual(value);
    expect(high).toBeGreaterThanOrEqual(value);
    expect(Math.abs(value - 1.3)).toBeLessThan(0.02);
  });
});
