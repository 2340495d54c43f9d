/**
 * Samples of one round share the weather of that moment, so they are no independent witnesses: an interval or a test over all of them
 * would claim far more than was seen. What counts is one median for each round; contestants that took turns are paired round by round.
 */
import { median } from "simple-statistics";
import { pairedRatio, type Ratio, ratioOfMedians } from "./statistics.ts";

export interface Rounds {
  readonly samples: readonly number[];
  /** How many of the samples each round gave; without it each sample is a round of its own. */
  readonly perRound?: readonly number[];
}

/** The median of each round that gave samples. */
export function roundMedians({ samples, perRound }: Rounds): number[] {
  if (!perRound) return [...samples];
  let at = 0;
  const medians: number[] = [];
  for (const count of perRound) {
    if (count > 0) medians.push(median(samples.slice(at, at + count)));
    at += count;
  }
  return medians;
}

/** Time of `a` / time of `b`: from the ratios of rounds they ran in turn, or from medians when they did not. */
export function ratioOf(a: Rounds, b: Rounds): Ratio {
  const [x, y] = [roundMedians(a), roundMedians(b)];
  return x.length === y.length ? pairedRatio(x.map((value, i) => value / y[i]!)) : ratioOfMedians(x, y);
}
