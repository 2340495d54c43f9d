/**
 * How steady the machine was: a loop that never changes is timed before, between and after the suites. If it ran at different speeds,
 * so did everything else.
 */
import { summarize } from "./statistics.ts";

const TURNS = 4_000_000;
const TIMES = 7;
/** Above this spread a reader is warned; above the second one nothing can be said. */
const WARN = 0.1;
const USELESS = 0.6;

/** Nanoseconds for one turn of the loop: the median of a few. */
export function calibrate(): number {
  const taken: number[] = [];
  let x = 1;
  for (let time = 0; time < TIMES; time++) {
    const began = performance.now();
    for (let i = 0; i < TURNS; i++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
    taken.push(((performance.now() - began) * 1e6) / TURNS);
  }
  if (x === 0.5) throw new Error("the loop was thrown away"); // keeps x alive
  return summarize(taken).median;
}

export interface Noise {
  /** ns a turn, in the order taken. */
  readonly calibrations: readonly number[];
  /** (slowest - fastest) / fastest. */
  readonly spread: number;
  readonly verdict: "steady" | "noisy" | "useless";
}

export function noiseOf(calibrations: readonly number[]): Noise {
  const fastest = Math.min(...calibrations);
  const spread = (Math.max(...calibrations) - fastest) / fastest;
  return { calibrations, spread, verdict: spread > USELESS ? "useless" : spread > WARN ? "noisy" : "steady" };
}

export const WORDS = {
  steady: "the machine kept its speed",
  noisy: "the machine changed its speed meanwhile: trust the ratios within a table, not the absolute figures",
  useless: "the machine changed its speed so much that nothing can be said: run it again with less beside it",
};

export function noiseText(noise: Noise): string {
  return `calibration loop ${noise.calibrations.map((c) => c.toFixed(3)).join(", ")} ns a turn, spread ${(noise.spread * 100).toFixed(1)} %: ${WORDS[noise.verdict]}`;
}

/** Smallest step of the clock, and what one call from JavaScript into wasm costs, both in nanoseconds. */
export interface TimerFacts {
  readonly resolution: number;
  readonly call: number;
}

// (module (func (export "f") (param i32) (result i32) local.get 0))
const EMPTY = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 6, 1, 96, 1, 127, 1, 127, 3, 2, 1, 0, 7, 5, 1, 1, 102, 0, 0, 10, 6, 1, 4, 0, 32, 0,
  11,
]);

export function timerFacts(): TimerFacts {
  let resolution = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 200; i++) {
    const began = performance.now();
    let now = began;
    while (now === began) now = performance.now();
    resolution = Math.min(resolution, (now - began) * 1e6);
  }
  const { f } = new WebAssembly.Instance(new WebAssembly.Module(EMPTY)).exports as { f: (x: number) => number };
  const calls = 1_000_000;
  const times: number[] = [];
  for (let time = 0; time < 7; time++) {
    const began = performance.now();
    let x = 0;
    for (let i = 0; i < calls; i++) x = f(x);
    times.push(((performance.now() - began) * 1e6) / calls);
  }
  return { resolution, call: summarize(times).median };
}
