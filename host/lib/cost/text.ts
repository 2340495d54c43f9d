/** The cost model and a simulated cost as tables. */
import { COST_EVENTS, type CostModel, DEFAULT_COSTS } from "./model.ts";
import type { SimulatedCost } from "./simulate.ts";

const count = (n: number): string => n.toLocaleString("en-US");

/** Every event with its cycles and where the figure comes from. */
export function modelText(model: CostModel = DEFAULT_COSTS): string {
  const width = Math.max(...COST_EVENTS.map((event) => event.name.length));
  return COST_EVENTS.map((event) => {
    const cycles = model[event.name] ?? event.cycles;
    const changed = cycles === event.cycles ? "" : ` (default ${event.cycles})`;
    const source = cycles === event.cycles ? event.source : "the given file";
    return `  ${event.name.padEnd(width)} ${count(cycles).padStart(7)}${changed}  ${event.text}\n  ${"".padEnd(width)} ${"".padEnd(7)}  [${source}]\n`;
  }).join("");
}

/** What each kind of event adds to the simulated cost. */
export function costText(cost: SimulatedCost): string {
  const width = Math.max(...cost.lines.map((line) => line.event.length), "total".length);
  const rows = cost.lines.map(
    (line) =>
      `  ${line.event.padEnd(width)} ${count(line.count).padStart(15)} x ${count(line.cycles).padStart(6)} = ${count(line.total).padStart(18)}\n`,
  );
  return `simulated (cycles, by the declared costs: vmexit cost)\n${rows.join("")}  ${"total".padEnd(width)} ${"".padStart(26)} ${count(cost.total).padStart(18)}\n`;
}
