/** A worker thread of explore-pool.ts: runs the parts that it is sent. */
import { parentPort, workerData } from "node:worker_threads";
import { createClaims } from "../lib/explore/claims.ts";
import { dpor } from "../lib/explore/dpor.ts";
import { openRace, type RaceInstance } from "../lib/explore/instance.ts";
import { type SearchResult, search } from "../lib/explore/search.ts";
import type { PartGraph, PartResult, WorkUnit } from "../lib/explore/search-parts.ts";
import { strategyByName } from "../lib/explore/strategies.ts";
import { RACES } from "../lib/races/catalogue.ts";
import type { PoolAnswer, PoolData, PoolMessage } from "./explore-pool.ts";

const { module, claims, stop } = workerData as PoolData;
const { claim } = createClaims(claims);
const stopFlag = new Int32Array(stop);
const isStopped = (): boolean => Atomics.load(stopFlag, 0) !== 0;
let instance: RaceInstance | undefined;

function open(unit: WorkUnit): RaceInstance {
  const race = RACES.find((r) => r.name === unit.scenario);
  if (!race) throw new Error(`no race is called ${unit.scenario}`);
  instance ??= openRace(module, race, unit.variant, unit.knobs);
  return instance;
}

function run({ unit, budget }: PoolMessage): PartResult {
  const opened = open(unit);
  if (unit.strategy === "dpor") return { result: dpor(opened, { budget, prefix: unit.prefix, isStopped }) };
  if (unit.strategy !== "exhaustive") {
    const result: SearchResult = strategyByName(unit.strategy).run(opened, {
      budget,
      seed: unit.seed,
      bound: unit.bound,
    });
    return { result };
  }
  let graph: PartGraph | undefined;
  const result = search(opened, {
    budget,
    prefix: unit.prefix,
    claim,
    isStopped,
    onGraph(part, keys, isOwn) {
      graph = { ...part, keys, own: keys.map((_, state) => isOwn(state)) };
    },
  });
  // The first state of a part has been counted by whoever made the parts.
  return { result: { ...result, states: result.states - 1 }, ...(graph ? { graph } : {}) };
}

parentPort!.on("message", (message: PoolMessage) => {
  let answer: PoolAnswer;
  try {
    answer = { part: run(message) };
  } catch (error) {
    answer = { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  parentPort!.postMessage(answer);
});
