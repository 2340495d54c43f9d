/** Around partial-order reduction (dpor.ts): options, budget, progress, checkpoints, results. */
import type { Path } from "./happens-before.ts";
import type { RaceInstance } from "./instance.ts";
import { createObserver, type Learned, type Observer } from "./observer.ts";
import { fractionDone, type Progress } from "./progress.ts";
import type { Violation } from "./race.ts";
import type { Budget, FoundViolation, SearchResult } from "./search.ts";

export interface DporOptions {
  readonly budget: Budget;
  readonly onProgress?: (progress: Progress) => void;
  /** Leave out the reduction: every schedule is run. For small models. */
  readonly withoutReduction?: boolean;
  /** First steps: other searches take the other ones (search-parts.ts). */
  readonly prefix?: readonly number[];
  /** Asked now and then: give up, as when the budget is spent. */
  readonly isStopped?: () => boolean;
  readonly resume?: DporCheckpoint;
  /** Called about every half a minute, and when the budget is spent. */
  readonly onCheckpoint?: (checkpoint: DporCheckpoint) => void;
  /** Told the state at every end of a run (for tests). */
  readonly onEnd?: () => void;
}

/** A search under way, as plain data: the path, what was tried at each of its states and what is to be tried, what was learned. */
export interface DporCheckpoint {
  readonly nodes: readonly {
    readonly backtrack: number;
    readonly done: number;
    /** Actors in the order in which they were tried; the last one leads to the next state of the path. */
    readonly explored: readonly number[];
  }[];
  readonly learned: Learned;
  readonly steps: number;
  readonly schedules: number;
  readonly rounds: number;
  readonly states: number;
  readonly depth: number;
  readonly seconds: number;
}

const CHECKPOINT_SECONDS = 30;

/** A path without a round is shorter. */
const LONGEST_PATH = 20_000;

/** One search under way: what it has counted, when it must give up, what it writes down. */
export class DporRun {
  readonly started: number;
  readonly lastStep: number;
  readonly lastSecond: number;
  written: number;
  reported = 0;
  steps = 0;
  schedules = 0;
  /** Paths that came round to a state of their own and were cut there. */
  rounds = 0;
  /** Runs that were given up because all that could follow had been seen. */
  redundant = 0;
  states = 0;
  depth = 0;
  readonly instance: RaceInstance;
  readonly options: DporOptions;
  readonly observer: Observer;
  path: Path = { nodes: [], events: [] };
  depthOf = new Map<string, number>();
  hasResumed = false;
  /** The first livelock met: reported when nothing else breaks, as the exhaustive search does. */
  livelock: FoundViolation | undefined;

  constructor(instance: RaceInstance, options: DporOptions) {
    this.instance = instance;
    this.options = options;
    this.observer = createObserver(instance, options.resume?.learned);
    const before = options.resume?.seconds ?? 0;
    this.started = performance.now() - before * 1000;
    this.steps = options.resume?.steps ?? 0;
    this.lastStep = this.steps + options.budget.steps;
    this.lastSecond = before + options.budget.seconds;
    this.written = before;
  }

  get seconds(): number {
    return (performance.now() - this.started) / 1000;
  }

  result(verdict: SearchResult["verdict"], violation?: FoundViolation): SearchResult {
    const { states, steps, schedules, rounds, depth, seconds } = this;
    const base = { verdict, exhaustive: verdict === "clean", states, steps, schedules, rounds, depth, seconds };
    return violation ? { ...base, violation } : base;
  }

  found(violation: Violation): SearchResult {
    return this.result("violation", { ...violation, schedule: this.path.events.map((event) => event.actor) });
  }

  writeCheckpoint(): void {
    const { path, steps, schedules, rounds, states, depth, seconds } = this;
    const nodes = path.nodes.map(({ backtrack, done, explored }) => ({
      backtrack,
      done,
      explored: [...explored.keys()],
    }));
    const learned = this.observer.learned();
    this.options.onCheckpoint?.({ nodes, learned, steps, schedules, rounds, states, depth, seconds });
  }

  isBudgetSpent(): boolean {
    const isSpent =
      this.steps >= this.lastStep || this.path.events.length > LONGEST_PATH || this.seconds > this.lastSecond;
    if (isSpent) this.writeCheckpoint();
    return isSpent || this.isTime();
  }

  /** Now and then: progress, a checkpoint. @returns whether to give up. */
  isTime(): boolean {
    if ((this.steps & 15) !== 0) return false;
    const { seconds } = this;
    if (this.options.onProgress && seconds - this.reported > 0.5) {
      this.reported = seconds;
      const { states, schedules, steps, path } = this;
      const choices = path.nodes.map((node) => ({
        enabled: node.backtrack,
        left: node.backtrack & ~node.done,
      }));
      this.options.onProgress({
        states,
        schedules,
        steps,
        depth: path.events.length,
        seconds,
        fraction: fractionDone(choices),
      });
    }
    if (seconds - this.written > CHECKPOINT_SECONDS) {
      this.written = seconds;
      this.writeCheckpoint();
    }
    return this.options.isStopped?.() ?? false;
  }
}
