/** Toys from a seed, whose steps do this or that by what they find, and what exhaustive search and partial-order reduction say of them. */
import { expect } from "vitest";
import { dpor } from "../../host/lib/explore/dpor.ts";
import type { Invariant } from "../../host/lib/explore/race.ts";
import { search } from "../../host/lib/explore/search.ts";
import type { World } from "../../host/lib/explore/world.ts";
import type { WriteStep } from "../../host/lib/explore/writer-actor.ts";
import { footprintBuild } from "./same-verdict.ts";
import { numbers } from "./support.ts";
import { cell, nothing, put, type ToyActor, toy } from "./toy.ts";

/** A round of many actors is expanded fully: such a toy is left out. */
const BUDGET = { steps: 10_000, seconds: 100 };

export type Broken = (world: World) => boolean;

/** Whether a state that must not be is reached. */
export function verdicts(
  actors: readonly ToyActor[],
  broken: readonly Broken[],
): readonly [exhaustive: string, dpor: string] {
  const invariants = (world: World): Invariant[] =>
    broken.map((isBroken, i) => ({ name: `b${i}`, text: "-", always: () => (isBroken(world) ? "broken" : undefined) }));
  const instance = toy(footprintBuild, actors, invariants);
  const exhaustive = search(instance, { budget: BUDGET, skipLivelock: true });
  const reduced = dpor(instance, { budget: BUDGET });
  return [exhaustive.verdict, reduced.violation?.invariant === "livelock" ? "clean" : reduced.verdict];
}

/** Two to four programs of conditional writes and waits over a few words, and one or two states that must not be. */
function randomToy(seed: number, mayLoop: boolean): readonly [ToyActor[], Broken[]] {
  const random = numbers(seed * 7919 + 13);
  const [cells, values, count] = [2 + random(3), 2 + random(2), 2 + random(3)];
  const step = (): WriteStep => {
    const [a, b, c, d, k, add] = [
      random(cells),
      random(cells),
      random(cells),
      random(cells),
      random(values),
      random(3),
    ];
    const addTo = (w: World): void => put(w, b, (cell(w, c) + add) % values);
    switch (random(6)) {
      case 0:
        return { text: "waits", when: (w) => cell(w, a) !== k, run: addTo };
      case 1:
        return { text: "this or that", run: (w) => (cell(w, a) === k ? addTo(w) : put(w, d, k)) };
      case 2:
        return { text: "this or nothing", run: (w) => (cell(w, a) === k ? addTo(w) : undefined) };
      case 3:
        return { text: "adds", run: addTo };
      case 4:
        return { text: "writes", run: (w) => put(w, a, k) };
      default:
        return nothing;
    }
  };
  const actors = Array.from({ length: count }, () => ({
    steps: Array.from({ length: 1 + random(count > 3 ? 3 : 4) }, step),
    loops: mayLoop && random(3) === 0,
  }));
  const broken = Array.from({ length: 1 + random(2) }, (): Broken => {
    const wanted = Array.from({ length: cells }, () => random(values));
    if (!wanted.some((value) => value > 0)) wanted[0] = 1; // the first state is none that a step leads to
    return (w) => wanted.every((value, n) => cell(w, n) === value);
  });
  return [actors, broken];
}

/** Compares the two on toys from seeds. @returns on how many that was possible. */
export function sameOnToys(from: number, to: number, mayLoop: boolean): number {
  let compared = 0;
  for (let seed = from; seed < to; seed++) {
    const [exhaustive, reduced] = verdicts(...randomToy(seed, mayLoop));
    if (exhaustive === "budget" || reduced === "budget") continue;
    expect(reduced, `seed ${seed}`).toBe(exhaustive);
    compared++;
  }
  return compared;
}
