/**
 * How the cost of a path grows: it is measured at growing sizes, and what is left after dividing by the documented growth must not grow.
 * A path that grows worse than documented is flagged. Counts are exact and speak first; times must be sure of it over all rounds, and may
 * grow a little more, because larger tables leave the caches.
 */
import { median } from "simple-statistics";
import { growthOf } from "./growth.ts";
import { type Contestant, type Effort, type Measurement, measure } from "./harness.ts";
import { roundMedians } from "./rounds.ts";
import { pairedRatio, type Ratio } from "./statistics.ts";

/** What a path is documented to cost, as a function of its size. */
export type Documented = "constant" | "logarithmic" | "linear" | "linear times logarithmic";

/** The documented growth as a function, without its factor. */
export const SHAPES: Readonly<Record<Documented, (size: number) => number>> = {
  constant: () => 1,
  logarithmic: (n) => 1 + Math.log2(n),
  linear: (n) => n,
  "linear times logarithmic": (n) => n * (1 + Math.log2(n)),
};

export interface Sweep {
  readonly name: string;
  /** What grows. */
  readonly sizeLabel: string;
  /** At least four, growing, 1 or more. */
  readonly sizes: readonly number[];
  readonly documented: Documented;
  /** Why it should grow like that, in one sentence. */
  readonly why: string;
  /** The path at one size. Its counters, where it has any, are judged as well, those named in `counts` only. */
  at(size: number): Contestant;
  readonly counts?: readonly string[];
  /** Exponents of time that are let pass beside the documented growth, where caches are known to be left. */
  readonly tolerance?: number;
}

/** Exponent of what is left of a cost after dividing it by the documented growth; above 0 it grows faster. */
export interface Excess {
  readonly exponent: number;
  readonly low: number;
  readonly high: number;
}

export interface SweepPoint {
  readonly size: number;
  /** For one operation, median of the rounds. */
  readonly nanoseconds: number;
  /** Counted for one operation; absent when nothing is. */
  readonly count?: number;
}

export interface SweepResult {
  readonly name: string;
  readonly sizeLabel: string;
  readonly documented: Documented;
  readonly why: string;
  readonly points: readonly SweepPoint[];
  /** Exponent and word of the time itself, for people. */
  readonly time: { readonly exponent: number; readonly word: string };
  readonly timeExcess: Excess;
  readonly countExcess?: Excess;
  readonly verdict: "as documented" | "worse than documented";
}

/** For a path whose data leave the caches as they grow: each step may become ten times as slow somewhere, but linear is still seen. */
export const OUT_OF_CACHES = 0.8;
const COUNT_TOLERANCE = 0.1;
const TIME_TOLERANCE = 0.25;

type Curve = readonly (readonly [size: number, cost: number])[];

/** The worse of: all sizes, and the upper half of them, where a small quadratic part shows first. */
function excessOf(curve: Curve, documented: Documented): number {
  const left = curve.map(([size, cost]) => [size, cost / SHAPES[documented](size)] as const);
  const upper = left.slice(Math.min(Math.floor(left.length / 2), left.length - 3));
  return Math.max(growthOf(left).exponent, growthOf(upper).exponent);
}

/** The excess of each round by itself, and how sure their middle is. */
function timeExcessOf(
  sizes: readonly number[],
  rounds: readonly (readonly number[])[],
  documented: Documented,
): Excess {
  const number = Math.min(...rounds.map((list) => list.length));
  const excesses = Array.from({ length: number }, (_, round) =>
    Math.exp(
      excessOf(
        sizes.map((size, i) => [size, rounds[i]![round]!]),
        documented,
      ),
    ),
  );
  const { value, low, high }: Ratio = pairedRatio(excesses);
  return { exponent: Math.log(value), low: Math.log(low), high: Math.log(high) };
}

function countOf({ counters, operations }: Measurement, names: readonly string[] | undefined): number | undefined {
  if (!counters) return undefined;
  const chosen = Object.entries(counters).filter(([name]) => !names || names.includes(name));
  return chosen.length === 0 ? undefined : chosen.reduce((sum, [, n]) => sum + n, 0) / (operations ?? 1);
}

/** From measurements, one a size, to the verdict: nothing is measured here. */
export function judgeSweep(sweep: Omit<Sweep, "at">, measured: readonly Measurement[]): SweepResult {
  const { name, sizes, sizeLabel, documented, why } = sweep;
  const rounds = measured.map(roundMedians);
  const points = measured.map((m, i): SweepPoint => {
    const count = countOf(m, sweep.counts);
    return { size: sizes[i]!, nanoseconds: median(rounds[i]!), ...(count === undefined ? {} : { count }) };
  });
  const counted = points.filter((p) => p.count !== undefined && p.count > 0);
  const timeExcess = timeExcessOf(sizes, rounds, documented);
  const exact =
    counted.length === points.length
      ? excessOf(
          counted.map((p) => [p.size, p.count!]),
          documented,
        )
      : undefined;
  const isWorse = timeExcess.low > (sweep.tolerance ?? TIME_TOLERANCE) || (exact ?? 0) > COUNT_TOLERANCE;
  const { exponent, word } = growthOf(points.map((p) => [p.size, p.nanoseconds]));
  return {
    name,
    sizeLabel,
    documented,
    why,
    points,
    time: { exponent, word },
    timeExcess,
    ...(exact === undefined ? {} : { countExcess: { exponent: exact, low: exact, high: exact } }),
    verdict: isWorse ? "worse than documented" : "as documented",
  };
}

/** @throws Error for a sweep whose sizes cannot show anything. */
export function runSweep(sweep: Sweep, effort: Effort): SweepResult {
  const { sizes } = sweep;
  if (sizes.length < 4 || sizes.some((size, i) => size < 1 || (i > 0 && size <= sizes[i - 1]!)))
    throw new Error(`${sweep.name}: a sweep needs at least four growing sizes from 1 on`);
  return judgeSweep(
    sweep,
    measure(
      sizes.map((size) => sweep.at(size)),
      effort,
    ),
  );
}
