/** Every variant of every race: found or proved as its folder says; the committed schedule replays and cannot be made smaller. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { openRace } from "../../host/lib/explore/instance.ts";
import { raceReadme } from "../../host/lib/explore/readme.ts";
import { replay } from "../../host/lib/explore/replay.ts";
import { parseSchedule } from "../../host/lib/explore/schedule.ts";
import { type SearchResult, search } from "../../host/lib/explore/search.ts";
import { preemptionsOf, shrink } from "../../host/lib/explore/shrink.ts";
import { STRATEGIES } from "../../host/lib/explore/strategies.ts";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { ROOT } from "../../host/node/paths.ts";
import { BUDGET, raceBuild } from "./support.ts";

describe.each(RACES.map((race) => [race.name, race] as const))("%s", (_, race) => {
  const folder = join(ROOT, "host/lib/races", race.name);
  const results: Record<string, SearchResult> = {};

  it.each(Object.entries(race.variants))("%s: exhaustive search finds what is expected", (name, variant) => {
    const instance = openRace(raceBuild, race, name);
    const result = search(instance, { budget: BUDGET });
    results[name] = result;
    expect(result.violation?.invariant ?? result.verdict).toBe(variant.expect);
    if (variant.expect === "clean") expect(result.exhaustive).toBe(true);
  });

  const buggy = Object.entries(race.variants).filter(([, variant]) => variant.expect !== "clean");

  it.each(buggy)("%s: the committed schedule replays to its violation", (name, variant) => {
    const file = join(folder, `${name}.schedule`);
    expect(existsSync(file)).toBe(true);
    const schedule = parseSchedule(readFileSync(file, "utf8"));
    expect(schedule.violation).toBe(variant.expect);
    const instance = openRace(raceBuild, race, name);
    const replayed = replay(instance, schedule);
    expect(replayed.divergence).toBeUndefined();
    expect(replayed.violation?.invariant).toBe(variant.expect);
    expect(replayed.steps.length).toBe(schedule.steps.length);
  });

  it.each(buggy)("%s: the committed schedule cannot be shrunk", (name, variant) => {
    const schedule = parseSchedule(readFileSync(join(folder, `${name}.schedule`), "utf8"));
    const instance = openRace(raceBuild, race, name);
    const steps = replay(instance, schedule).steps.map((step) => step.actor);
    const found = {
      invariant: variant.expect,
      message: "",
      schedule: steps,
      ...(schedule.cycleFrom === undefined ? {} : { cycleFrom: schedule.cycleFrom }),
    };
    const smaller = shrink(instance, found, BUDGET);
    expect(smaller.schedule.length).toBe(steps.length);
    expect(preemptionsOf(instance, smaller.schedule)).toBe(preemptionsOf(instance, steps));
  });

  // Runs that are caught in a loop are cut off, so what is broken only at an end that few runs reach is not for them.
  const isForRuns = race.name !== "destroy-without-unmap";
  // Six hypercall steps in one window; two whole calls between two steps of a third: too rare for so few runs.
  const RARE = new Set(["anew-copy-new-owner", "removed-early"]);
  it.each(buggy.filter(([name, variant]) => variant.expect !== "livelock" && isForRuns && !RARE.has(name)))(
    "%s: random and PCT find it too, from a seed",
    (name) => {
      // A write that is lost because one processor stands still for a dozen steps: priorities do that, a fair walk hardly ever does.
      const isPatient = race.name === "evict-against-touch" && name === "unlocked";
      // Five changes between two parties, each at one place: more than the priorities of PCT change here.
      const isBusy = race.name === "destroy-while-mapping";
      for (const strategy of isPatient ? ["pct"] : isBusy ? ["random"] : ["random", "pct"]) {
        const run = () =>
          STRATEGIES[strategy]!.run(openRace(raceBuild, race, name), {
            budget: { steps: 400_000, seconds: 60 },
            seed: 3,
            bound: 3,
          });
        const result = run();
        expect(result.verdict).toBe("violation");
        expect(run().violation?.schedule).toEqual(result.violation?.schedule);
      }
    },
  );

  it("the README has the counts", () => {
    expect(readFileSync(join(folder, "README.md"), "utf8")).toBe(raceReadme(race, results));
  });
});
