/** Automatic windows: a race that nobody named is found, its schedule replays, and the cost is told. */
import { describe, expect, it } from "vitest";
import { exploreAllWindows, switchAtAccesses } from "../../host/lib/explore/automatic-windows.ts";
import { openRace, type RaceInstance } from "../../host/lib/explore/instance.ts";
import { record, replay } from "../../host/lib/explore/replay.ts";
import { formatSchedule, parseSchedule } from "../../host/lib/explore/schedule.ts";
import { search } from "../../host/lib/explore/search.ts";
import { shrink } from "../../host/lib/explore/shrink.ts";
import { compileBuild, readAccessTable } from "../../host/node/wasm.ts";
import { KNOB_MUTATION } from "../../hv-core/abi/knobs.ts";
import { MUTATION_EVTCHN_UNLOCKED } from "../../hv-core/abi/mutations.ts";
import { BUDGET, raceBuild, raceNamed } from "./support.ts";
import { twoPorts } from "./two-ports.ts";

const footprintBuild = compileBuild("race-footprint");
const table = readAccessTable();
const settings = [[KNOB_MUTATION, MUTATION_EVTCHN_UNLOCKED]] as const;
const run = (instance: RaceInstance) => search(instance, { budget: BUDGET });

describe("two programs of dom0 ask for an event channel at the same time", () => {
  it("without the event lock, named windows find nothing: there is none between the look and the store", () => {
    const result = search(openRace(raceBuild, twoPorts, "only", {}, settings), { budget: BUDGET });
    expect(result.verdict).toBe("clean");
  });

  it("automatic windows find it, and the schedule replays", () => {
    const instance = openRace(footprintBuild, twoPorts, "only", {}, settings);
    const { result, words, rounds } = exploreAllWindows(instance, table, run);
    expect(result.violation?.invariant).toBe("two-ports");
    expect(rounds.length).toBeGreaterThan(1);
    expect(rounds[0]!.words).toBe(0);
    const smaller = shrink(instance, result.violation!, BUDGET);
    const text = formatSchedule(record(instance, { variant: "only", knobs: {}, accesses: words }, smaller));
    expect(text).toMatch(/:Access +# writes .* in hv\/evtchn\//);
    const again = openRace(footprintBuild, twoPorts, "only", {}, settings);
    switchAtAccesses(again, table, parseSchedule(text).accesses!);
    const replayed = replay(again, parseSchedule(text));
    expect(replayed.divergence).toBeUndefined();
    expect(replayed.violation?.invariant).toBe("two-ports");
  });

  it("with the lock there is nothing to find, and the cost is known", () => {
    const { result, words, rounds } = exploreAllWindows(openRace(footprintBuild, twoPorts, "only"), table, run);
    expect(result).toMatchObject({ verdict: "clean", exhaustive: true });
    expect(words.length).toBeGreaterThan(0);
    expect(rounds.at(-1)!.states).toBeGreaterThan(rounds[0]!.states);
  });
});

it.each(["pause-under-lock", "completion-after-type-flip"])("%s fixed is clean with automatic windows too", (name) => {
  const { result, rounds } = exploreAllWindows(openRace(footprintBuild, raceNamed(name), "fixed"), table, run);
  expect(result).toMatchObject({ verdict: "clean", exhaustive: true });
  expect(rounds.at(-1)!.states).toBeGreaterThan(5 * rounds[0]!.states);
});

it("an instance of the plain build has no accesses to stop at", () => {
  const instance = openRace(raceBuild, twoPorts, "only");
  expect(() => exploreAllWindows(instance, table, run)).toThrow("race-footprint");
});
