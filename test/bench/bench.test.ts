/** The benchmark's parts: its programs run for as long as asked, its statistics are what they say. No figure is judged here. */
import { describe, expect, test } from "vitest";
import { measure } from "../../bench/harness.ts";
import { FAULT_PROGRAM, PROGRAMS } from "../../bench/programs.ts";
import { tableText } from "../../bench/report.ts";
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
