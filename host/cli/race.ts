/**
 * vmexit race: the catalogue of races, exploring one, replaying and shrinking a schedule.
 * Exit codes: 0 clean and exhaustive, 1 violation, 2 wrong usage, 3 budget spent.
 */
import type { Command } from "commander";
import { UsageError } from "../lib/errors.ts";
import { openRace } from "../lib/explore/instance.ts";
import type { Race } from "../lib/explore/race.ts";
import { record, replay } from "../lib/explore/replay.ts";
import { reportByName } from "../lib/explore/report.ts";
import { formatSchedule, parseSchedule, type Schedule } from "../lib/explore/schedule.ts";
import type { SearchResult } from "../lib/explore/search.ts";
import { shrink } from "../lib/explore/shrink.ts";
import { strategyByName, verdictSentence } from "../lib/explore/strategies.ts";
import { formatVariantKnob, parseVariantKnob } from "../lib/explore/variants.ts";
import { RACES } from "../lib/races/catalogue.ts";
import { readInput, writeOutput } from "../node/files.ts";
import { isRaceFile } from "../node/race-files.ts";
import { compileBuild } from "../node/wasm.ts";
import { collect, parseCount } from "./options.ts";
import { findRace, variantOf } from "./race-names.ts";
import { reportOf, storyOf } from "./race-report.ts";

const CLEAN = 0;
const VIOLATION = 1;
const BUDGET = 3;
const SHRINK_SECONDS = 20;

interface RaceOptions {
  readonly variant?: string;
  readonly strategy: string;
  readonly budget: string;
  readonly seconds: string;
  readonly bound: string;
  readonly seed: string;
  readonly knob: readonly string[];
  readonly out?: string;
  readonly at?: string;
  readonly json?: boolean;
  readonly report: string;
}

const print = (text: string): void => {
  process.stdout.write(text);
};
const printJson = (value: unknown): void => print(`${JSON.stringify(value, null, 2)}\n`);

function list(isJson: boolean): void {
  if (isJson) {
    printJson({
      entries: RACES.map(({ name, id, title, variants }) => ({ name, id, title, variants: Object.keys(variants) })),
    });
    return;
  }
  for (const race of RACES) {
    print(`${race.name} (${race.id}): ${race.title}\n`);
    for (const [name, variant] of Object.entries(race.variants))
      print(`    ${name.padEnd(16)} ${variant.text} [${variant.expect}]\n`);
  }
}

async function explore(name: string, options: RaceOptions): Promise<number> {
  const race = await findRace(name);
  const variant = variantOf(race, options.variant);
  const knobs = Object.fromEntries(options.knob.map(parseVariantKnob));
  const strategy = strategyByName(options.strategy);
  reportByName(options.report); // wrong names are told before the search
  const bound = parseCount(options.bound, "--bound", 0, 1000);
  const budget = {
    steps: parseCount(options.budget, "--budget", 1, 1e12),
    seconds: parseCount(options.seconds, "--seconds", 1, 1e9),
  };
  const instance = openRace(compileBuild("race"), race, variant, knobs);
  const isWatched = process.stderr.isTTY && !options.json;
  const result = strategy.run(instance, {
    budget,
    bound,
    seed: parseCount(options.seed, "--seed", 0, 0x7fff_ffff),
    ...(isWatched ? { onProgress: showProgress } : {}),
  });
  if (isWatched) process.stderr.write("\r\u001b[K");
  const found =
    result.violation && shrink(instance, result.violation, { steps: budget.steps, seconds: SHRINK_SECONDS });
  const schedule = found && { ...record(instance, variant, knobs, found), race: isRaceFile(name) ? name : race.name };
  const file = options.out ?? `${race.name}-${variant}.schedule`;
  if (schedule) writeOutput(file, formatSchedule(schedule), "schedule");
  if (options.json) printJson(asJson(race, variant, knobs, options.strategy, result, schedule, file));
  else {
    if (schedule && found) {
      const story = storyOf(
        instance,
        variant,
        replay(instance, schedule),
        { race: schedule.race, schedule: file },
        found.cycleFrom,
      );
      print(`${reportOf(story, options.report)}\n`);
    }
    print(`${race.name} ${variant}, ${options.strategy}: ${verdictSentence(result)}`);
    print(` (${result.states} states, ${result.steps} steps, ${result.seconds.toFixed(2)} s)\n`);
    if (result.verdict === "clean") print(`That proves: ${strategy.proves(bound)}.\n`);
  }
  return result.verdict === "clean" ? CLEAN : result.verdict === "violation" ? VIOLATION : BUDGET;
}

function showProgress(at: { states: number; steps: number; depth: number; seconds: number }): void {
  const rate = Math.round(at.states / at.seconds);
  process.stderr.write(`\r${at.states} states, ${at.steps} steps, depth ${at.depth}, ${rate} states/s\u001b[K`);
}

