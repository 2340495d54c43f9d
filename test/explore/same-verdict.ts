/** Partial-order reduction against exhaustive search, on one variant of a race of the catalogue. */
import { expect } from "vitest";
import { dpor } from "../../host/lib/explore/dpor.ts";
import { openRace } from "../../host/lib/explore/instance.ts";
import type { Race } from "../../host/lib/explore/race.ts";
import { search } from "../../host/lib/explore/search.ts";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { raceBuild } from "./support.ts";

export const footprintBuild = compileBuild("race-footprint");

export const variantsOfCatalogue = RACES.flatMap((race) =>
  Object.keys(race.variants).map((variant) => [race.name, variant, race] as const),
);

/**
 * Compares the two unless exhaustive search meets more than `states` states, or reduction needs more than `steps` steps: such an entry is
 * not small enough. Counts, not seconds, so that a slow machine compares the same entries.
 */
export function sameVerdict(race: Race, variant: string, states: number, steps: number): void {
  const exhaustive = search(openRace(raceBuild, race, variant), { budget: { steps: states * 3, seconds: 60 } });
  if (exhaustive.verdict === "budget" || exhaustive.states > states) return;
  const budget = { steps, seconds: 3600 };
  const reduced = dpor(openRace(footprintBuild, race, variant), { budget });
  if (reduced.verdict === "budget") return;
  const wanted = exhaustive.violation?.invariant ?? exhaustive.verdict;
  if (wanted === "livelock" && reduced.verdict === "clean") {
    // No round on one path: only a search that knows all states sees it, and the result says so (docs/explorer.md).
    expect(reduced.rounds).toBeGreaterThan(0);
    return;
  }
  expect(reduced.violation?.invariant ?? reduced.verdict).toBe(wanted);
}
