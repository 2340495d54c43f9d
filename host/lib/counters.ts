/** Names of the exact operation counters (abi/counters.ts) and how to read them. */
import * as counters from "../../hv-core/abi/counters.ts";
import { COUNTERS_BASE } from "../../hv-core/abi/layout.ts";
import type { Core } from "./core.ts";
import { EXIT_REASONS, exitCounter, exitName } from "./exits.ts";

/** "tlbMisses" for CTR_TLB_MISSES. */
function camel(name: string): string {
  return name.toLowerCase().replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

const named: [name: string, index: number][] = [];
for (const [name, index] of Object.entries(counters)) {
  if (name.startsWith("CTR_") && name !== "CTR_EXITS") named.push([camel(name.slice("CTR_".length)), index]);
}

/** Name of each counter that is not an exit counter, by its index. */
export const counterNames: ReadonlyMap<number, string> = new Map(named.map(([name, index]) => [index, name]));

/** Reads one counter. Exact up to 2^53. */
export function readCounter(core: Pick<Core, "u32">, index: number): number {
  const at = (COUNTERS_BASE >> 2) + index * 2;
  return core.u32[at]! + core.u32[at + 1]! * 2 ** 32;
}

/** Every counter that is not an exit counter, by name. */
export function readCounters(core: Pick<Core, "u32">): Record<string, number> {
  const all: Record<string, number> = {};
  for (const [name, index] of named) all[name] = readCounter(core, index);
  return all;
}

/** Exits by name, only those that happened. */
export function readExits(core: Pick<Core, "u32">): Record<string, number> {
  const all: Record<string, number> = {};
  for (const reason of EXIT_REASONS) {
    const count = readCounter(core, counters.CTR_EXITS + exitCounter(reason));
    if (count > 0) all[exitName(reason)] = count;
  }
  return all;
}
