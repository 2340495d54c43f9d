/** vmexit race list, vmexit race <name>: one search, its progress, its verdict, the schedule that breaks something. */
import { UsageError } from "../lib/errors.ts";
import { exploreAllWindows } from "../lib/explore/automatic-windows.ts";
import { type Checkpoint, checkSameSearch, formatCheckpoint, parseCheckpoint } from "../lib/explore/checkpoint.ts";
import { CrashedStep } from "../lib/explore/crashed-step.ts";
import { openRace, type RaceInstance } from "../lib/explore/instance.ts";
import type { Race } from "../lib/explore/race.ts";
import { record, replay, type ScheduleHeader } from "../lib/explore/replay.ts";
import { reportByName } from "../lib/explore/report.ts";
import { formatSchedule, type Schedule } from "../lib/explore/schedule.ts";
import type { FoundViolation, SearchResult } from "../lib/explore/search.ts";
import { shrink } from "../lib/explore/shrink.ts";
import { type Strategy, type StrategyOptions, strategyByName, verdictSentence } from "../lib/explore/strategies.ts";
import { parseVariantKnob } from "../lib/explore/variants.ts";
import { RACES } from "../lib/races/catalogue.ts";
import { searchInParallel } from "../node/explore-pool.ts";
import { readInput, replaceFile, writeOutput } from "../node/files.ts";
import { isRaceFile } from "../node/race-files.ts";
import { buildHash, compileBuild, readAccessTable } from "../node/wasm.ts";
import { type collect, parseCount } from "./options.ts";
import { BUDGET, type BudgetOptions, CLEAN, parseBudget, print, printJson, VIOLATION } from "./race-common.ts";
import { findRace, variantOf } from "./race-names.ts";
import { partLine, progressLine } from "./race-progress.ts";
import { reportOf, storyOf } from "./race-report.ts";

/** The violation found is made smaller for so long at most. */
const SHRINK_SECONDS = 20;

export interface ExploreOptions extends BudgetOptions {
  readonly variant?: string;
  readonly knob: ReturnType<typeof collect>;
  readonly strategy: string;
  readonly windows: string;
  readonly bound: string;
  readonly seed: string;
  readonly workers: string;
  readonly checkpoint?: string;
  readonly resume?: string;
  readonly progress?: boolean;
  readonly out?: string;
  readonly report: string;
  readonly json?: boolean;
}

export function listRaces(isJson: boolean): number {
  if (isJson) {
    printJson({
      entries: RACES.map(({ name, id, title, variants }) => ({ name, id, title, variants: Object.keys(variants) })),
    });
    return CLEAN;
  }
  for (const race of RACES) {
    print(`${race.name} (${race.id}): ${race.title}\n`);
    for (const [name, variant] of Object.entries(race.variants))
      print(`    ${name.padEnd(16)} ${variant.text} [${variant.expect}]\n`);
  }
  return CLEAN;
}

/** A search that was asked for. */
interface Job {
  /** What schedules call the race: its name, or the file of one's own. */
  readonly name: string;
  readonly race: Race;
  readonly variant: string;
  readonly knobs: Readonly<Record<string, number>>;
  readonly strategy: Strategy;
  readonly isAllWindows: boolean;
  readonly options: StrategyOptions;
  readonly workers: number;
  /** Where the schedule goes. */
  readonly file: string;
}

interface Outcome {
  readonly result: SearchResult;
  /** An instance in which what was found can be replayed. */
  readonly instance: RaceInstance;
  readonly header: ScheduleHeader;
  /** What automatic windows cost. */
  readonly note?: string;
}

