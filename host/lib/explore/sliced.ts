/** Strategies that can be driven from outside, slice by slice, by name; the others run as a whole only, and need builds of their own. */
import type { RaceInstance } from "./instance.ts";
import { type Slices, searchSlices } from "./search.ts";
import type { StrategyOptions } from "./strategies.ts";
import { pctRuns, randomRuns, walkSlices } from "./walk.ts";

/** Steps of a typical run, for PCT: as in strategies.ts. */
const TYPICAL_RUN = 60;

export const SLICED: Readonly<Record<string, (instance: RaceInstance, options: StrategyOptions) => Slices>> = {
  exhaustive: (instance, { budget }) => searchSlices(instance, { budget }),
  bounded: (instance, { budget, bound }) => searchSlices(instance, { budget, preemptions: bound }),
  random: (instance, { budget, seed }) => walkSlices(instance, randomRuns(seed), budget),
  pct: (instance, { budget, seed, bound }) =>
    walkSlices(instance, pctRuns(seed, instance.actors.length, bound, TYPICAL_RUN), budget),
};
