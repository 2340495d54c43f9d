/** Runs suites one after the other, with a calibration around each, and puts everything into one result. */
import { createHash } from "node:crypto";
import { UsageError } from "../host/lib/errors.ts";
import { suggestion } from "../host/lib/nearest.ts";
import { readBuild } from "../host/node/wasm.ts";
import { calibrate, noiseOf, noiseText, timerFacts } from "./calibration.ts";
import { environment, environmentText } from "./environment.ts";
import { type Effort, QUICK } from "./harness.ts";
import { tableText } from "./report.ts";
import { FORMAT, type ResultFile, type ResultRow, rowsOf, VERSION } from "./result-file.ts";
import { SUITES, type Suite } from "./suites.ts";

export interface BenchOutput {
  /** A finished table, or what stands above and below all of them. */
  table(text: string): void;
  /** What is going on. */
  progress(text: string): void;
}

/** Suites whose name contains one of the words; all without words. @throws UsageError */
export function chooseSuites(words: readonly string[]): [name: string, suite: Suite][] {
  const names = Object.keys(SUITES);
  for (const word of words)
    if (!names.some((name) => name.includes(word)))
      throw new UsageError(`no suite is called "${word}": ${suggestion(word, names)}`);
  return Object.entries(SUITES).filter(([name]) => words.length === 0 || words.some((word) => name.includes(word)));
}

/** First 16 digits of the SHA-256 of a build: two results with the same digits measured the same code. */
export function buildHash(name: Suite["builds"][number]): string {
  return createHash("sha256").update(readBuild(name)).digest("hex").slice(0, 16);
}

/** Seconds that are left, from how fast it went so far. */
export function remaining(elapsedMs: number, done: number, all: number): number {
  return Math.max(1, Math.round(((elapsedMs / 1000) * (all - done)) / done));
}

export function runBench(words: readonly string[], effort: Effort, output: BenchOutput): ResultFile {
  const chosen = chooseSuites(words);
  const machine = environment();
  const timer = timerFacts();
  const isQuick = effort === QUICK;
  const seconds = chosen.reduce((sum, [, suite]) => sum + suite.seconds[isQuick ? 0 : 1], 0);
  output.table(environmentText(machine));
  output.table(
    `clock resolution ${timer.resolution.toFixed(0)} ns, a call from JavaScript into wasm ${timer.call.toFixed(1)} ns\n`,
  );
  output.progress(`${chosen.length} suites, about ${seconds} seconds on a quiet machine`);
  const began = performance.now();
  let done = 0;
  const calibrations = [calibrate()];
  const rows: ResultRow[] = [];
  const build: Record<string, string> = {};
  chosen.forEach(([name, suite], i) => {
    const left = i === 0 ? "" : `, about ${remaining(performance.now() - began, done, seconds)} seconds left`;
    output.progress(`[${i + 1}/${chosen.length}] ${name} ...${left}`);
    for (const b of suite.builds) build[b] ??= buildHash(b);
    const table = suite.run(effort);
    rows.push(...rowsOf(name, table));
    calibrations.push(calibrate());
    done += suite.seconds[isQuick ? 0 : 1];
    output.table(`${tableText(table)}\n`);
  });
  const noise = noiseOf(calibrations);
  output.table(noiseText(noise));
  return { format: FORMAT, version: VERSION, rows, environment: machine, knobs: {}, build, noise, timer };
}
