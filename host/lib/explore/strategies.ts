/** The strategies by name, and what a clean result of each proves. */
import { UsageError } from "../errors.ts";
import { nearest } from "../nearest.ts";
import { type DporCheckpoint, type DporOptions, dpor } from "./dpor.ts";
import type { RaceInstance } from "./instance.ts";
import type { Progress } from "./progress.ts";
import { type Budget, type SearchCheckpoint, type SearchOptions, type SearchResult, search } from "./search.ts";
import { pctRuns, randomRuns, walk } from "./walk.ts";

export interface StrategyOptions {
  readonly budget: Budget;
  readonly seed: number;
  /** Preemption bound, or number of priority changes. */
  readonly bound: number;
  readonly onProgress?: (progress: Progress) => void;
  /** Where to go on: as onCheckpoint gave it. */
  readonly resume?: SearchCheckpoint | DporCheckpoint;
  readonly onCheckpoint?: (checkpoint: SearchCheckpoint | DporCheckpoint) => void;
}

export interface Strategy {
  /** Whether a search can be interrupted and gone on with. */
  readonly canResume: boolean;
  /** Build of the core that its instances are made of. */
  readonly build: "race" | "race-footprint";
  /** What a clean, exhaustive result says. */
  proves(bound: number, result: SearchResult): string;
  /** Whether a clean, exhaustive result says that no fair run is caught in a loop. */
  excludesLivelock(result: SearchResult): boolean;
  run(instance: RaceInstance, options: StrategyOptions): SearchResult;
}

/** Steps of a typical run, for PCT. */
const TYPICAL_RUN = 60;

/** What every search that can be interrupted takes; the checkpoint is the strategy's own (checkpoint.ts has seen to that). */
const common = ({ budget, onProgress, resume, onCheckpoint }: StrategyOptions): unknown => ({
  budget,
  ...(onProgress ? { onProgress } : {}),
  ...(resume ? { resume } : {}),
  ...(onCheckpoint ? { onCheckpoint } : {}),
});

/** Of partial-order reduction: no path came round to a state of its own. */
const everyRunEnds = ({ rounds }: SearchResult): boolean => rounds === 0;

const NOTHING = "nothing: it only looks for violations";

export const STRATEGIES: Readonly<Record<string, Strategy>> = {
  exhaustive: {
    canResume: true,
    build: "race",
    proves: () =>
      "all interleavings of these actors at these windows and locks, sequentially consistent, keep the invariants, and no fair run is caught in a loop",
    excludesLivelock: () => true,
    run: (instance, options) => search(instance, common(options) as SearchOptions),
  },
  dpor: {
    canResume: true,
    build: "race-footprint",
    proves: (_, result) =>
      "every interleaving of these actors at these windows and locks, sequentially consistent, is one of those that were run, apart from " +
      `the order of steps that do not see each other, and keeps the invariants; ${
        everyRunEnds(result)
          ? "every run ends, so none is caught in a loop"
          : "whether a fair run can be caught in a loop it does not prove"
      }`,
    excludesLivelock: everyRunEnds,
    run: (instance, options) => dpor(instance, common(options) as DporOptions),
  },
  bounded: {
    canResume: true,
    build: "race",
    proves: (bound) =>
      `all interleavings with at most ${bound} preemption(s) keep the invariants; livelocks were not looked for`,
    excludesLivelock: () => false,
    run: (instance, options) => search(instance, { ...(common(options) as SearchOptions), preemptions: options.bound }),
  },
  random: {
    canResume: false,
    build: "race",
    proves: () => NOTHING,
    excludesLivelock: () => false,
    run: (instance, { budget, seed, onProgress }) => walk(instance, randomRuns(seed), budget, onProgress),
  },
  pct: {
    canResume: false,
    build: "race",
    proves: () => NOTHING,
    excludesLivelock: () => false,
    run: (instance, { budget, seed, bound, onProgress }) =>
      walk(instance, pctRuns(seed, instance.actors.length, bound, TYPICAL_RUN), budget, onProgress),
  },
};

/** @throws UsageError */
export function strategyByName(name: string): Strategy {
  const strategy = Object.hasOwn(STRATEGIES, name) ? STRATEGIES[name] : undefined;
  if (!strategy) {
    const names = Object.keys(STRATEGIES);
    const meant = nearest(name, names);
    const hint = meant === undefined ? "" : `did you mean ${meant}? `;
    throw new UsageError(`unknown strategy "${name}": ${hint}use one of ${names.join(", ")}`);
  }
  return strategy;
}

/** "all 471 states explored: no violation", or what else came of it. */
export function verdictSentence(result: SearchResult, strategy = "exhaustive"): string {
  const count = (n: number): string => n.toLocaleString("en-US");
  if (result.verdict === "violation") return `violation found after ${count(result.steps)} steps`;
  if (result.verdict === "clean" && strategy === "dpor")
    return `all ${count(result.schedules)} schedules that differ were run: no violation${
      everyRunEnds(result)
        ? ""
        : `; ${count(result.rounds ?? 0)} came round in a loop and were cut: LIVELOCKS NOT EXCLUDED, ask --strategy exhaustive`
    }`;
  if (result.verdict === "clean") return `all ${count(result.states)} states explored: no violation`;
  const done = result.states > 0 ? `${count(result.states)} states` : `${count(result.schedules)} schedules`;
  return `budget spent at ${done}, ${count(result.steps)} steps, ${result.seconds.toFixed(1)} s: no violation so far, not a proof`;
}
