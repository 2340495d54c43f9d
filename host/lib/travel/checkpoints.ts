/**
 * The ladder of checkpoints that time travel stands on: the last one that is not after a place is where a replay to it begins. When there are too
 * many, every second one goes and the distance doubles; so memory stays bounded however long the run is, and every place stays near one.
 */
import { bytesOf, type Image } from "./image.ts";
import type { Position } from "./types.ts";

export interface Checkpoint {
  readonly position: Position;
  /** How many actions of the outside had been done. */
  readonly applied: number;
  readonly image: Image;
}

export interface CheckpointLimits {
  readonly memoryBytes: number;
  readonly interval: number;
  readonly checkpoints: number;
}

export interface Ladder {
  /** In the order of time; the first is the start. */
  readonly all: readonly Checkpoint[];
  /** Ticks between two. */
  readonly interval: number;
  add(checkpoint: Checkpoint): void;
  /** The last one that is not after `time`. */
  before(time: number): Checkpoint;
  /** Index in `all` of before(time). */
  indexBefore(time: number): number;
  /** Forgets what is after `time`, and what is at it but knows more than `applied` actions. */
  cut(time: number, applied: number): void;
  bytes(): number;
  /** Lets go of the memory. */
  drop(): void;
}

const PAGE_BYTES = 4096;

export function createLadder(first: Checkpoint, limits: CheckpointLimits): Ladder {
  let all: Checkpoint[] = [first];
  let interval = limits.interval;
  // An upper bound that is exact after every thinning: counting shared pages each time would take long.
  let pages = first.image.newPages;

  function thin(): void {
    all = all.filter((_, i) => i % 2 === 0 || i === all.length - 1);
    interval *= 2;
    pages = bytesOf(all.map((c) => c.image)) / PAGE_BYTES;
  }

  function indexBefore(time: number): number {
    let low = 0;
    let high = all.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (all[middle]!.position.time <= time) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  return {
    get all() {
      return all;
    },
    get interval() {
      return interval;
    },
    add(checkpoint) {
      all.push(checkpoint);
      pages += checkpoint.image.newPages;
      while (all.length > 2 && (all.length > limits.checkpoints || pages * PAGE_BYTES > limits.memoryBytes)) {
        const count = all.length;
        thin();
        if (all.length === count) break;
      }
    },
    before: (time) => all[indexBefore(time)]!,
    indexBefore,
    cut(time, applied) {
      all = all.filter(
        (c, i) => i === 0 || c.position.time < time || (c.position.time === time && c.applied <= applied),
      );
    },
    bytes: () => bytesOf(all.map((c) => c.image)),
    drop() {
      all = [];
      pages = 0;
    },
  };
}
