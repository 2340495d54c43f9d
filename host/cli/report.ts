/** What a run reports: the --json object, the --stats table, and the exit code. */
import type { CostModel } from "../lib/cost/model.ts";
import { simulateCost } from "../lib/cost/simulate.ts";
import { costText } from "../lib/cost/text.ts";
import type { GuestEnd, Machine, Outcome } from "../lib/machine.ts";

/** 0 powered off, 1 crashed or another reason, 2 wrong usage or image, 3 budget spent. */
export function exitCode(outcome: Outcome): number {
  return outcome === "poweroff" ? 0 : outcome === "budget" ? 3 : 1;
}

export interface RunReport {
  readonly guest: string;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly instructions: number;
  readonly exits: Readonly<Record<string, number>>;
  readonly tlb: Readonly<Record<string, number>>;
  readonly console: string;
  readonly traceHash: string;
  readonly stateHash: string;
  readonly wallMs: number;
}

/** Counters that say how the TLB did; hits are accesses minus misses and are not counted. */
export function tlbCounters(counters: Readonly<Record<string, number>>): Record<string, number> {
  const pick = (name: string): number => counters[name] ?? 0;
  return {
    misses: pick("tlbMisses"),
    fills: pick("tlbFills"),
    flushes: pick("tlbFlushes"),
    flushedPages: pick("tlbFlushedPages"),
    eptWalks: pick("eptWalks"),
    guestWalks: pick("guestWalks"),
  };
}

export function makeReport(machine: Machine, guest: string, end: GuestEnd, wallMs: number): RunReport {
  const stats = machine.stats();
  return {
    guest,
    outcome: end.outcome,
    reason: end.reason,
    instructions: stats.instructions,
    exits: stats.exits,
    tlb: tlbCounters(stats.counters),
    console: machine.console(),
    traceHash: machine.traceHash(),
    stateHash: machine.stateHash(),
    wallMs: Math.round(wallMs * 10) / 10,
  };
}

/** Name and number, right aligned, in the order given. */
export function countTable(title: string, counts: Readonly<Record<string, number>>): string {
  const rows = Object.entries(counts).filter(([, n]) => n > 0);
  if (rows.length === 0) return "";
  const width = Math.max(...rows.map(([name]) => name.length));
  return `${title}\n${rows.map(([name, n]) => `  ${name.padEnd(width)} ${n.toLocaleString("en-US").padStart(15)}\n`).join("")}`;
}

export function statsText(machine: Machine, wallMs: number, costs: CostModel): string {
  const stats = machine.stats();
  const { instructions, exits, counters } = stats;
  const mips = wallMs > 0 ? instructions / wallMs / 1000 : 0;
  return [
    `counted (exact)        ${instructions.toLocaleString("en-US")} instructions\n`,
    `measured (this computer) ${wallMs.toFixed(0)} ms, ${mips.toFixed(1)} million instructions a second\n`,
    countTable("exits", exits),
    countTable("counters", counters),
    costText(simulateCost(stats, costs)),
  ].join("");
}
