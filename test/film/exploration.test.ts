/** Searches in slices: the same verdicts and counts as at once, and what they find replays. */
import { describe, expect, it } from "vitest";
import { replay } from "../../host/lib/explore/replay.ts";
import { parseSchedule } from "../../host/lib/explore/schedule.ts";
import { strategyByName } from "../../host/lib/explore/strategies.ts";
import { createExploration, type Found, SLICED_STRATEGIES } from "../../host/lib/film/exploration.ts";
import { BUDGET, open } from "../explore/support.ts";

const C1 = "ioreq-unmap-window";

function explore(variant: string, strategy: string, budget = BUDGET): { found: Found; slices: number } {
  const job = createExploration(open(C1, variant), { variant, strategy, budget, seed: 1, bound: 2 });
  for (let slices = 1; ; slices++) {
    const { found } = job.run(5);
    if (found) return { found, slices };
  }
}

describe("in slices", () => {
  it.each(["exhaustive", "bounded"])("%s counts the same as at once", (strategy) => {
    for (const variant of ["early-null", "fixed"]) {
      const options = { budget: BUDGET, seed: 1, bound: 2 };
      const whole = strategyByName(strategy).run(open(C1, variant), options);
      const { found, slices } = explore(variant, strategy);
      expect(found.verdict).toBe(whole.verdict);
      expect({ ...found.counts, seconds: 0 }).toEqual({
        states: whole.states,
        schedules: whole.schedules,
        steps: whole.steps,
        depth: whole.depth,
        seconds: 0,
      });
      expect(slices).toBeGreaterThan(variant === "fixed" ? 1 : 0);
    }
  });

  it("a proof says what it proves", () => {
    const { found } = explore("fixed", "exhaustive");
    expect(found.sentence).toMatch(/^all \d+ states explored: no violation$/);
    expect(found.proves).toContain("all interleavings of these actors");
    expect(found.schedule).toBeUndefined();
  });

  it.each(["exhaustive", "random", "pct"])("what %s finds is written down, small, and replays", (strategy) => {
    const { found } = explore("early-null", strategy);
    expect(found.violation?.invariant).toBe("every-write-once");
    const schedule = parseSchedule(found.schedule!);
    expect(schedule.steps.length).toBe(found.violation!.steps);
    expect(replay(open(C1, "early-null"), schedule).violation?.invariant).toBe("every-write-once");
  });

  it("a spent budget is no proof", () => {
    const { found } = explore("fixed", "exhaustive", { steps: 100, seconds: 100 });
    expect(found.verdict).toBe("budget");
    expect(found.sentence).toContain("not a proof");
    expect(found.proves).toBeUndefined();
  });

  it("can be left at any time, and says how far it is", () => {
    const job = createExploration(open(C1, "fixed-2-vcpus"), {
      variant: "fixed-2-vcpus",
      strategy: "exhaustive",
      budget: BUDGET,
      seed: 1,
      bound: 2,
    });
    job.run(30);
    const first = job.run(30);
    const second = job.run(30);
    expect(first.found).toBeUndefined();
    expect(second.progress.states).toBeGreaterThan(first.progress.states);
  });

  it("what needs another build says where it runs", () => {
    expect(SLICED_STRATEGIES).toEqual(["exhaustive", "bounded", "random", "pct"]);
    const make = () =>
      createExploration(open(C1, "fixed"), { variant: "fixed", strategy: "dpor", budget: BUDGET, seed: 1, bound: 2 });
    expect(make).toThrow("vmexit race ioreq-unmap-window --variant fixed --strategy dpor");
  });
});
