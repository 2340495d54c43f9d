/** What the name of a race and the name of a variant on the command line mean. */
import { UsageError } from "../lib/errors.ts";
import type { Race } from "../lib/explore/race.ts";
import { nearest } from "../lib/nearest.ts";
import { RACES } from "../lib/races/catalogue.ts";
import { isRaceFile, loadRaceFile } from "../node/race-files.ts";

/** By name, by id (C-1), or the file of one's own race. @throws UsageError */
export async function findRace(name: string): Promise<Race> {
  if (isRaceFile(name)) return loadRaceFile(name);
  const race = RACES.find((r) => r.name === name || r.id === name);
  if (race) return race;
  const meant = nearest(
    name,
    RACES.map((r) => r.name),
  );
  const hint = meant === undefined ? "" : `did you mean ${meant}? `;
  throw new UsageError(
    `no race is called "${name}": ${hint}vmexit race list shows them; one of your own is a path, ./my-race.js`,
  );
}

/** Beside its own names every race has `buggy`, the first variant that breaks, and `fixed`, the first that does not. Default: buggy. */
export function variantOf(race: Race, name = "buggy"): string {
  if (Object.hasOwn(race.variants, name)) return name;
  const all = Object.entries(race.variants);
  const first = (isClean: boolean): string => (all.find(([, v]) => (v.expect === "clean") === isClean) ?? all[0]!)[0];
  if (name === "buggy") return first(false);
  if (name === "fixed") return first(true);
  const meant = nearest(name, Object.keys(race.variants));
  const hint = meant === undefined ? "" : `did you mean ${meant}? `;
  throw new UsageError(
    `race ${race.name} has no variant "${name}": ${hint}use one of ${Object.keys(race.variants).join(", ")}, or buggy, or fixed`,
  );
}
