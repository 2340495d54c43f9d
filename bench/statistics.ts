/**
 * Robust statistics of samples: median, median absolute deviation, a bootstrap interval for the ratio of two medians, and the tests that
 * say whether a difference is there at all. Everything is seeded or exact: the same samples give the same words.
 */
import { errorFunction, median, medianAbsoluteDeviation, wilcoxonRankSum } from "simple-statistics";

export interface Summary {
  readonly median: number;
  /** Median absolute deviation, in the unit of the samples. */
  readonly mad: number;
  readonly samples: number;
}

export function summarize(samples: readonly number[]): Summary {
  return { median: median([...samples]), mad: medianAbsoluteDeviation([...samples]), samples: samples.length };
}

export interface Ratio {
  readonly value: number;
  /** 95 % of the resampled ratios lie between these. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 1000;

/** Whole numbers below n, from a fixed seed. */
function seededDraw(): (n: number) => number {
  let state = 0x2545f491;
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** The middle 95 % of `statistic` over resampled lists. */
function bootstrap(
  lists: readonly (readonly number[])[],
  statistic: (...lists: number[][]) => number,
): [number, number] {
  const below = seededDraw();
  const found: number[] = [];
  for (let i = 0; i < RESAMPLES; i++)
    found.push(statistic(...lists.map((list) => list.map(() => list[below(list.length)]!))));
  found.sort((x, y) => x - y);
  return [found[Math.floor(RESAMPLES * 0.025)]!, found[Math.floor(RESAMPLES * 0.975)]!];
}

/** median(a) / median(b), with a seeded bootstrap: the same samples give the same interval. */
export function ratioOfMedians(a: readonly number[], b: readonly number[]): Ratio {
  const [low, high] = bootstrap([a, b], (x, y) => median(x!) / median(y!));
  return { value: median([...a]) / median([...b]), low, high };
}

/** The typical factor of paired samples: exp of the median of log(a/b), with its interval. */
export function pairedRatio(ratios: readonly number[]): Ratio {
  const logs = ratios.map(Math.log);
  const [low, high] = bootstrap([logs], (x) => median(x!));
  return { value: Math.exp(median(logs)), low: Math.exp(low), high: Math.exp(high) };
}

/**
 * Wilcoxon's signed-rank test: the probability of pairs at least this one-sided if neither side were slower, both directions. Exact: all
 * 2^n signs are counted, so n is at most 24. Zero differences are left out.
 */
export function signedRankP(differences: readonly number[]): number {
  const values = differences.filter((d) => d !== 0);
  if (values.length === 0) return 1;
  if (values.length > 24) throw new RangeError("signedRankP counts exactly, up to 24 pairs");
  const order = values.map(Math.abs).sort((x, y) => x - y);
  // Twice the rank, so that the mean rank of ties is a whole number.
  const ranks = values.map((d) => order.indexOf(Math.abs(d)) + order.lastIndexOf(Math.abs(d)) + 2);
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const positive = values.reduce((sum, d, i) => sum + (d > 0 ? ranks[i]! : 0), 0);
  const ways = new Float64Array(total + 1);
  ways[0] = 1;
  for (const rank of ranks) for (let sum = total; sum >= rank; sum--) ways[sum]! += ways[sum - rank]!;
  const extreme = Math.min(positive, total - positive);
  let count = 0;
  for (let sum = 0; sum <= extreme; sum++) count += ways[sum]!;
  return Math.min(1, (2 * count) / 2 ** values.length);
}

/** Both tails of the normal distribution beyond z >= 0. The library's function is a table that ends at 3.09. */
function twoTails(z: number): number {
  if (z < 3) return 1 - errorFunction(z / Math.SQRT2);
  return ((2 * Math.exp((-z * z) / 2)) / (z * Math.sqrt(2 * Math.PI))) * (1 - 1 / z ** 2 + 3 / z ** 4);
}

export interface RankSum {
  /** Two-sided probability if both came from one distribution (normal approximation, continuity corrected). */
  readonly p: number;
  /** Cliff's delta, -1..1: how much more often a sample of `a` is larger than one of `b` than smaller. */
  readonly delta: number;
}

/** Wilcoxon's rank-sum test of two independent lists. */
export function rankSum(a: readonly number[], b: readonly number[]): RankSum {
  const [n, m] = [a.length, b.length];
  const u = wilcoxonRankSum([...a], [...b]) - (n * (n + 1)) / 2;
  const z = (Math.abs(u - (n * m) / 2) - 0.5) / Math.sqrt((n * m * (n + m + 1)) / 12);
  return { p: Math.min(1, twoTails(Math.max(0, z))), delta: (2 * u) / (n * m) - 1 };
}

/** Holm's correction: p values of many rows, each raised so that the chance of one false alarm in all of them stays below the limit. */
export function holm(values: readonly number[]): number[] {
  const order = values.map((p, i) => [p, i] as const).sort((x, y) => x[0] - y[0]);
  const corrected = new Array<number>(values.length);
  let highest = 0;
  order.forEach(([p, i], rank) => {
    highest = Math.max(highest, Math.min(1, p * (values.length - rank)));
    corrected[i] = highest;
  });
  return corrected;
}
