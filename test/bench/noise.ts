/** Noise as machines make it, from a seed: drift that one sample hands on to the next, bursts, and luck that stays as long as a machine lives. */

export type Random = () => number;

/** Uniform numbers of [0, 1) (mulberry32: high and low bits are equally good). */
export function uniform(seed: number): Random {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function normal(next: Random): number {
  return Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

export interface NoiseOptions {
  /** Standard deviation of what is new in each sample. */
  readonly sigma: number;
  /** How much of the last sample's deviation stays, 0..1. */
  readonly memory: number;
  /** Chance of a burst, and its size: slower, never faster. */
  readonly burst: number;
  readonly burstSize: number;
}

/** Logarithms of factors, one call a sample. */
export function drifting(next: Random, { sigma, memory, burst, burstSize }: NoiseOptions): () => number {
  let state = 0;
  return () => {
    state = memory * state + sigma * normal(next);
    return state + (next() < burst ? burstSize * next() : 0);
  };
}

/** Logarithm of second / first of one pair of machines: drift, place, luck of each machine, a neighbour who comes and goes. */
export function pairNoise(next: Random): (effect: number, isSwapped: boolean) => number {
  const drift = drifting(next, { sigma: 0.008, memory: 0.7, burst: 0.05, burstSize: 0.2 });
  const place = 0.04 * (next() - 0.5);
  return (effect, isSwapped) => {
    const luck = 0.01 * normal(next) + 0.01 * normal(next);
    const burst = next() < 0.5 ? drift() : -drift();
    return place + luck + burst + (isSwapped ? -effect : effect);
  };
}
