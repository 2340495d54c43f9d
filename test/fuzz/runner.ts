/**
 * Drives a fuzz target: run n of seed s depends on (s, n) alone, so one command repeats it.
 *
 *   VMEXIT_FUZZ_SEED  seed (default: 1)     VMEXIT_FUZZ_COUNT  number of runs     VMEXIT_FUZZ_RUN  only this run, with its dump
 */
import { Random } from "../native/random.ts";
import { startWatchdog } from "./watchdog.ts";

export interface FuzzTarget {
  readonly name: string;
  /** One run from a fresh state. Throws when the core trapped or a property does not hold. */
  run(rng: Random): void;
  /** Whether the same instance still does ordinary work; asked every so often and at the end. Throws when it does not. */
  check(): void;
  /** What the last run looked like, for the message of a failure. */
  describe(): string;
}

const CHECK_EVERY = 512;

export const fuzzSeed = (): number => Number(process.env.VMEXIT_FUZZ_SEED ?? 1);
export const fuzzCount = (standard: number): number => Number(process.env.VMEXIT_FUZZ_COUNT ?? standard);

/** A random generator for run `run` alone. */
export const runRandom = (seed: number, run: number): Random =>
  new Random((Math.imul(seed, 0x9e3779b1) ^ Math.imul(run + 1, 0x85ebca6b)) | 0);

/** Runs a target `count` times; the error of a failing run carries the command that repeats it. */
export function fuzz(target: FuzzTarget, file: string, count: number): void {
  const seed = fuzzSeed();
  const only = process.env.VMEXIT_FUZZ_RUN;
  const command = `VMEXIT_FUZZ_SEED=${seed} VMEXIT_FUZZ_RUN=% npx vitest run ${file} -t "${target.name}"`;
  using watchdog = startWatchdog(command);
  const first = only === undefined ? 0 : Number(only);
  const end = only === undefined ? count : first + 1;
  const started = performance.now();
  for (let run = first; run < end; run++) {
    watchdog.begin(run);
    try {
      target.run(runRandom(seed, run));
      if (run % CHECK_EVERY === CHECK_EVERY - 1 || run === end - 1) target.check();
    } catch (cause) {
      const repeat = command.replace("%", String(run));
      throw new Error(
        `${target.name}: run ${run} failed: ${(cause as Error).message}\nRepeat it: ${repeat}\n${target.describe()}`,
        { cause },
      );
    }
    if (only !== undefined) console.log(target.describe());
  }
  const seconds = (performance.now() - started) / 1000;
  console.log(`fuzz ${target.name}: seed ${seed}, ${end - first} runs, ${seconds.toFixed(1)} s, no trap and no hang`);
}
