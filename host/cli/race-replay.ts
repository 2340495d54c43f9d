/** vmexit replay and vmexit shrink. */
import { UsageError } from "../lib/errors.ts";
import { adapt } from "../lib/explore/adapt.ts";
import type { RaceInstance } from "../lib/explore/instance.ts";
import { record, replay } from "../lib/explore/replay.ts";
import { formatSchedule, type Schedule } from "../lib/explore/schedule.ts";
import { shrink } from "../lib/explore/shrink.ts";
import { writeOutput } from "../node/files.ts";
import { buildHash } from "../node/wasm.ts";
import { parseCount } from "./options.ts";
import { changesOf } from "./race-changes.ts";
import {
  type BudgetOptions,
  CLEAN,
  openSchedule,
  parseBudget,
  print,
  printJson,
  readSchedule,
  VIOLATION,
} from "./race-common.ts";
import { reportOf, storyOf } from "./race-report.ts";

export interface ReplayOptions {
  readonly at?: string;
  readonly report: string;
  readonly out?: string;
  readonly anyCore?: boolean;
  readonly json?: boolean;
}

export interface ShrinkOptions extends BudgetOptions {
  readonly out?: string;
  readonly anyCore?: boolean;
}

/** A schedule that was made with another core, with the steps that this one needs; says which. */
function forThisCore(instance: RaceInstance, schedule: Schedule): Schedule {
  if (schedule.core === buildHash()) return schedule;
  const { schedule: adapted, added } = adapt(instance, schedule);
  if (added.length > 0)
    process.stderr.write(
      `The core has switch points that the schedule does not know; steps were added: ${added.join(", ")}\n`,
    );
  return adapted;
}

export async function replayCommand(file: string, options: ReplayOptions): Promise<number> {
  const read = readSchedule(file, options.anyCore === true);
  const instance = await openSchedule(read);
  const schedule = forThisCore(instance, read);
  const until = options.at === undefined ? undefined : parseCount(options.at, "--at", 0, schedule.steps.length);
  const replayed = replay(instance, schedule, until);
  if (options.json) printJson({ file, ...replayed });
  else {
    const names = { race: schedule.race, schedule: file };
    const text = reportOf(storyOf(instance, schedule.variant, replayed, names, schedule.cycleFrom), options.report);
    if (options.out === undefined) print(text);
    else writeOutput(options.out, text, "report");
  }
  if (replayed.divergence !== undefined) throw new UsageError(`${file}: ${replayed.divergence}`);
  if (!options.json && options.report === "text") {
    if (!replayed.violation)
      print(until === undefined ? "No invariant breaks.\n" : `Stopped after step ${replayed.steps.length}.\n`);
    // A schedule with automatic windows has its own instrumentation: its steps are single accesses, which say what they change.
    if (until !== undefined && until > 0 && !schedule.accesses)
      print(`${changesOf(await openSchedule(schedule, "race-footprint"), schedule, until).join("\n")}\n`);
  }
  return replayed.violation ? VIOLATION : CLEAN;
}

export async function shrinkCommand(file: string, options: ShrinkOptions): Promise<number> {
  const read = readSchedule(file, options.anyCore === true);
  const instance = await openSchedule(read);
  const schedule = forThisCore(instance, read);
  const { violation, steps, divergence } = replay(instance, schedule);
  if (!violation)
    throw new UsageError(`${file}: ${divergence ?? "no invariant breaks, so there is nothing to shrink"}`);
  const found = {
    ...violation,
    schedule: steps.map((step) => step.actor),
    ...(schedule.cycleFrom === undefined ? {} : { cycleFrom: schedule.cycleFrom }),
  };
  const smaller = shrink(instance, found, parseBudget(options));
  const { variant, knobs, core, accesses } = schedule;
  const header = { variant, knobs, ...(core === undefined ? {} : { core }), ...(accesses ? { accesses } : {}) };
  const text = formatSchedule({ ...record(instance, header, smaller), race: schedule.race });
  if (options.out === undefined) print(text);
  else writeOutput(options.out, text, "schedule");
  process.stderr.write(`${schedule.steps.length} steps -> ${smaller.schedule.length} steps\n`);
  return CLEAN;
}
