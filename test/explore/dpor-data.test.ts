/**
 * Partial-order reduction where what a step touches depends on data: a store that reaches a device only while a TLB entry is stale, a
 * conditional write, a wait. Exhaustive search on the same toy tells what is true.
 */
import { describe, expect, it } from "vitest";
import type { WriteStep } from "../../host/lib/explore/writer-actor.ts";
import { type Broken, sameOnToys, verdicts } from "./random-toys.ts";
import { cell, put, type ToyActor, times } from "./toy.ts";

const permutations = <T>(items: readonly T[]): T[][] =>
  items.length === 0
    ? [[]]
    : items.flatMap((item, i) => permutations(items.filter((_, j) => j !== i)).map((rest) => [item, ...rest]));

describe("a store through a stale TLB entry", () => {
  const FLUSHED = 0;
  const WRITES = 1;
  const GIVEN = 2;
  const FREE = 3;
  const store: WriteStep = {
    text: "writes to the device, if its TLB still knows the way",
    run: (w) => {
      if (cell(w, FLUSHED) === 0) put(w, WRITES, cell(w, WRITES) + 1);
    },
  };
  const lower: WriteStep = { text: "lowers the count", run: (w) => put(w, FREE, 1) };
  const flush: WriteStep = { text: "flushes", run: (w) => put(w, FLUSHED, 1) };
  const give: WriteStep = {
    text: "gives the device away",
    when: (w) => cell(w, FREE) === 1,
    run: (w) => put(w, GIVEN, cell(w, WRITES) + 1),
  };
  const usedAfterGiven: Broken = (w) => cell(w, GIVEN) !== 0 && cell(w, WRITES) !== cell(w, GIVEN) - 1;

  // The store goes first somewhere, sleeps while the count falls, and must be woken before the flush: there it is another step than
  // behind it, and meets the giving, which the store behind the flush does not.
  describe.each(permutations(["store", "taker", "giver"]))("%s, %s, %s", (...order) => {
    it.each([[0], [1], [2]])("with %i steps between", (between) => {
      const programs: Record<string, ToyActor> = {
        store: { steps: [store] },
        taker: { steps: [lower, ...times(between), flush] },
        giver: { steps: [...times(between), give] },
      };
      const actors = order.map((name) => programs[name]!);
      expect(verdicts(actors, [usedAfterGiven])).toEqual(["violation", "violation"]);
    });
  });

  it("is clean when the flush comes first", () => {
    const actors = [{ steps: [store] }, { steps: [flush, lower] }, { steps: [give] }];
    expect(verdicts(actors, [usedAfterGiven])).toEqual(["clean", "clean"]);
  });
});

it("what an oracle looks at in the first state counts: it stops at the first word that is right", () => {
  const set = (n: number): ToyActor => ({ steps: [{ text: "writes", run: (w) => put(w, n, 1) }] });
  const brokenBetween: Broken = (w) => cell(w, 0) === 0 && cell(w, 1) === 1;
  expect(verdicts([set(0), set(1)], [brokenBetween])).toEqual(["violation", "violation"]);
  expect(verdicts([set(1), set(0)], [brokenBetween])).toEqual(["violation", "violation"]);
});

describe("random toys: a state is reached by both or by none", () => {
  // More of them: dpor-data.long.test.ts.
  it.each([false, true])("loops: %s", (mayLoop) => {
    expect(sameOnToys(0, 40, mayLoop)).toBeGreaterThan(30);
  });
});
