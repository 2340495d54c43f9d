/** vmexit bench: measure, compare two results, or run two designs against each other. */
import type { Command } from "commander";
import { runAb } from "../../bench/ab.ts";
import { noiseText } from "../../bench/calibration.ts";
import { caveats, compareResults, comparisonText, gateOf } from "../../bench/compare.ts";
import { NORMAL, QUICK } from "../../bench/harness.ts";
import { AB_NORMAL, abText } from "../../bench/pairs.ts";
import { checkWritable, parseResult, writeWhole } from "../../bench/result-file.ts";
import { runBench } from "../../bench/run.ts";
import { runGrowth } from "../../bench/run-growth.ts";
import { sweepsHtml } from "../../bench/sweep-report.ts";
import { type Design, WORKLOADS } from "../../bench/workloads.ts";
import { UsageError } from "../lib/errors.ts";
import { KNOBS, parseKnob } from "../lib/knobs.ts";
import { nearest, suggestion } from "../lib/nearest.ts";
import { presetKnobs } from "../lib/presets.ts";
import { readInput } from "../node/files.ts";
import { readBuild } from "../node/wasm.ts";
import { collect } from "./options.ts";

const NOISE = 3;
const OUTPUT = {
  table: (text: string) => void process.stdout.write(`${text}\n`),
  progress: (text: string) => void process.stderr.write(`${text}\n`),
};

interface GrowthOptions {
  readonly quick?: boolean;
  readonly json?: string;
  readonly out?: string;
}

function readResult(file: string) {
  return parseResult(new TextDecoder().decode(readInput(file, "result")), file);
}

/** @throws UsageError for a file that is no WebAssembly. */
function readWasm(file: string): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(readInput(file, "build"));
  if (!WebAssembly.validate(bytes)) throw new UsageError(`build ${file} is no WebAssembly module`);
  return bytes;
}

/** "tlb.entries=64", "unmap=merged", several with commas; "release" or a .wasm file for a build; "default" for nothing changed. */
export function parseDesign(text: string): Design {
  const knobs: Record<string, number> = {};
  let build = readBuild("release");
  for (const part of text.split(",").filter((p) => p !== "" && p !== "default")) {
    if (part.endsWith(".wasm")) build = readWasm(part);
    else if (part === "release" || part === "debug") build = readBuild(part);
    else if (part.includes("=")) Object.assign(knobs, presetKnobs(part) ?? Object.fromEntries([parseKnob(part)]));
    else {
      const near = nearest(
        part,
        KNOBS.map((knob) => knob.name),
      );
      throw new UsageError(
        `"${part}" is no design: write name=value${near ? ` (${near}=...)` : ""}, release, debug, a .wasm file, or default`,
      );
    }
  }
  return { label: text, build, knobs };
}

function chooseWorkloads(words: readonly string[]) {
  const names = WORKLOADS.map((w) => w.name);
  for (const word of words)
    if (!names.some((name) => name.includes(word)))
      throw new UsageError(`no workload is called "${word}": ${suggestion(word, names)}`);
  return WORKLOADS.filter((w) => words.length === 0 || words.some((word) => w.name.includes(word)));
}

export function addBench(program: Command, done: (code: number) => void): void {
  const bench = program.command("bench").description("measure, compare results, run two designs against each other");
  bench
    .command("run", { isDefault: true })
    .description("every suite, one table each (the same as npm run bench)")
    .argument("[suite...]", "only suites whose name contains one of these words")
    .option("--quick", "fewer samples")
    .option("--json <file>", "write the result for bench compare")
    .action((words: readonly string[], options: { readonly quick?: boolean; readonly json?: string }) => {
      checkWritable(options.json);
      const result = runBench(words, options.quick ? QUICK : NORMAL, OUTPUT);
      if (options.json !== undefined) writeWhole(options.json, `${JSON.stringify(result, null, 1)}\n`);
      done(result.noise.verdict === "useless" ? NOISE : 0);
    });
  bench
    .command("compare")
    .description("two results, row by row; exit code 1 when something got slower or counts more")
    .argument("<first>", "result file (bench run --json)")
    .argument("<second>", "the one it is compared with")
    .option("--other-machine", "although they were taken on different machines")
    .option("--other-build", "although they measured different builds")
    .option("--json", "print JSON")
    .action(
      (first: string, second: string, options: { otherMachine?: boolean; otherBuild?: boolean; json?: boolean }) => {
        const [a, b] = [readResult(first), readResult(second)];
        const rows = compareResults(a, b, options);
        process.stdout.write(
          options.json ? `${JSON.stringify({ rows })}\n` : `${caveats(a, b)}${comparisonText(rows)}`,
        );
        done(gateOf(rows));
      },
    );
  bench
    .command("ab")
    .description("two designs in one process, slice by slice in turn: finds differences of some per cent")
    .argument("<a>", "knobs (name=value,...), a build (release, debug, FILE.wasm), or default")
    .argument("<b>", "the other design")
    .option("--workload <word>", "only workloads whose name contains it (repeatable)", collect, [])
    .option("--json", "print JSON")
    .action((a: string, b: string, options: { readonly workload: readonly string[]; readonly json?: boolean }) => {
      const [first, second] = [parseDesign(a), parseDesign(b)];
      const { rows, noise } = runAb(chooseWorkloads(options.workload), first, second, AB_NORMAL, (text) =>
        process.stderr.write(`${text}\n`),
      );
      process.stdout.write(
        options.json ? `${JSON.stringify({ a, b, rows, noise })}\n` : `${abText(rows, a, b)}${noiseText(noise)}\n`,
      );
      done(noise.verdict === "useless" ? NOISE : rows.some((row) => row.verdict === "slower") ? 1 : 0);
    });
  bench
    .command("growth")
    .description("how cost grows with size; exit code 1 when something grows worse than documented")
    .argument("[suite...]", "only suites whose name contains one of these words")
    .option("--quick", "fewer samples")
    .option("--json <file>", "write the result")
    .option("--out <file>", "a page with a plot for each path")
    .action((words: readonly string[], options: GrowthOptions) => {
      checkWritable(options.json, options.out);
      const result = runGrowth(words, options.quick === true, OUTPUT);
      if (options.json !== undefined) writeWhole(options.json, `${JSON.stringify(result, null, 1)}\n`);
      const command = ["vmexit bench growth", ...words, ...(options.quick ? ["--quick"] : [])].join(" ");
      if (options.out !== undefined) writeWhole(options.out, sweepsHtml(result.sweeps, result.environment, command));
      const isWorse = result.sweeps.some((sweep) => sweep.verdict !== "as documented");
      done(isWorse ? 1 : result.noise.verdict === "useless" ? NOISE : 0);
    });
  for (const command of bench.commands)
    command.exitOverride().configureOutput({
      outputError: (text, write) =>
        write(
          `vmexit: ${text.replace(/^error: /, "").trim()}: vmexit bench ${command.name()} --help says what it takes\n`,
        ),
    });
}
