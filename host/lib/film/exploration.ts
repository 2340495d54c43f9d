/**
 * A search that is driven in slices of time, so that whoever drives it hears of cancelling in between: for the page's worker. What is
 * found is made smaller and written down as the command line does it.
 */
import { UsageError } from "../errors.ts";
import type { RaceInstance } from "../explore/instance.ts";
import type { Progress } from "../explore/progress.ts";
import { record } from "../explore/replay.ts";
import { formatSchedule } from "../explore/schedule.ts";
import type { Budget, SearchResult } from "../explore/search.ts";
import { shrink } from "../explore/shrink.ts";
import { SLICED } from "../explore/sliced.ts";
import { strategyByName, verdictSentence } from "../explore/strategies.ts";

/** Found schedules are made smaller for so long at most. */
const SHRINK_SECONDS = 5;

/** Strategies that can be driven in slices. */
export const SLICED_STRATEGIES: readonly string[] = Object.keys(SLICED);

export interface ExplorationOptions {
  readonly variant: string;
  readonly strategy: string;
  readonly budget: Budget;
  readonly seed: number;
  readonly bound: number;
  /** Hash of the build, for the schedule that is written; absent: for any. */
  readonly core?: string;
}

/** What came of it, as plain data. */
export interface Found {
  readonly verdict: SearchResult["verdict"];
  readonly counts: Omit<Progress, "fraction">;
  /** "all 393 states explored: no violation". */
  readonly sentence: string;
  /** What a clean result proves; undefined of any other. */
  readonly proves?: string;
  readonly violation?: { readonly invariant: string; readonly message: string; readonly steps: number };
  /** The smallest schedule that was found, as a file. */
  readonly schedule?: string;
}

export interface Exploration {
  /** Works for about so many milliseconds. */
  run(milliseconds: number): { readonly progress: Progress; readonly found?: Found };
}

/** @throws UsageError for a strategy that cannot be driven. */
export function createExploration(instance: RaceInstance, options: ExplorationOptions): Exploration {
  const strategy = strategyByName(options.strategy);
  const drive = Object.hasOwn(SLICED, options.strategy) ? SLICED[options.strategy] : undefined;
  if (!drive)
    throw new UsageError(
      `strategy ${options.strategy} runs on the command line only: vmexit race ${instance.race.name} --variant ${options.variant} --strategy ${options.strategy}; here use ${SLICED_STRATEGIES.join(", ")}`,
    );
  const { budget, seed, bound } = options;
  const slices = drive(instance, { budget, seed, bound });
  let progress: Progress = { states: 0, schedules: 0, steps: 0, depth: 0, seconds: 0 };
  let found: Found | undefined;

  function foundOf(result: SearchResult): Found {
    const { verdict, states, schedules, steps, depth, seconds, violation } = result;
    const counts = { states, schedules, steps, depth, seconds };
    const sentence = verdictSentence(result, options.strategy);
    if (!violation)
      return { verdict, counts, sentence, ...(verdict === "clean" ? { proves: strategy.proves(bound, result) } : {}) };
    const smallest = shrink(instance, violation, { ...budget, seconds: SHRINK_SECONDS });
    const header = {
      variant: options.variant,
      knobs: {},
      ...(options.core === undefined ? {} : { core: options.core }),
    };
    return {
      verdict,
      counts,
      sentence,
      violation: { invariant: smallest.invariant, message: smallest.message, steps: smallest.schedule.length },
      schedule: formatSchedule(record(instance, header, smallest)),
    };
  }

  return {
    run(milliseconds) {
      const end = performance.now() + milliseconds;
      while (!found && performance.now() < end) {
        const next = slices.next();
        if (next.done) found = foundOf(next.value);
        else progress = next.value;
      }
      return found ? { progress: found.counts, found } : { progress };
    },
  };
}
