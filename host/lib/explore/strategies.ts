/** The strategies by name, and what a clean result of each proves. */
import { UsageError } from "../errors.ts";
import type { RaceInstance } from "./instance.ts";
import { type Budget, type SearchOptions, type SearchResult, search } from "./search.ts";
import { pctRuns, randomRuns, walk } from "./walk.ts";

export interface StrategyOptions {
  readonly budget: Budget;
  readonly seed: number;
  /** Preemption bound, or number of priority changes. */
  readonly bound: number;
  readonly onProgress?: NonNullable<SearchOptions["onProgress"]>;
}

export interface Strategy {
  /** What a clean, exhaustive result says. */
  proves(bound: number): string;
  run(instance: RaceInstance, options: StrategyOptions): SearchResult;
}

/** Steps of a typical run, for PCT. */
const TYPICAL_RUN = 60;

const NOTHING = "nothing: it only looks for violations";

export const STRATEGIES: Readonly<Record<string, Strategy>> = {
  exhaustive: {
    proves: () =>
      "all interleavings of these actors at these windows and locks, sequentially consistent, keep the invariants, and no fair run is caught in a loop",
    run: (instance, { budget, onProgress }) => search(instance, { budget, ...(onProgress ? { onProgress } : {}) }),
  },
  bounded: {
    proves: (bound) => `all interleavings with at most ${bound} preemption(s) keep the invariants`,
    run: (instance, { budget, bound, onProgress }) =>
      search(instance, { budget, preemptions: bound, ...(onProgress ? { onProgress } : {}) }),
  },
  random: {
    proves: () => NOTHING,
    run: (instance, { budget, seed }) => walk(instance, randomRuns(seed), budget),
  },
  pct: {
    proves: () => NOTHING,
    run: (instance, { budget, seed, bound }) =>
      walk(instance, pctRuns(seed, instance.actors.length, bound, TYPICAL_RUN), budget),
  },
};

/** @throws UsageError */
export function strategyByName(name: string): Strategy {
  const strategy = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (!strategy) throw new UsageError(`unknown strategy "${name}": use one of ${Object.keys(STRATEGIES).join(", ")}`);
  return strategy;
}

/** "all 471 states explored: no violation", or what else came of it. */
export function verdictSentence(result: SearchResult): string {
  const count = (n: number): string => n.toLocaleString("en-US");
  if (result.verdict === "violation") return `violation found after ${count(result.steps)} steps`;
  if (result.verdict === "clean") return `all ${count(result.states)} states explored: no violation`;
  const done = result.states > 0 ? `${count(result.states)} states` : `${count(result.schedules)} schedules`;
  return `budget spent at ${done}, ${count(result.steps)} steps, ${result.seconds.toFixed(1)} s: no violation so far, not a proof`;
}
