/** The tests behind the verdicts: exact where they say exact, few false alarms, and they see what is there. */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AB_NORMAL, abText, collectPairs, judge, type Pair, verdictsOf, widthOf } from "../../bench/pairs.ts";
import { ratioOf, roundMedians } from "../../bench/rounds.ts";
import { holm, oppositeRatio, pairedRatio, rankSum, ratioOfMedians } from "../../bench/statistics.ts";
import { drifting, normal, pairNoise, uniform } from "./noise.ts";

describe("rank sum", () => {
  it("counts exactly: two lists apart have 2 of all ways to deal", () => {
    expect(rankSum([1, 2, 3], [4, 5, 6]).p).toBeCloseTo(2 / 20, 12);
    expect(rankSum([1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]).p).toBeCloseTo(2 / 924, 12);
    const high = Array.from({ length: 12 }, (_, i) => 100 + i);
    expect(
      rankSum(
        high,
        high.map((x) => x - 50),
      ).p,
    ).toBeCloseTo(2 / 2_704_156, 12);
  });

  it("is the share of all deals, ties or not (counted by brute force)", () => {
    const list = fc.array(fc.integer({ min: 0, max: 6 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(list, list, (a, b) => {
        const all = [...a, ...b];
        const rank = (x: number) => all.filter((y) => y < x).length + (all.filter((y) => y === x).length + 1) / 2;
        const mean = (a.length * (all.length + 1)) / 2;
        const off = (xs: readonly number[]) => Math.abs(xs.reduce((s, x) => s + rank(x), 0) - mean);
        let [extreme, ways] = [0, 0];
        for (let set = 0; set < 2 ** all.length; set++) {
          const dealt = all.filter((_, i) => (set >> i) & 1);
          if (dealt.length !== a.length) continue;
          ways++;
          if (off(dealt) >= off(a) - 1e-9) extreme++;
        }
        expect(rankSum(a, b).p).toBeCloseTo(extreme / ways, 10);
        expect(rankSum(b, a).p).toBeCloseTo(extreme / ways, 10);
        expect(rankSum(a, b).delta).toBeCloseTo(-rankSum(b, a).delta, 10);
      }),
      { numRuns: 200 },
    );
  });

  it("goes over to the normal curve without a jump, and is exact again where it must be small", () => {
    const next = uniform(5);
    for (let run = 0; run < 20; run++) {
      const a = Array.from({ length: 20 }, () => normal(next));
      const b = Array.from({ length: 20 }, () => normal(next) + 0.6);
      const exact = rankSum(a, b).p;
      // One more sample in the middle of each makes it the approximation.
      const nearly = rankSum([...a, 0.3, 0.3], [...b, 0.3, 0.3]).p;
      expect(Math.abs(Math.log(nearly / exact))).toBeLessThan(0.7);
    }
    expect(rankSum([1, 1, 1], [1, 1, 1])).toEqual({ p: 1, delta: 0 });
  });

  it("p values of equal distributions are uniform: no more than 5 % below 5 %", () => {
    const next = uniform(9);
    let low = 0;
    for (let run = 0; run < 2000; run++) {
      const list = () => Array.from({ length: 9 }, () => normal(next));
      if (rankSum(list(), list()).p < 0.05) low++;
    }
    expect(low).toBeLessThan(120);
    expect(low).toBeGreaterThan(50);
  });
});

describe("Holm's correction", () => {
  it("multiplies the smallest by the number of rows and never turns the order round", () => {
    expect(holm([0.01, 0.04, 0.03])).toEqual([0.03, 0.06, 0.06]);
    expect(holm([])).toEqual([]);
  });
});

/** How often of `runs` the interval of a known value holds it. */
function coverage(runs: number, once: () => { low: number; high: number }, value: number): number {
  let held = 0;
  for (let run = 0; run < runs; run++) {
    const { low, high } = once();
    if (low <= value && value <= high) held++;
  }
  return held / runs;
}

describe("intervals hold what they are about in about 95 of 100 cases", () => {
  const noise = { sigma: 0.02, memory: 0, burst: 0.05, burstSize: 0.3 };

  it.each([9, 15])("%i rounds in turn", (rounds) => {
    const next = uniform(rounds);
    const of = drifting(next, noise);
    const once = () => pairedRatio(Array.from({ length: rounds }, () => 1.3 * Math.exp(of())));
    // The middle of the noise is a little above 0: that is the value the interval is about.
    const middle = 1.3 * Math.exp(0.02 * 0.04);
    expect(coverage(400, once, middle)).toBeGreaterThan(0.92);
  });

  it.each([6, 12])("two lists of %i, one with the effect and one with its inverse", (each) => {
    const next = uniform(each);
    const of = drifting(next, { ...noise, burst: 0 });
    const list = (effect: number) => Array.from({ length: each }, () => 0.02 + effect + of());
    const once = () => oppositeRatio(list(Math.log(1.05)), list(-Math.log(1.05)));
    expect(coverage(400, once, 1.05)).toBeGreaterThan(0.9);
  });

  it("and that is why rounds count and not samples: over raw samples of drifting rounds most intervals miss", () => {
    const next = uniform(1);
    /** 15 rounds of 12 samples: each round has its own weather, far more than samples differ in it. */
    const contestant = () => {
      const samples: number[] = [];
      for (let round = 0; round < 15; round++) {
        const weather = 0.03 * normal(next);
        for (let i = 0; i < 12; i++) samples.push(100 * Math.exp(weather + 0.003 * normal(next)));
      }
      return { samples, perRound: Array.from({ length: 15 }, () => 12) };
    };
    const raw = coverage(150, () => ratioOfMedians(contestant().samples, contestant().samples), 1);
    const byRound = coverage(150, () => ratioOf(contestant(), contestant()), 1);
    expect(raw).toBeLessThan(0.7);
    expect(byRound).toBeGreaterThan(0.9);
  });

  it("a slow-down that both go through cancels round by round", () => {
    const speed = [1, 1.5, 1.1, 2, 1.7, 1, 1.3, 1.9, 1.4];
    const a = { samples: speed.map((s) => 120 * s), perRound: speed.map(() => 1) };
    const b = { samples: speed.map((s) => 100 * s), perRound: speed.map(() => 1) };
    const { low, high } = ratioOf(a, b);
    expect([low, high]).toEqual([expect.closeTo(1.2, 9), expect.closeTo(1.2, 9)]);
  });

  it("rounds that gave nothing are left out", () => {
    expect(roundMedians({ samples: [1, 2, 3, 9], perRound: [3, 0, 1] })).toEqual([2, 9]);
    expect(roundMedians({ samples: [4, 5] })).toEqual([4, 5]);
  });
});

describe("judging designs", () => {
  const WORKLOADS = 10;
  /** A table as bench ab makes one, more pairs where they are far apart included. */
  function table(seed: number, effects: readonly number[]): Pair[][] {
    const next = uniform(seed);
    return Array.from({ length: WORKLOADS }, (_, w) => {
      const noise = pairNoise(next);
      const measure = (isSwapped: boolean) => Math.exp(noise(Math.log(1 + (effects[w] ?? 0)), isSwapped));
      return collectPairs(measure, AB_NORMAL, () => next() < 0.5);
    });
  }

  it("of 2,000 tables of noise at most 1 in 20 has a false alarm", () => {
    let [flagged, significant] = [0, 0];
    for (let run = 0; run < 2000; run++) {
      const rows = verdictsOf(table(run, []));
      if (rows.some((row) => row.verdict !== "no evidence")) flagged++;
      if (rows.some((row) => row.p < 0.05)) significant++;
    }
    expect(flagged / 2000).toBeLessThanOrEqual(0.05);
    // The corrected p values keep what they promise by themselves, before small differences are left out: 5 %, three deviations of 2,000 above.
    expect(significant / 2000).toBeLessThanOrEqual(0.065);
  });

  it("5 % on one path are found in at least 9 of 10 tables, and nothing else is", () => {
    let [found, others] = [0, 0];
    for (let run = 0; run < 200; run++) {
      const rows = verdictsOf(table(10_000 + run, [0, 0, 0, 0.05]));
      if (rows[3]!.verdict === "slower") found++;
      if (rows.some((row, i) => i !== 3 && row.verdict !== "no evidence")) others++;
    }
    expect(found).toBeGreaterThanOrEqual(180);
    expect(others).toBeLessThanOrEqual(10);
  });

  it("what the place of the second machine is worth is neither taken for a difference nor hides one", () => {
    const next = uniform(3);
    const pairs = (effect: number) =>
      collectPairs(
        (isSwapped) => Math.exp(0.1 + (isSwapped ? -effect : effect) + 0.004 * normal(next)),
        AB_NORMAL,
        () => next() < 0.5,
      );
    const [none, some] = judge([
      { name: "none", pairs: pairs(0), simulated: 1 },
      { name: "some", pairs: pairs(Math.log(1.05)), simulated: 1 },
    ]);
    expect([none!.verdict, some!.verdict]).toEqual(["no evidence", "slower"]);
    expect(none!.place).toBeCloseTo(Math.exp(0.1), 2);
    expect(some!.ratio).toBeCloseTo(1.05, 2);
    expect(some!.low).toBeLessThanOrEqual(some!.ratio);
    expect(some!.high).toBeGreaterThanOrEqual(some!.ratio);
  });

  it("designs come first and second equally often, in an order that was drawn", () => {
    const next = uniform(12);
    const pairs = collectPairs(
      () => 1,
      { pairs: 24, mostPairs: 24 },
      () => next() < 0.5,
    );
    expect(pairs.filter((p) => p.isSwapped)).toHaveLength(12);
    const firsts = pairs.filter((_, i) => i % 2 === 0).map((p) => p.isSwapped);
    expect(new Set(firsts).size).toBe(2);
  });

  it("more is measured where it is noisy, and never past the limit", () => {
    const of = (sigma: number) => {
      const next = uniform(4);
      return collectPairs(
        () => Math.exp(sigma * normal(next)),
        AB_NORMAL,
        () => true,
      );
    };
    expect(of(0.001)).toHaveLength(AB_NORMAL.pairs);
    expect(of(0.2)).toHaveLength(AB_NORMAL.mostPairs);
    expect(widthOf(of(0.2))).toBeGreaterThan(0.02);
  });

  it("a row without evidence says what it would not have seen", () => {
    const rows = judge([{ name: "w", pairs: table(1, [])[0]!, simulated: 1 }]);
    expect(abText(rows, "A", "B")).toMatch(/no evidence .* less than \d+\.\d % would not show/);
  });
});
