/**
 * Makes a failing schedule smaller: fewest preemptions first, by searching with bound 0, 1, 2, ...; then fewest steps, by leaving
 * steps out as long as the same invariant breaks. The result is minimal in its preemptions where the searches came to their end, and
 * locally minimal in its steps: no step can be left out.
 */
import type { RaceInstance } from "./instance.ts";
import { type Budget, type FoundViolation, search } from "./search.ts";

/** Switches away from an actor that could have gone on. */
export function preemptionsOf(instance: RaceInstance, schedule: readonly number[]): number {
  instance.restore(instance.initial);
  let count = 0;
  let last = -1;
  for (const actor of schedule) {
    if (last >= 0 && actor !== last && (instance.enabled() >> last) & 1) count++;
    instance.step(actor);
    last = actor;
  }
  return count;
}

/**
 * Takes the steps of `wanted` that are possible, in order, until the invariant breaks.
 * @returns the steps taken, undefined when it does not break.
 */
function attempt(instance: RaceInstance, wanted: readonly number[], invariant: string): FoundViolation | undefined {
  instance.restore(instance.initial);
  const taken: number[] = [];
  for (const actor of wanted) {
    if (((instance.enabled() >> actor) & 1) === 0) continue;
    taken.push(actor);
    const broken = instance.step(actor);
    if (broken) return broken.invariant === invariant ? { ...broken, schedule: taken } : undefined;
  }
  const ending = instance.enabled() === 0 ? instance.checkEnd() : undefined;
  return ending?.invariant === invariant ? { ...ending, schedule: taken } : undefined;
}

export function shrink(instance: RaceInstance, found: FoundViolation, budget: Budget): FoundViolation {
  if (found.cycleFrom !== undefined) return found; // the way to a cycle and once round it: nothing to leave out
  const ends = performance.now() + budget.seconds * 1000;
  const left = (): number => Math.max(0, (ends - performance.now()) / 1000);
  let best = found;
  let preemptions = preemptionsOf(instance, found.schedule);
  for (let bound = 0; bound < preemptions && left() > 0; bound++) {
    const result = search(instance, {
      budget: { steps: budget.steps, seconds: left() },
      preemptions: bound,
      only: found.invariant,
    });
    if (!result.violation) continue;
    best = result.violation;
    preemptions = bound;
  }
  for (let size = best.schedule.length >> 1; size >= 1 && left() > 0; ) {
    let isSmaller = false;
    for (let at = 0; at < best.schedule.length && left() > 0; ) {
      const candidate = attempt(
        instance,
        [...best.schedule.slice(0, at), ...best.schedule.slice(at + size)],
        found.invariant,
      );
      const isBetter =
        candidate !== undefined &&
        candidate.schedule.length < best.schedule.length &&
        preemptionsOf(instance, candidate.schedule) <= preemptions;
      if (isBetter) {
        best = candidate;
        preemptions = preemptionsOf(instance, best.schedule);
        isSmaller = true;
      } else at += size;
    }
    if (size === 1 && !isSmaller) break;
    size = Math.max(1, size >> 1);
  }
  return best;
}
