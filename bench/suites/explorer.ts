/**
 * The explorer on real entries of the catalogue, all oracles on: what a state of exhaustive search and a schedule of partial-order
 * reduction cost, with one thread and with two, and what a step is made of. The notes count states and schedules with and without
 * hashing and reduction.
 */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { dpor } from "../../host/lib/explore/dpor.ts";
import { openRace, type RaceInstance } from "../../host/lib/explore/instance.ts";
import type { Race } from "../../host/lib/explore/race.ts";
import { type SearchResult, search } from "../../host/lib/explore/search.ts";
import { strategyByName } from "../../host/lib/explore/strategies.ts";
import { ioreqUnmapWindow } from "../../host/lib/races/ioreq-unmap-window/race.ts";
import { lostWakeup } from "../../host/lib/races/lost-wakeup/race.ts";
import { pauseUnderLock } from "../../host/lib/races/pause-under-lock/race.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { type Contestant, type Effort, type Measurement, measure } from "../harness.ts";
import type { Table } from "../report.ts";
import { summarize } from "../statistics.ts";

const BUDGET = { steps: 1e9, seconds: 1e9 };
/** Without reduction some entries have more schedules than anybody can wait for. */
const TREE_BUDGET = { steps: 200_000, seconds: 20 };

/**
 * What a real entry must reach with all oracles on: states a second of exhaustive search, one thread. About half of what an ordinary
 * machine does, so that a slow one passes and a search that has become twice as slow does not.
 */
const FLOOR_STATES_PER_SECOND = 4000;

interface Subject {
  readonly contestant: Contestant;
  readonly note: string;
  /** States a second that it must reach. */
  readonly floor?: number;
}

const count = (n: number): string => n.toLocaleString("en-US");

function clean(result: SearchResult, race: Race): SearchResult {
  if (result.verdict !== "clean") throw new Error(`${race.name} fixed: ${result.verdict}`);
  return result;
}

function exhaustive(wasm: WebAssembly.Module, race: Race): Subject {
  const instance = openRace(wasm, race, "fixed");
  const run = () => clean(search(instance, { budget: BUDGET }), race);
  const { states, steps, schedules } = run();
  const tree = search(instance, { budget: TREE_BUDGET, tree: true });
  const all = tree.verdict === "clean" ? count(tree.schedules) : `more than ${count(tree.schedules)}`;
  return {
    contestant: { name: `${race.name}: a state, exhaustive`, operations: states, call: run },
    note: `${race.name} fixed, exhaustive: ${count(states)} states, ${count(steps)} steps, ${count(schedules)} ends; without hashing ${all} schedules`,
    floor: FLOOR_STATES_PER_SECOND,
  };
}

function reduced(footprint: WebAssembly.Module, race: Race): Subject {
  const instance = openRace(footprint, race, "fixed");
  const run = () => clean(dpor(instance, { budget: BUDGET }), race);
  const { schedules, steps } = run();
  const whole = dpor(instance, { budget: TREE_BUDGET, withoutReduction: true });
  const all = whole.verdict === "clean" ? count(whole.schedules) : `more than ${count(whole.schedules)}`;
  return {
    contestant: { name: `${race.name}: a schedule, dpor`, operations: schedules, call: run },
    note: `${race.name} fixed, dpor: ${count(schedules)} schedules, ${count(steps)} steps; without reduction ${all} schedules`,
  };
}

/** "ioreq-unmap-window: a state, exhaustive: 9,000 states/s, floor 4,000: reached". */
export function floorNote({ name, samples }: Pick<Measurement, "name" | "samples">, floor: number): string {
  const reached = 1e9 / summarize(samples).median;
  const verdict = reached >= floor ? "reached" : "BELOW THE FLOOR";
  return `${name}: ${count(Math.round(reached))} states/s, floor ${count(floor)}: ${verdict}`;
}

/** Whole schedules without oracles of the search: how fast runs can be made at all. */
function random(wasm: WebAssembly.Module, race: Race): Contestant {
  const instance = openRace(wasm, race, "fixed");
  const steps = 4000;
  const run = () => strategyByName("random").run(instance, { budget: { steps, seconds: 1e9 }, seed: 1, bound: 0 });
  return { name: `${race.name}: a schedule, random`, operations: run().schedules, call: () => void run() };
}

/** Seconds of a whole search, as the command line says. */
function parallel(workers: number): Contestant {
  const args = ["race", "ioreq-unmap-window", "--variant", "fixed-2-vcpus", "--workers", String(workers), "--json"];
  const run = (): SearchResult =>
    JSON.parse(
      execFileSync(process.execPath, [join(ROOT, "dist/host/cli/main.js"), ...args], { encoding: "utf8" }),
    ) as SearchResult;
  const { states } = run();
  return {
    name: `ioreq-unmap-window, 2 vCPUs: a state, ${workers} thread${workers > 1 ? "s" : ""}, start included`,
    operations: states,
    every: 3,
    sample: () => [run().seconds],
  };
}

/** A vCPU that stands at its first lock. */
function atLock(instance: RaceInstance): RaceInstance {
  instance.restore(instance.initial);
  while (instance.place(0) !== "Lock") instance.step(0);
  return instance;
}

function parts(wasm: WebAssembly.Module): Contestant[] {
  const instance = atLock(openRace(wasm, ioreqUnmapWindow, "fixed"));
  let saved = instance.save();
  return [
    { name: "hash of a state", operations: 1, call: () => void instance.hash() },
    {
      name: "copy of a state",
      operations: 1,
      call() {
        saved = instance.save(saved);
      },
    },
    { name: "putting it back", operations: 1, call: () => instance.restore(saved) },
    {
      name: "putting it back and one step (rewind, lock, unwind), with oracles",
      operations: 1,
      call() {
        instance.restore(saved);
        instance.step(0);
      },
    },
  ];
}

export function explorerSuite(effort: Effort): Table {
  const wasm = compileBuild("race");
  const footprint = compileBuild("race-footprint");
  const subjects = [
    exhaustive(wasm, ioreqUnmapWindow),
    exhaustive(wasm, lostWakeup),
    reduced(footprint, pauseUnderLock),
    reduced(footprint, lostWakeup),
  ];
  const contestants = [
    ...subjects.map((subject) => subject.contestant),
    random(wasm, ioreqUnmapWindow),
    parallel(1),
    parallel(2),
    ...parts(wasm),
  ];
  const rows = measure(contestants, effort).map((measurement) => ({ measurement, unit: "ns" as const }));
  const floors = subjects.flatMap(({ contestant, floor }) => {
    const row = rows.find(({ measurement }) => measurement.name === contestant.name);
    return row && floor !== undefined ? [floorNote(row.measurement, floor)] : [];
  });
  return { title: "Explorer", rows, notes: [...subjects.map((subject) => subject.note), ...floors] };
}