async function jobOf(name: string, options: ExploreOptions): Promise<Job> {
  const race = await findRace(name);
  const variant = variantOf(race, options.variant);
  reportByName(options.report); // a wrong name is told before the search
  if (isRaceFile(name) && options.workers !== "1")
    throw new UsageError("--workers goes with races of the catalogue: a file is explored by one thread");
  if (options.windows !== "named" && options.windows !== "all")
    throw new UsageError(`--windows "${options.windows}": use named or all`);
  return {
    name: isRaceFile(name) ? name : race.name,
    race,
    variant,
    knobs: Object.fromEntries(options.knob.map(parseVariantKnob)),
    strategy: strategyByName(options.strategy),
    isAllWindows: options.windows === "all",
    workers: parseCount(options.workers, "--workers", 1, 64),
    options: {
      budget: parseBudget(options),
      bound: parseCount(options.bound, "--bound", 0, 1000),
      seed: parseCount(options.seed, "--seed", 0, 0x7fff_ffff),
      ...progressLine(options),
    },
    file: options.out ?? `${race.name}-${variant}.schedule`,
  };
}

/** Adds where to go on and where to write how far it came. @throws UsageError */
function withCheckpoints(job: Job, options: ExploreOptions): Job {
  if (options.checkpoint === undefined && options.resume === undefined) return job;
  const { race, variant, knobs, strategy } = job;
  if (!strategy.canResume)
    throw new UsageError(
      `--checkpoint and --resume: strategy ${options.strategy} keeps nothing; give it another --seed`,
    );
  if (job.isAllWindows || job.workers > 1)
    throw new UsageError("--checkpoint and --resume go with one thread and --windows named");
  const search = {
    core: buildHash(),
    race: race.name,
    variant,
    knobs,
    strategy: options.strategy,
    bound: job.options.bound,
  };
  const file = options.checkpoint;
  const resumed = options.resume === undefined ? undefined : readCheckpoint(options.resume);
  if (resumed) checkSameSearch(resumed, search);
  return {
    ...job,
    options: {
      ...job.options,
      ...(resumed ? { resume: resumed.search } : {}),
      ...(file === undefined
        ? {}
        : { onCheckpoint: (state) => replaceFile(file, formatCheckpoint({ ...search, search: state }), "checkpoint") }),
    },
  };
}

