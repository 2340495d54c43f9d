/**
 * Takes samples of things that are compared with each other, interleaved in one process: round by round each contestant gives a few,
 * so that a machine that slows down slows all of them. The only importer of `benchmark`, which serves as the sampler and nothing else.
 * Raw samples are kept; statistics.ts makes sense of them, report.ts prints them.
 */
import Benchmark from "benchmark";

/** Something that can be timed: either a function, or its own sampler (a native program). */
export interface Contestant {
  readonly name: string;
  /** How many operations one call (or one sample) stands for. */
  readonly operations: number;
  /** One call; benchmark times it. */
  readonly call?: () => void;
  /** A native program: what ours is compared with. */
  readonly isNative?: boolean;
  /** Gives seconds per call by itself. */
  readonly sample?: () => readonly number[];
  /** Sampled in every n-th round only: one sample takes long. */
  readonly every?: number;
  /** What the core has counted so far; one call's share goes into the measurement. */
  readonly counters?: () => Readonly<Record<string, number>>;
}

export interface Measurement {
  readonly name: string;
  /** Nanoseconds for one operation, in the order they were taken. */
  readonly samples: readonly number[];
  /** How many of them each round gave (rounds.ts says why that matters). */
  readonly perRound?: readonly number[];
  /** A native program: what ours is compared with. */
  readonly isNative?: boolean;
  /** What was counted in one call, and the operations in that call. */
  readonly counters?: Readonly<Record<string, number>>;
  readonly operations?: number;
}

export interface Effort {
  readonly rounds: number;
  /** Seconds that one contestant may take in one round. */
  readonly roundSeconds: number;
}

/** 9 and 15 rounds: numbers at which a bootstrap of the median really holds in 95 of 100 cases (with 7 it is 88). */
export const QUICK: Effort = { rounds: 9, roundSeconds: 0.02 };
export const NORMAL: Effort = { rounds: 15, roundSeconds: 0.12 };

function sampleCall(call: () => void, seconds: number): readonly number[] {
  const bench = new Benchmark("sample", {
    fn: call,
    async: false,
    maxTime: seconds,
    minTime: seconds / 5,
    minSamples: 1,
    initCount: 1,
  });
  bench.run({ async: false });
  const { error } = bench as unknown as { error?: Error };
  if (error) throw error;
  return bench.stats.sample;
}

/** What one call counts. It is the second call: exact, and the same in every process. */
function countCall(contestant: Contestant): Readonly<Record<string, number>> | undefined {
  if (!contestant.counters || !contestant.call) return undefined;
  const before = contestant.counters();
  contestant.call();
  const after = contestant.counters();
  const difference: Record<string, number> = {};
  for (const [name, count] of Object.entries(after)) {
    const more = count - (before[name] ?? 0);
    if (more !== 0) difference[name] = more;
  }
  return difference;
}

/** Samples all contestants, in turn, for the given number of rounds; every second round backwards, so that nobody always follows the same one. */
export function measure(contestants: readonly Contestant[], effort: Effort = NORMAL): Measurement[] {
  const samples = contestants.map(() => [] as number[]);
  const perRound = contestants.map(() => [] as number[]);
  const order = contestants.map((contestant, i) => ({ contestant, i }));
  for (const contestant of contestants) contestant.call?.(); // warm up: compile, fill caches
  const counted = contestants.map(countCall);
  for (let round = 0; round < effort.rounds; round++) {
    for (const { contestant, i } of order) {
      if (round % (contestant.every ?? 1) !== 0) continue;
      const taken = contestant.sample ? contestant.sample() : sampleCall(contestant.call!, effort.roundSeconds);
      for (const seconds of taken) samples[i]!.push((seconds * 1e9) / contestant.operations);
      perRound[i]!.push(taken.length);
    }
    order.reverse();
  }
  return contestants.map((contestant, i) => ({
    name: contestant.name,
    samples: samples[i]!,
    perRound: perRound[i]!,
    operations: contestant.operations,
    ...(contestant.isNative ? { isNative: true } : {}),
    ...(counted[i] ? { counters: counted[i] } : {}),
  }));
}
