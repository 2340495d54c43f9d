/** Everything the core counts, exits included, under one name each: what result files keep beside the times. */
import type { Core } from "../host/lib/core.ts";
import { readCounters, readExits } from "../host/lib/counters.ts";

export function countersOf(core: Pick<Core, "u32">): Record<string, number> {
  const exits = Object.entries(readExits(core)).map(([name, count]) => [`exit ${name}`, count]);
  return { ...readCounters(core), ...Object.fromEntries(exits) };
}
