/** Exact counts and what they would cost. */
import { COST_EVENTS } from "../../../lib/cost/model.ts";
import { type SimulatedCost, simulateCost } from "../../../lib/cost/simulate.ts";
import type { Stats } from "../../../lib/machine.ts";
import type { Session } from "../session.ts";

export interface Counts {
  readonly stats: Stats;
  readonly cost: SimulatedCost;
  /** What each event of the cost model means. */
  readonly meaning: Readonly<Record<string, string>>;
  readonly stateHash: string;
  readonly traceHash: string;
}

const meaning = Object.fromEntries(COST_EVENTS.map((e) => [e.name, e.text]));

export function readCounts({ machine }: Session): Counts {
  const stats = machine.stats();
  return { stats, cost: simulateCost(stats), meaning, stateHash: machine.stateHash(), traceHash: machine.traceHash() };
}
