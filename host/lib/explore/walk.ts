/**
 * Strategies that try whole schedules and prove nothing: random, and PCT (probabilistic concurrency testing: random priorities with
 * a few random changes finds a bug that needs d ordering constraints with a known probability in each run). Both from a seed.
 */

import { stepFrom } from "./crashed-step.ts";
import type { RaceInstance } from "./instance.ts";
import { atOnce, type Progress } from "./progress.ts";
import type { Violation } from "./race.ts";
import type { Budget, SearchResult, Slices } from "./search.ts";

/** A small generator (mulberry32) with its state in one number. */
function generator(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Picks one of the enabled actors (bits). Told the number of the step in its run. */
export type Pick = (enabled: number, step: number) => number;

const bits = (set: number): number[] => {
  const found: number[] = [];
  for (let left = set; left !== 0; left &= left - 1) found.push(31 - Math.clz32(left & -left));
  return found;
};

/** Each run is longer than any schedule that ends: retry loops are cut there. */
const LONGEST_RUN = 2000;

export function randomRuns(seed: number): () => Pick {
  const random = generator(seed);
  return () => (enabled) => {
    const choices = bits(enabled);
    return choices[Math.floor(random() * choices.length)]!;
  };
}

/** @param changes priority changes in each run (d - 1). @param length steps of a typical run, among which the changes fall. */
export function pctRuns(seed: number, actors: number, changes: number, length: number): () => Pick {
  const random = generator(seed);
  return () => {
    const priority = Array.from({ length: actors }, () => 1 + random());
    const at = new Set(Array.from({ length: changes }, () => Math.floor(random() * length)));
    let lowest = 1;
    return (enabled, step) => {
      const choices = bits(enabled);
      const best = (): number => choices.reduce((a, b) => (priority[b]! > priority[a]! ? b : a));
      if (at.has(step)) {
        lowest -= 0.001;
        priority[best()] = lowest;
      }
      const actor = best();
      // An actor that only retries must not keep the others out for ever.
      priority[actor]! -= 1e-9 * step;
      return actor;
    };
  };
}

/** Runs schedules until one breaks an invariant or the budget is spent. */
export const walk = (
  instance: RaceInstance,
  newRun: () => Pick,
  budget: Budget,
  onProgress?: (progress: Progress) => void,
): SearchResult => atOnce(walkSlices(instance, newRun, budget, onProgress));

/** The same in slices of one schedule each. */
export function* walkSlices(
  instance: RaceInstance,
  newRun: () => Pick,
  budget: Budget,
  onProgress?: (progress: Progress) => void,
): Slices {
  let reported = 0;
  const started = performance.now();
  const seconds = (): number => (performance.now() - started) / 1000;
  let steps = 0;
  let schedules = 0;
  let depth = 0;
  while (steps < budget.steps && seconds() < budget.seconds) {
    const pick = newRun();
    const path: number[] = [];
    let violation: Violation | undefined;
    instance.restore(instance.initial);
    for (;;) {
      const enabled = instance.enabled();
      if (enabled === 0) {
        violation = instance.checkEnd();
        break;
      }
      if (path.length >= LONGEST_RUN || steps >= budget.steps) break;
      const actor = pick(enabled, path.length);
      path.push(actor);
      steps++;
      violation = stepFrom(instance, actor, () => path.slice(0, -1));
      if (violation) break;
    }
    schedules++;
    yield { states: 0, schedules, steps, depth, seconds: seconds() };
    if (onProgress && seconds() - reported > 0.5) {
      reported = seconds();
      onProgress({ states: 0, schedules, steps, depth, seconds: reported });
    }
    depth = Math.max(depth, path.length);
    if (violation)
      return {
        verdict: "violation",
        exhaustive: false,
        states: 0,
        steps,
        schedules,
        depth,
        seconds: seconds(),
        violation: { ...violation, schedule: path },
      };
  }
  return { verdict: "budget", exhaustive: false, states: 0, steps, schedules, depth, seconds: seconds() };
}
