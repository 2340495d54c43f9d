/** Growth: a planted quadratic path is flagged, by its counts and by its times; what grows as documented is not, however noisy. */
import { describe, expect, it } from "vitest";
import type { Contestant, Measurement } from "../../bench/harness.ts";
import { type Documented, judgeSweep, runSweep, type Sweep } from "../../bench/sweep.ts";
import { sparkline, sweepsHtml, sweepText } from "../../bench/sweep-report.ts";
import { drifting, uniform } from "./noise.ts";

const SIZES = [1, 4, 16, 64, 256, 1024];
const ROUNDS = 9;

const sweep = (documented: Documented, sizes = SIZES): Omit<Sweep, "at"> => ({
  name: "a path",
  sizeLabel: "entries",
  sizes,
  documented,
  why: "a test says so",
});

/** Measurements of a path that costs `cost(size)`, on a machine whose speed drifts by tens of per cent. */
function noisy(cost: (n: number) => number, seed: number, sizes = SIZES): Measurement[] {
  const next = uniform(seed);
  const weather = drifting(next, { sigma: 0.08, memory: 0.8, burst: 0.1, burstSize: 0.5 });
  const rounds = Array.from({ length: ROUNDS }, () => sizes.map((size) => cost(size) * Math.exp(weather())));
  return sizes.map((_, i) => ({
    name: "x",
    samples: rounds.map((round) => round[i]!),
    perRound: rounds.map(() => 1),
  }));
}

const verdicts = (documented: Documented, cost: (n: number) => number) =>
  Array.from({ length: 50 }, (_, seed) => judgeSweep(sweep(documented), noisy(cost, seed)).verdict);

describe("times", () => {
  it.each([
    ["constant", (n: number) => 7 + 0.1 * Math.log(n)],
    ["logarithmic", (n: number) => 20 + 5 * Math.log2(n)],
    ["linear", (n: number) => 1000 + 30 * n],
    ["linear times logarithmic", (n: number) => 3 * n * (1 + Math.log2(n))],
  ] as const)("%s and growing like that is never flagged", (documented, cost) => {
    expect(verdicts(documented, cost).filter((v) => v !== "as documented")).toHaveLength(0);
  });

  it.each([
    ["constant", "linear", (n: number) => 2 * n],
    ["constant", "linear above 50", (n: number) => 100 + 2 * n],
    ["logarithmic", "linear", (n: number) => 5 + 3 * n],
    ["linear", "quadratic", (n: number) => 0.5 * n * n],
    ["linear", "with a small quadratic part", (n: number) => 1000 * n + 10 * n * n],
  ] as const)("documented %s but %s is flagged every time", (documented, _, cost) => {
    expect(verdicts(documented, cost).filter((v) => v === "worse than documented")).toHaveLength(50);
  });
});

/** A path that does what it counts: `steps` of it for a list of that size. */
function counted(steps: (n: number) => number, counterName = "steps"): (size: number) => Contestant {
  return (size) => {
    let done = 0;
    let sink = 0;
    return {
      name: `${size}`,
      operations: 1,
      call() {
        for (let i = steps(size); i > 0; i--) sink = (sink * 31 + i) | 0;
        done += steps(size);
        if (sink === 0.5) throw new Error("never");
      },
      counters: () => ({ [counterName]: done, other: done * done }),
    };
  };
}

describe("a path that is really run", () => {
  const effort = { rounds: 3, roundSeconds: 0.001 };
  const run = (documented: Documented, steps: (n: number) => number) =>
    runSweep({ ...sweep(documented), counts: ["steps"], at: counted(steps) }, effort);

  it("is flagged when it looks at every pair (planted), and not when it looks at every entry", () => {
    const quadratic = run("linear", (n) => n * n);
    expect(quadratic.verdict).toBe("worse than documented");
    expect(quadratic.countExcess!.exponent).toBeCloseTo(1, 6);
    const linear = run("linear", (n) => n + 3);
    expect(linear.verdict).toBe("as documented");
    expect(linear.countExcess!.exponent).toBeLessThan(0.1);
    expect(linear.points.map((p) => p.count)).toEqual(SIZES.map((n) => n + 3));
  });

  it("refuses sizes that cannot show anything", () => {
    for (const sizes of [
      [1, 2, 3],
      [1, 2, 2, 3],
      [0, 1, 2, 3],
    ])
      expect(() => runSweep({ ...sweep("linear", sizes), at: counted((n) => n) }, effort)).toThrow(
        /four growing sizes/,
      );
  });
});

describe("the report", () => {
  const good = judgeSweep(
    sweep("linear"),
    noisy((n) => 100 * n, 1),
  );
  const bad = judgeSweep(
    { ...sweep("linear"), name: "<bad>" },
    noisy((n) => n * n, 1),
  );

  it("draws the curve, names the documented growth, and marks what is worse", () => {
    expect(sweepText(good)).toMatch(/ok .*▁.*█.*\n.*documented linear/);
    expect(sweepText(bad)).toContain("WORSE");
    expect(sparkline([5, 5, 5])).toBe("▁▁▁");
    expect(sparkline([1, 4, 16, 64])).toMatch(/^▁.*█$/);
  });

  it("is one page that needs nothing else, with a plot for each path and the raw data", () => {
    const environment = { cpu: "c", processors: 1, memoryGiB: 1, kernel: "k", node: "n", v8: "v", compiler: null };
    const html = sweepsHtml([good, bad], environment, "vmexit bench growth");
    expect(html).not.toMatch(/(src|href)=|@import|url\(/);
    expect(html.match(/role="img"/g)).toHaveLength(2);
    expect(html).toContain("as documented, from the smallest size on");
    expect(html).toContain("1 worse than documented");
    expect(html.match(/<figure class="warning">/g)).toHaveLength(1);
    expect(html).toContain("&lt;bad&gt;");
    expect(html).not.toContain("<bad>");
  });
});