function asJson(
  race: Race,
  variant: string,
  knobs: Readonly<Record<string, number>>,
  strategy: string,
  result: SearchResult,
  schedule: Schedule | undefined,
  file: string,
): unknown {
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
    ...(violation && schedule
      ? {
          violation: {
            invariant: violation.invariant,
            message: violation.message,
            schedule: schedule.steps.map(({ actor, place }) => `${actor}:${place}`),
          },
          scheduleFile: file,
        }
      : {}),
  };
}

function readSchedule(file: string): Schedule {
  return parseSchedule(new TextDecoder().decode(readInput(file, "schedule")));
}

async function replayFile(file: string, options: RaceOptions): Promise<number> {
  const schedule = readSchedule(file);
  const instance = openRace(compileBuild("race"), await findRace(schedule.race), schedule.variant, schedule.knobs);
  const until = options.at === undefined ? undefined : parseCount(options.at, "--at", 0, 1e9);
  const replayed = replay(instance, schedule, until);
  if (options.json) printJson({ file, ...replayed });
  else {
    const story = storyOf(
      instance,
      schedule.variant,
      replayed,
      { race: schedule.race, schedule: file },
      schedule.cycleFrom,
    );
    const text = reportOf(story, options.report);
    if (options.out === undefined) print(text);
    else writeOutput(options.out, text, "report");
  }
  if (replayed.divergence !== undefined) throw new UsageError(`${file}: ${replayed.divergence}`);
  if (!options.json && options.report === "text" && !replayed.violation)
    print(until === undefined ? "No invariant breaks.\n" : `Stopped after step ${replayed.steps.length}.\n`);
  return replayed.violation ? VIOLATION : CLEAN;
}

async function shrinkFile(file: string, options: RaceOptions): Promise<number> {
  const schedule = readSchedule(file);
  const instance = openRace(compileBuild("race"), await findRace(schedule.race), schedule.variant, schedule.knobs);
  const { violation, steps, divergence } = replay(instance, schedule);
  if (!violation)
    throw new UsageError(`${file}: ${divergence ?? "no invariant breaks, so there is nothing to shrink"}`);
  const found = {
    ...violation,
    schedule: steps.map((step) => step.actor),
    ...(schedule.cycleFrom === undefined ? {} : { cycleFrom: schedule.cycleFrom }),
  };
  const smaller = shrink(instance, found, {
    steps: parseCount(options.budget, "--budget", 1, 1e12),
    seconds: parseCount(options.seconds, "--seconds", 1, 1e9),
  });
  const text = formatSchedule({ ...record(instance, schedule.variant, schedule.knobs, smaller), race: schedule.race });
  if (options.out === undefined) print(text);
  else writeOutput(options.out, text, "schedule");
  process.stderr.write(`${schedule.steps.length} steps -> ${smaller.schedule.length} steps\n`);
  return CLEAN;
}

export function addRace(program: Command, done: (code: number) => void): void {
  const knobs = RACES.flatMap((race) => Object.values(race.variants).flatMap((v) => Object.entries(v.knobs)));
  const example = formatVariantKnob(...(knobs[0] as [string, number]));
  program
    .command("race")
    .description("find, replay and shrink races: list | explore <race> | replay <file> | shrink <file> | <race>")
    .argument("<what>", "list, explore, replay, shrink, or the name of a race")
    .argument("[name]", "race (or the file of one of your own, ./my-race.js), or file of a schedule")
    .option("--variant <name>", "variant of the hypervisor (default: the first one)")
    .option("--knob <name=value>", `one variant knob (repeatable), for instance ${example}`, collect, [])
    .option("--strategy <name>", "exhaustive, bounded, random or pct", "exhaustive")
    .option("--bound <n>", "preemptions (bounded) or priority changes (pct)", "2")
    .option("--budget <steps>", "stop after so many steps", "100000000")
    .option("--seconds <n>", "stop after so many seconds", "600")
    .option("--seed <n>", "of random and pct", "1")
    .option("--out <file>", "where to write the schedule; with replay, the report")
    .option("--at <step>", "replay: stop after so many steps")
    .option("--report <form>", "what is shown of a schedule: text, markdown (Mermaid), svg or trace (Perfetto)", "text")
    .option("--json", "machine-readable output")
    .action(async (what: string, name: string | undefined, options: RaceOptions) => {
      if (what === "list") return list(options.json === true);
      if (what !== "explore" && what !== "replay" && what !== "shrink") return done(await explore(what, options));
      if (name === undefined)
        throw new UsageError(`vmexit race ${what}: name ${what === "explore" ? "a race" : "the file of a schedule"}`);
      if (what === "explore") done(await explore(name, options));
      else if (what === "replay") done(await replayFile(name, options));
      else done(await shrinkFile(name, options));
    });
}
