/**
 * Mutations: one lock or one look is left out of the fixed code (hv-core/abi/mutations.ts), and the explorer finds it in a race that is
 * clean otherwise. The table in docs/explorer.md says the same.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { exploreAllWindows } from "../../host/lib/explore/automatic-windows.ts";
import { openRace } from "../../host/lib/explore/instance.ts";
import { search } from "../../host/lib/explore/search.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild, readAccessTable } from "../../host/node/wasm.ts";
import { KNOB_MUTATION } from "../../hv-core/abi/knobs.ts";
import * as mutations from "../../hv-core/abi/mutations.ts";
import { BUDGET, raceBuild, raceNamed } from "./support.ts";
import { twoPorts } from "./two-ports.ts";

/** Mutation, race, variant that is clean without it, what breaks. */
const FOUND: readonly (readonly [
  mutation: keyof typeof mutations,
  race: string,
  variant: string,
  invariant: string,
])[] = [
  ["MUTATION_PAUSE_DOES_NOT_WAIT", "ioreq-unmap-window", "pause-null", "every-write-once"],
  ["MUTATION_PAUSED_RUNS", "ioreq-unmap-window", "pause-null", "every-write-once"],
  ["MUTATION_DESTROY_UNPAUSED", "emulator-dies", "fixed", "deadlock"],
  ["MUTATION_DESTROY_KEEPS_TYPE", "destroy-without-unmap", "fixed", "I-7"],
  ["MUTATION_DESTROY_DOES_NOT_WAKE", "emulator-dies", "fixed", "deadlock"],
  ["MUTATION_SET_TYPE_NO_LOOK", "set-type-window", "fixed", "I-7"],
  ["MUTATION_NO_SERVER_NO_LOOK", "ioreq-unmap-window", "fixed", "every-write-once"],
  ["MUTATION_WAIT_NO_SECOND_LOOK", "lost-wakeup", "fixed", "deadlock"],
  ["MUTATION_WAIT_BACKWARDS", "slot-state-toggled", "fixed", "livelock"],
  ["MUTATION_NO_RESET", "ioreq-unmap-window", "fixed", "I-7"],
  ["MUTATION_SET_TYPE_UNLOCKED", "set-type-window", "fixed", "I-7"],
];

const NUMBERS: Readonly<Record<string, number>> = { ...mutations };
const settingsOf = (mutation: keyof typeof mutations) => [[KNOB_MUTATION, NUMBERS[mutation]!]] as const;

describe("named windows", () => {
  it.each(FOUND)("%s: found in %s %s", (mutation, race, variant, invariant) => {
    const instance = openRace(raceBuild, raceNamed(race), variant, {}, settingsOf(mutation));
    expect(search(instance, { budget: BUDGET }).violation?.invariant).toBe(invariant);
  });
});

it("MUTATION_EVTCHN_UNLOCKED: only automatic windows find it", () => {
  const settings = settingsOf("MUTATION_EVTCHN_UNLOCKED");
  expect(search(openRace(raceBuild, twoPorts, "only", {}, settings), { budget: BUDGET }).verdict).toBe("clean");
  const instance = openRace(compileBuild("race-footprint"), twoPorts, "only", {}, settings);
  const { result } = exploreAllWindows(instance, readAccessTable(), (i) => search(i, { budget: BUDGET }));
  expect(result.violation?.invariant).toBe("two-ports");
});

it("every mutation is in one of these, and in the table of docs/explorer.md", () => {
  const tested = new Set([...FOUND.map(([name]) => name), "MUTATION_EVTCHN_UNLOCKED"]);
  expect([...tested].sort()).toEqual(Object.keys(mutations).sort());
  const text = readFileSync(join(ROOT, "docs/explorer.md"), "utf8");
  for (const name of tested) expect(text).toContain(name);
  expect(tested.size).toBeGreaterThanOrEqual(10);
});
