/** How far a search is, how much of it is left, and how one is driven in slices. */
/** How far a search is. */
export interface Progress {
  readonly states: number;
  readonly schedules: number;
  readonly steps: number;
  readonly depth: number;
  readonly seconds: number;
  /** About how much of the tree of choices is behind us, 0 to 1: each choice counts as much as the others beside it. */
  readonly fraction?: number;
}

const count = (set: number): number => {
  let bits = 0;
  for (let left = set; left !== 0; left &= left - 1) bits++;
  return bits;
};

/** Share of the tree that is done, from what is left to try on the path under way. */
export function fractionDone(path: readonly { readonly enabled: number; readonly left: number }[]): number {
  let weight = 1;
  let done = 0;
  for (const { enabled, left } of path) {
    const choices = Math.max(1, count(enabled));
    done += (weight * Math.max(0, choices - count(left) - 1)) / choices;
    weight /= choices;
  }
  return done;
}

/** Work in slices: it yields how far it is and returns what came of it. */
export type SlicesOf<Result> = Generator<Progress, Result, void>;

/** Goes through all slices. */
export function atOnce<Result>(slices: SlicesOf<Result>): Result {
  for (;;) {
    const { done, value } = slices.next();
    if (done) return value;
  }
}
