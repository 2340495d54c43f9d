/** Robust statistics of samples: median, median absolute deviation, and a bootstrap interval for the ratio of two medians. */
import { median, medianAbsoluteDeviation } from "simple-statistics";

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

/** median(a) / median(b), with a seeded bootstrap: the same samples give the same interval. */
export function ratioOfMedians(a: readonly number[], b: readonly number[]): Ratio {
  let state = 0x2545f491;
  const below = (n: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
  const resample = (list: readonly number[]): number => median(list.map(() => list[below(list.length)]!));
  const ratios: number[] = [];
  for (let i = 0; i < RESAMPLES; i++) ratios.push(resample(a) / resample(b));
  ratios.sort((x, y) => x - y);
  return {
    value: median([...a]) / median([...b]),
    low: ratios[Math.floor(RESAMPLES * 0.025)]!,
    high: ratios[Math.floor(RESAMPLES * 0.975)]!,
  };
}
