/** Counts times costs: the simulated cost of a run, event by event. */
import type { Stats } from "../machine.ts";
import { COST_EVENTS, type CostModel, DEFAULT_COSTS } from "./model.ts";

export interface CostLine {
  readonly event: string;
  readonly count: number;
  /** Of one. */
  readonly cycles: number;
  /** Of all. */
  readonly total: number;
}

export interface SimulatedCost {
  /** Simulated cycles. */
  readonly total: number;
  /** Events that happened, in the model's order. */
  readonly lines: readonly CostLine[];
}

export function simulateCost(stats: Stats, model: CostModel = DEFAULT_COSTS): SimulatedCost {
  const lines: CostLine[] = [];
  for (const event of COST_EVENTS) {
    const count = event.count(stats);
    if (count === 0) continue;
    const cycles = model[event.name] ?? event.cycles;
    lines.push({ event: event.name, count, cycles, total: count * cycles });
  }
  return { total: lines.reduce((sum, line) => sum + line.total, 0), lines };
}

/** What happened between two readings of the same machine. */
export function statsBetween(before: Stats, after: Stats): Stats {
  const difference = (a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>) =>
    Object.fromEntries(
      Object.entries(b)
        .map(([name, n]) => [name, n - (a[name] ?? 0)] as const)
        .filter(([, n]) => n !== 0),
    );
  return {
    instructions: after.instructions - before.instructions,
    exits: difference(before.exits, after.exits),
    counters: difference(before.counters, after.counters),
  };
}
