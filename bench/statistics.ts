/**
 * Robust statistics of samples: median, median absolute deviation, a bootstrap interval for the ratio of two medians, and the tests that
 * say whether a difference is there at all. Everything is seeded or exact: the same samples give the same words.
 */
import { errorFunction, median, medianAbsoluteDeviation } from "simple-statistics";

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
export function seededDraw(): (n: number) => number {
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

/** Half the difference of two medians, as a factor: `up` are logarithms of ratios with the effect, `down` with its inverse. */
export function halfDifference(up: readonly number[], down: readonly number[]): number {
  return Math.exp((median([...up]) - median([...down])) / 2);
}

/** halfDifference with its interval: each list is resampled by itself. */
export function oppositeRatio(up: readonly number[], down: readonly number[]): Ratio {
  const [low, high] = bootstrap([up, down], (x, y) => halfDifference(x!, y!));
  return { value: halfDifference(up, down), low, high };
}

/** The typical factor of paired samples: exp of the median of log(a/b), with its interval. */
export function pairedRatio(ratios: readonly number[]): Ratio {
  const logs = ratios.map(Math.log);
  const [low, high] = bootstrap([logs], (x) => median(x!));
  return { value: Math.exp(median(logs)), low: Math.exp(low), high: Math.exp(high) };
}

/** Both tails of the normal distribution beyond z >= 0. The library's function is a table that ends at 3.09. */
function twoTails(z: number): number {
  if (z < 3) return 1 - errorFunction(z / Math.SQRT2);
  return ((2 * Math.exp((-z * z) / 2)) / (z * Math.sqrt(2 * Math.PI))) * (1 - 1 / z ** 2 + 3 / z ** 4);
}

export interface RankSum {
  /** Two-sided probability of ranks at least this uneven if both came from one distribution. */
  readonly p: number;
  /** Cliff's delta, -1..1: how much more often a sample of `a` is larger than one of `b` than smaller. */
  readonly delta: number;
}

/** Up to so many samples together all ways of dealing them out are counted; the normal curve is too coarse in its tails there. */
const EXACT = 40;

/** Twice the rank of each sample of `a` and then of `b` among all, ties sharing theirs: whole numbers. */
function doubledRanks(a: readonly number[], b: readonly number[]): number[] {
  const all = [...a, ...b];
  const order = [...all].sort((x, y) => x - y);
  const rank = new Map<number, number>();
  order.forEach((value, i) => {
    if (!rank.has(value)) rank.set(value, i + 1 + order.lastIndexOf(value) + 1);
  });
  return all.map((value) => rank.get(value)!);
}

/** The share of the ways to pick `n` of the ranks whose sum is at least as far from the mean as `sum`. Ties included. */
function exactTail(ranks: readonly number[], n: number, sum: number): number {
  const total = ranks.reduce((x, y) => x + y, 0);
  const width = total + 1;
  const ways = new Float64Array((n + 1) * width);
  ways[0] = 1;
  let reach = 0;
  ranks.forEach((rank, i) => {
    reach += rank;
    for (let picked = Math.min(n, i + 1); picked > 0; picked--) {
      const [to, from] = [picked * width, (picked - 1) * width];
      for (let s = rank; s <= reach; s++) ways[to + s]! += ways[from + s - rank]!;
    }
  });
  const mean = (n * total) / ranks.length;
  const far = Math.abs(sum - mean) - 1e-9;
  let [extreme, all] = [0, 0];
  for (let s = 0; s < width; s++) {
    const count = ways[n * width + s]!;
    all += count;
    if (Math.abs(s - mean) >= far) extreme += count;
  }
  return Math.min(1, extreme / all);
}

/** Normal approximation, corrected for continuity and for ties. `ranks` are doubled. */
function normalTail(ranks: readonly number[], n: number, sum: number): number {
  const count = ranks.length;
  const mean = count + 1; // of doubled ranks
  const spread = ranks.reduce((s, rank) => s + (rank - mean) ** 2, 0) / (count - 1) / count;
  const z = (Math.abs(sum - n * mean) - 1) / Math.sqrt(n * (count - n) * spread);
  return Number.isFinite(z) ? Math.min(1, twoTails(Math.max(0, z))) : 1;
}

/** Wilcoxon's rank-sum test of two independent lists: exact for short ones. */
export function rankSum(a: readonly number[], b: readonly number[]): RankSum {
  const [n, m] = [a.length, b.length];
  const ranks = doubledRanks(a, b);
  const sum = ranks.slice(0, n).reduce((x, y) => x + y, 0);
  const u = sum / 2 - (n * (n + 1)) / 2;
  return {
    p: n + m <= EXACT ? exactTail(ranks, n, sum) : normalTail(ranks, n, sum),
    delta: (2 * u) / (n * m) - 1,
  };
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
