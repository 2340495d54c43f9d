/**
 * The explorer on a real entry of the catalogue, all oracles on: one step of an exhaustive search (step, oracles, hash, copy), and what
 * its parts cost. States a second = states / steps of the search times its rate.
 */
import { openRace, type RaceInstance } from "../../host/lib/explore/instance.ts";
import type { Race } from "../../host/lib/explore/race.ts";
import { search } from "../../host/lib/explore/search.ts";
import { ioreqUnmapWindow } from "../../host/lib/races/ioreq-unmap-window/race.ts";
import { lostWakeup } from "../../host/lib/races/lost-wakeup/race.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Table } from "../report.ts";

const BUDGET = { steps: 1e9, seconds: 1e9 };

function whole(wasm: WebAssembly.Module, race: Race): { contestant: Contestant; note: string } {
  const instance = openRace(wasm, race, "fixed");
  const run = () => search(instance, { budget: BUDGET });
  const { states, steps, verdict } = run();
  if (verdict !== "clean") throw new Error(`${race.name} fixed: ${verdict}`);
  return {
    contestant: { name: `${race.name}: a step of the search`, operations: steps, call: run },
    note: `${race.name} fixed: ${states} states, ${steps} steps`,
  };
}

/** A vCPU that stands at its first lock. */
function atLock(instance: RaceInstance): RaceInstance {
  instance.restore(instance.initial);
  while (instance.place(0) !== "Lock") instance.step(0);
  return instance;
}

export function explorerSuite(effort: Effort): Table {
  const wasm = compileBuild("race");
  const wholes = [whole(wasm, ioreqUnmapWindow), whole(wasm, lostWakeup)];
  const instance = atLock(openRace(wasm, ioreqUnmapWindow, "fixed"));
  let saved = instance.save();
  const parts: Contestant[] = [
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
  const rows = measure([...wholes.map((w) => w.contestant), ...parts], effort).map((measurement) => ({
    measurement,
    unit: "ns" as const,
  }));
  return { title: "Explorer", rows, notes: wholes.map((w) => w.note) };
}
