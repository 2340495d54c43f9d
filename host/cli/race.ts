/**
 * vmexit race, replay, shrink: the catalogue of races, exploring one, going through a schedule again, making one smaller.
 * Exit codes: 0 clean and exhaustive (or replayed without a violation), 1 violation, 2 wrong usage, 3 budget spent.
 */
import type { Command } from "commander";
import { UsageError } from "../lib/errors.ts";
import { STRATEGIES } from "../lib/explore/strategies.ts";
import { formatVariantKnob } from "../lib/explore/variants.ts";
import { RACES } from "../lib/races/catalogue.ts";
import { collect } from "./options.ts";
import { type ExploreOptions, exploreCommand, listRaces } from "./race-explore.ts";
import { type ReplayOptions, replayCommand, type ShrinkOptions, shrinkCommand } from "./race-replay.ts";

/** The first words of the older spelling `vmexit race replay FILE`. */
const VERBS = ["list", "explore", "replay", "shrink"];

type RaceOptions = ExploreOptions & ReplayOptions & ShrinkOptions;

async function race(what: string, name: string | undefined, options: RaceOptions): Promise<number> {
  if (what === "list") return listRaces(options.json === true);
  if (!VERBS.includes(what)) {
    if (name !== undefined) throw new UsageError(`vmexit race ${what} ${name}: one race at a time`);
    return exploreCommand(what, options);
  }
  if (name === undefined)
    throw new UsageError(`vmexit race ${what}: name ${what === "explore" ? "a race" : "the file of a schedule"}`);
  if (what === "explore") return exploreCommand(name, options);
  return what === "replay" ? replayCommand(name, options) : shrinkCommand(name, options);
}

const REPORT = "what is shown: text, markdown (with a Mermaid diagram), svg, or trace (for Perfetto)";

const BUDGETS: readonly (readonly [flags: string, text: string, value: string])[] = [
  ["--budget <steps>", "stop after so many steps, or with an s behind it seconds: 1000000, 60s", "100000000"],
  ["--seconds <n>", "stop after so many seconds", "600"],
];

function addBudget(command: Command): Command {
  for (const [flags, text, value] of BUDGETS) command.option(flags, text, value);
  return command;
}

function addReplay(program: Command, done: (code: number) => void): void {
  program
    .command("replay")
    .description("go through a schedule step by step, checking each; the broken invariant at its end")
    .argument("<file>", "schedule, as vmexit race writes it")
    .option("--at <step>", "stop after so many steps and show the state and what the step changed")
    .option("--report <form>", REPORT, "text")
    .option("--out <file>", "where the report goes (default: standard output)")
    .option("--any-core", "replay a schedule that another build of the core made")
    .option("--json", "machine-readable output")
    .action(async (file: string, options: ReplayOptions) => done(await replayCommand(file, options)));
  addBudget(
    program
      .command("shrink")
      .description("make a failing schedule smaller: fewest preemptions, then fewest steps")
      .argument("<file>", "schedule that ends in a violation")
      .option("--out <file>", "where to write it (default: standard output)")
      .option("--any-core", "shrink a schedule that another build of the core made"),
  ).action(async (file: string, options: ShrinkOptions) => done(await shrinkCommand(file, options)));
}

export function addRace(program: Command, done: (code: number) => void): void {
  const knobs = RACES.flatMap((entry) => Object.values(entry.variants).flatMap((v) => Object.entries(v.knobs)));
  const example = formatVariantKnob(...(knobs[0] as [string, number]));
  const command = program
    .command("race")
    .description("find races: list | <race>; and replay <file>, shrink <file> as the commands of these names")
    .argument("<what>", "list, or the name or id of a race, or the file of one of your own (./my-race.js)")
    .argument("[name]", "after explore a race, after replay and shrink the file of a schedule")
    .option("--variant <name>", "variant of the hypervisor, buggy or fixed (default: buggy, the first that breaks)")
    .option("--knob <name=value>", `one variant knob (repeatable), for instance ${example}`, collect, [])
    .option("--strategy <name>", Object.keys(STRATEGIES).join(", "), "exhaustive")
    .option("--windows <which>", "named, or all: every access to shared state is a switch point", "named")
    .option("--bound <n>", "preemptions (bounded) or priority changes (pct)", "2")
    .option("--seed <n>", "of random and pct", "1")
    .option("--workers <n>", "threads that search", "1")
    .option("--checkpoint <file>", "write the state of the search there now and then, and when the budget is spent")
    .option("--resume <file>", "go on from a checkpoint")
    .option("--progress", "lines of progress on standard error, also where it is no terminal")
    .option("--out <file>", "where to write the schedule; replay: the report")
    .option("--at <step>", "replay: stop after so many steps")
    .option("--report <form>", REPORT, "text")
    .option("--any-core", "replay, shrink: a schedule that another build of the core made")
    .option("--json", "machine-readable output");
  addBudget(command).action(async (what: string, name: string | undefined, options: RaceOptions) =>
    done(await race(what, name, options)),
  );
  addReplay(program, done);
}