function readCheckpoint(file: string): Checkpoint {
  try {
    return parseCheckpoint(new TextDecoder().decode(readInput(file, "checkpoint")));
  } catch (error) {
    if (error instanceof UsageError && !error.message.includes(file))
      throw new UsageError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}

async function search(job: Job, name: string): Promise<Outcome> {
  const { race, variant, knobs, strategy, options } = job;
  const header = { variant, knobs, core: buildHash() };
  const open = (build: "race" | "race-footprint") => openRace(compileBuild(build), race, variant, knobs);
  if (job.workers > 1) {
    if (job.isAllWindows || name === "bounded")
      throw new UsageError("--workers goes with --windows named and strategy exhaustive, dpor, random or pct");
    const module = compileBuild(strategy.build);
    const { budget, seed, bound } = options;
    const unit = { scenario: race.name, variant, knobs, strategy: name, seed, bound };
    const result = await searchInParallel(openRace(module, race, variant, knobs), {
      workers: job.workers,
      budget,
      module,
      job: unit,
      ...(options.onProgress ? { onPart: partLine } : {}),
    });
    return { result, instance: open("race"), header };
  }
  if (!job.isAllWindows) {
    const instance = open(strategy.build);
    const result = guarded(job, instance, header, () => strategy.run(instance, options));
    // Shrinking needs many quick steps: the plain build.
    return { result, instance: strategy.build === "race" ? instance : open("race"), header };
  }
  if (strategy.build === "race-footprint")
    throw new UsageError("--windows all goes with --strategy exhaustive, bounded, random or pct");
  const instance = open("race-footprint");
  const { result, words, rounds } = exploreAllWindows(instance, readAccessTable(), (i) => strategy.run(i, options));
  const first = rounds[0]!;
  const last = rounds.at(-1)!;
  const note = `automatic windows at ${words.length} shared word(s), ${rounds.length} round(s): ${last.states} states, ${first.states} with the named windows only`;
  return { result, instance, header: { ...header, accesses: words }, note };
}

const recordAs = (
  job: Job,
  instance: RaceInstance,
  header: ScheduleHeader,
  found: Parameters<typeof record>[2],
): Schedule => ({
  ...record(instance, header, found),
  race: job.name,
});

/** Writes down how far it came when a step is a bug of the explorer itself. */
function guarded(job: Job, instance: RaceInstance, header: ScheduleHeader, run: () => SearchResult): SearchResult {
  try {
    return run();
  } catch (error) {
    if (!(error instanceof CrashedStep)) throw error;
    writeOutput(job.file, formatSchedule(recordAs(job, instance, header, error)), "schedule");
    process.stderr.write(`the way to the step that failed is in ${job.file}\n`);
    throw error;
  }
}

/** The schedule as found goes to the file first: what follows may fail. Then the smallest one that was found. */
function keep(
  job: Job,
  { instance, header }: Outcome,
  violation: FoundViolation,
): { schedule: Schedule; found: FoundViolation } {
  writeOutput(job.file, formatSchedule(recordAs(job, instance, header, violation)), "schedule");
  const found = shrink(instance, violation, { steps: job.options.budget.steps, seconds: SHRINK_SECONDS });
  const schedule = recordAs(job, instance, header, found);
  writeOutput(job.file, formatSchedule(schedule), "schedule");
  return { schedule, found };
}

export async function exploreCommand(name: string, options: ExploreOptions): Promise<number> {
  const job = withCheckpoints(await jobOf(name, options), options);
  const outcome = await search(job, options.strategy);
  const { result } = outcome;
  const kept = result.violation && keep(job, outcome, result.violation);
  if (options.json) printJson(asJson(job, options.strategy, result, kept?.schedule));
  else report(job, options, outcome, kept);
  return result.verdict === "clean" ? CLEAN : result.verdict === "violation" ? VIOLATION : BUDGET;
}

function report(
  job: Job,
  names: { readonly strategy: string; readonly report: string },
  outcome: Outcome,
  kept: ReturnType<typeof keep> | undefined,
): void {
  const { strategy, report: form } = names;
  const { race, variant, file } = job;
  const { result, instance, note } = outcome;
  if (kept) {
    const replayed = replay(instance, kept.schedule);
    const story = storyOf(instance, variant, replayed, { race: job.name, schedule: file }, kept.found.cycleFrom);
    print(`${reportOf(story, form)}\n`);
  }
  print(`${race.name} ${variant}, ${strategy}: ${verdictSentence(result, strategy)}`);
  print(` (${result.states} states, ${result.steps} steps, ${result.seconds.toFixed(2)} s)\n`);
  if (note !== undefined) print(`${note}\n`);
  if (result.verdict !== "clean") return;
  const proves = job.strategy.proves(job.options.bound, result);
  const places = job.isAllWindows ? "at every access of the hypervisor to a word that two of them share" : undefined;
  print(`That proves: ${places === undefined ? proves : proves.replace("at these windows and locks", places)}.\n`);
}

function asJson(job: Job, strategy: string, result: SearchResult, schedule: Schedule | undefined): unknown {
  const { race, variant, knobs } = job;
  const { verdict, exhaustive, schedules, states, steps, seconds, violation } = result;
  return {
    scenario: race.name,
    variant,
    knobs: { ...race.variants[variant]!.knobs, ...knobs },
    strategy,
    verdict,
    exhaustive,
    schedules,
    states,
    steps,
    seconds,
    ...(verdict === "clean" ? { livelocksExcluded: job.strategy.excludesLivelock(result) } : {}),
    ...(violation && schedule
      ? {
          violation: {
            invariant: violation.invariant,
            message: violation.message,
            schedule: schedule.steps.map(({ actor, place }) => `${actor}:${place}`),
          },
          scheduleFile: job.file,
        }
      : {}),
  };
}
