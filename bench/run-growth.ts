/** Sweeps of suites, one after the other: what grows worse than documented. */
import { UsageError } from "../host/lib/errors.ts";
import { suggestion } from "../host/lib/nearest.ts";
import { calibrate, type Noise, noiseOf, noiseText } from "./calibration.ts";
import { type Environment, environment, environmentText } from "./environment.ts";
import { type Effort, NORMAL, QUICK } from "./harness.ts";
import { type BenchOutput, buildHash } from "./run.ts";
import { SUITES } from "./suites.ts";
import { runSweep, type SweepResult } from "./sweep.ts";
import { sweepText } from "./sweep-report.ts";

export interface GrowthFile {
  readonly format: "vmexit-growth";
  readonly version: 1;
  readonly environment: Environment;
  readonly build: Readonly<Record<string, string>>;
  readonly noise: Noise;
  readonly sweeps: readonly (SweepResult & { readonly suite: string })[];
}

/** Suites that can be swept and whose name contains one of the words. @throws UsageError */
export function chooseSweeps(words: readonly string[]) {
  const names = Object.keys(SUITES).filter((name) => SUITES[name]!.sweeps);
  for (const word of words)
    if (!names.some((name) => name.includes(word)))
      throw new UsageError(`no suite that can be swept is called "${word}": ${suggestion(word, names)}`);
  return names.filter((name) => words.length === 0 || words.some((word) => name.includes(word)));
}

/** A sweep is many contestants: shorter rounds than a table's. */
const SHARE = 0.5;

export function runGrowth(words: readonly string[], isQuick: boolean, output: BenchOutput): GrowthFile {
  const chosen = chooseSweeps(words);
  const normal = isQuick ? QUICK : NORMAL;
  const effort: Effort = { ...normal, roundSeconds: normal.roundSeconds * SHARE };
  const machine = environment();
  output.table(`${environmentText(machine)}\n`);
  const all = chosen.flatMap((suite) => SUITES[suite]!.sweeps!.map((sweep) => ({ suite, sweep })));
  const calibrations = [calibrate()];
  const build: Record<string, string> = {};
  const sweeps = all.map(({ suite, sweep }, i) => {
    output.progress(`[${i + 1}/${all.length}] ${suite}: ${sweep.name} ...`);
    for (const b of SUITES[suite]!.builds) build[b] ??= buildHash(b);
    const result = runSweep(sweep, effort);
    calibrations.push(calibrate());
    output.table(sweepText(result));
    return { suite, ...result };
  });
  const noise = noiseOf(calibrations);
  output.table(noiseText(noise));
  return { format: "vmexit-growth", version: 1, environment: machine, build, noise, sweeps };
}
