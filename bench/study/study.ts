/**
 * A trade-off study: the same work under several designs (knob values), for growing sizes. What is measured for each is the host's time
 * and, from exact counts, the simulated cost; they stand side by side and are never mixed.
 *
 * Your own: a file in studies/ that exports a Study, and a line in catalogue.ts (docs/studies.md).
 */
import type { KnobValues } from "../../host/lib/knobs.ts";
import type { Machine } from "../../host/lib/machine.ts";

export interface Variant {
  readonly label: string;
  readonly knobs: KnobValues;
}

/** One part of the work that is timed by itself, for instance what a caller waits for now, and what the guest pays later. */
export interface Phase {
  readonly name: string;
  /** Does the part once. Called again and again, in the order of the phases. */
  run(): void;
}

export interface Experiment {
  /** Whose counts are the cost. */
  readonly machine: Pick<Machine, "stats"> & Disposable;
  readonly phases: readonly Phase[];
  /** Puts everything back after a cycle; neither timed nor counted. */
  reset?(): void;
  /** What the figures are divided by: operations in one cycle through all phases. */
  readonly operations: number;
}

export interface Study {
  readonly name: string;
  readonly title: string;
  /** What is weighed, in a few sentences. */
  readonly question: string;
  /** What the work is, and what it leaves out. */
  readonly workload: string;
  readonly operation: string;
  readonly variants: readonly Variant[];
  readonly sizes: readonly number[];
  readonly sizeLabel: string;
  /** The axis of sizes. */
  readonly scale: "log" | "linear";
  /** The axis of costs; logarithmic by default. */
  readonly yScale?: "linear";
  /** A fresh machine, ready to go round the phases. */
  start(wasm: WebAssembly.Module, variant: Variant, size: number): Experiment;
}

/** What one variant at one size gave; figures are for one operation. */
export interface Point {
  readonly variant: string;
  readonly size: number;
  readonly phase: string;
  /** Nanoseconds, in the order taken. */
  readonly samples: readonly number[];
  readonly nanoseconds: number;
  readonly mad: number;
  /** Simulated cycles (vmexit cost); exact. */
  readonly cycles: number;
  /** What was counted in one cycle of the phases, not divided. */
  readonly counters: Readonly<Record<string, number>>;
  readonly operations: number;
}

/** The phase that stands for all of them together. */
export const ALL_PHASES = "all";
