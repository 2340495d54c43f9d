/** What the commands of the explorer share: names, budgets, instances of races. */
import { UsageError } from "../lib/errors.ts";
import { switchAtAccesses } from "../lib/explore/automatic-windows.ts";
import { openRace, type RaceInstance } from "../lib/explore/instance.ts";
import { otherCore } from "../lib/explore/replay.ts";
import { parseSchedule, type Schedule } from "../lib/explore/schedule.ts";
import type { Budget } from "../lib/explore/search.ts";
import { readInput } from "../node/files.ts";
import { buildHash, compileBuild, readAccessTable } from "../node/wasm.ts";
import { parseCount } from "./options.ts";
import { findRace } from "./race-names.ts";

export const CLEAN = 0;
export const VIOLATION = 1;
export const BUDGET = 3;

export const print = (text: string): void => {
  process.stdout.write(text);
};
export const printJson = (value: unknown): void => print(`${JSON.stringify(value, null, 2)}\n`);

export interface BudgetOptions {
  readonly budget: string;
  readonly seconds: string;
}

/** `--budget` counts steps, or seconds when an s stands behind it. @throws UsageError */
export function parseBudget(options: BudgetOptions): Budget {
  const seconds = parseCount(options.seconds, "--seconds", 1, 1e9);
  if (/^\d+s$/.test(options.budget))
    return { steps: 1e12, seconds: parseCount(options.budget.slice(0, -1), "--budget", 1, 1e9) };
  return { steps: parseCount(options.budget, "--budget", 1, 1e12), seconds };
}

/** @throws UsageError for what is no schedule, and for one of another core unless that is allowed. */
export function readSchedule(file: string, isAnyCore: boolean): Schedule {
  let schedule: Schedule;
  try {
    schedule = parseSchedule(new TextDecoder().decode(readInput(file, "schedule")));
  } catch (error) {
    if (error instanceof UsageError && !error.message.includes(file))
      throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
  const refusal = isAnyCore ? undefined : otherCore(schedule, buildHash());
  if (refusal !== undefined) throw new UsageError(`${file}: ${refusal}`);
  return schedule;
}

/** The race of a schedule, with its automatic windows. */
export async function openSchedule(
  schedule: Schedule,
  build: "race" | "race-footprint" = "race",
): Promise<RaceInstance> {
  const { race, variant, knobs, accesses } = schedule;
  const module = compileBuild(accesses ? "race-footprint" : build);
  const instance = openRace(module, await findRace(race), variant, knobs);
  if (accesses) switchAtAccesses(instance, readAccessTable(), accesses);
  return instance;
}
