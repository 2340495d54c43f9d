/** The benchmark's parts: its programs run for as long as asked, its statistics are what they say. No figure is judged here. */
import { describe, expect, test } from "vitest";
import { goalText } from "../../bench/goal.ts";
import { measure } from "../../bench/harness.ts";
import { nativeContestant } from "../../bench/native.ts";
import { FAULT_PROGRAM, PROGRAMS } from "../../bench/programs.ts";
import { tableText } from "../../bench/report.ts";
import { rowsOf } from "../../bench/result-file.ts";
import { remaining } from "../../bench/run.ts";
import { ratioOfMedians, summarize } from "../../bench/statistics.ts";
import { programContestant } from "../../bench/suites/guest-mips.ts";
import { selectContestant } from "../../bench/suites/select.ts";
import { compileBuild } from "../../host/node/wasm.ts";

describe("programs", () => {
  test.each([...PROGRAMS, FAULT_PROGRAM].map((p) => [p.name, p] as const))("%s keeps running", (_, program) => {
    const contestant = programContestant(compileBuild("silicon"), program);
    expect(contestant.operations).toBeGreaterThan(0);
    contestant.call!(); // throws on any exit but the budget's
  });
});

test.each([
  [1, 1],
  [3, 16],
  [8, 256],
])("choosing among %i servers with %i ranges finds the right one", (servers, ranges) => {
  selectContestant(compileBuild("p2m-bench"), servers, ranges).call!(); // throws when one access does not
});

describe("statistics", () => {
  test("median and median absolute deviation ignore an outlier", () => {
    expect(summarize([1, 2, 3, 4, 1000])).toEqual({ median: 3, mad: 1, samples: 5 });
  });

  test("the bootstrap interval holds the ratio and is the same every time", () => {
    const a = [10, 11, 12, 10, 11, 12, 10, 11];
    const b = [5, 5.5, 6, 5, 5.5, 6, 5, 5.5];
    const ratio = ratioOfMedians(a, b);
    expect(ratio.value).toBe(2);
    expect(ratio.low).toBeLessThanOrEqual(2);
    expect(ratio.high).toBeGreaterThanOrEqual(2);
    expect(ratioOfMedians(a, b)).toEqual(ratio);
  });
});

test("only a native program is one: not everything that times itself", () => {
  const own = { name: "own", operations: 1, sample: () => [1] };
  const native = nativeContestant("/bin/echo", "in C", 1, ["1"]);
  const [a, b] = measure([own, native], { rounds: 1, roundSeconds: 0 });
  expect([a!.isNative, b!.isNative]).toEqual([undefined, true]);
  const rows = rowsOf("s", {
    title: "",
    rows: [
      { measurement: a!, unit: "ns" },
      { measurement: a!, unit: "ns", against: a! },
    ],
  });
  expect(rows.map((row) => [row.name, row.vsNative])).toEqual([
    ["s: own", undefined],
    ["s: own (2)", undefined],
  ]);
});

describe("goals", () => {
  const of = (value: number, low: number, high: number) =>
    goalText("walk", { atMost: 1.4, limit: "the loop" }, { value, low, high });
  test.each([
    [of(1.2, 1.1, 1.3), "<= 1.4: kept"],
    [of(1.3, 1.1, 1.5), "<= 1.4: kept, within the noise"],
    [of(1.5, 1.3, 1.7), "<= 1.4: missed by 7.1 %, within the noise"],
    [of(2.1, 2, 2.2), "<= 1.4: MISSED by 50 %"],
    [goalText("walk", { atMost: 1.4, limit: "" }, null), "<= 1.4: nothing to compare with"],
  ])("%j", ({ cell }, wanted) => {
    expect(cell).toBe(wanted);
  });

  test("one that is missed says by how much and what limits it, below the table", () => {
    const row = (name: string, ns: number) => ({ name, samples: [ns, ns, ns] });
    const goal = { atMost: 1.4, limit: "the loop" };
    const rows = [{ measurement: row("walk", 3), unit: "ns" as const, against: row("C", 1), goal }];
    expect(tableText({ title: "T", rows, notes: ["last"] })).toMatch(
      /MISSED by 114 %\n {2}walk misses its goal of <= 1.4 by 114 %: the loop\n {2}last/,
    );
  });
});

test("the time that is left follows how fast it went", () => {
  expect(remaining(20_000, 10, 40)).toBe(60);
  expect(remaining(10, 10, 10)).toBe(1);
});

test("contestants are sampled in turn, forwards and backwards, and printed with their ratio", () => {
  const order: string[] = [];
  const contestant = (name: string, seconds: number) => ({
    name,
    operations: 1000,
    sample: () => {
      order.push(name);
      return [seconds];
    },
  });
  const [fast, slow] = measure([contestant("fast", 0.001), contestant("slow", 0.002)], { rounds: 2, roundSeconds: 0 });
  expect(order).toEqual(["fast", "slow", "slow", "fast"]);
  expect(fast!.samples).toEqual([1000, 1000]);
  const text = tableText({ title: "T", rows: [{ measurement: slow!, unit: "ns", against: fast! }] });
  expect(text).toContain("2.00x time of fast");
});
