/** Measures a study: for each size all variants at once, round by round in turn. */
import { type CostModel, DEFAULT_COSTS } from "../../host/lib/cost/model.ts";
import { simulateCost, statsBetween } from "../../host/lib/cost/simulate.ts";
import { summarize } from "../statistics.ts";
import { ALL_PHASES, type Experiment, type Point, type Study, type Variant } from "./study.ts";

export interface StudyEffort {
  /** Rounds that are timed. */
  readonly rounds: number;
  /** Rounds before, untimed. The second one is counted. */
  readonly warmUp: number;
}

export const STUDY_NORMAL: StudyEffort = { rounds: 15, warmUp: 4 };
export const STUDY_QUICK: StudyEffort = { rounds: 5, warmUp: 2 };

interface Running {
  readonly variant: Variant;
  readonly experiment: Experiment;
  /** ns of each phase, one list a phase. */
  readonly taken: number[][];
  counted: readonly { readonly cycles: number; readonly counters: Readonly<Record<string, number>> }[];
}

/** One cycle with the counts of each phase. */
function count(experiment: Experiment, costs: CostModel): Running["counted"] {
  return experiment.phases.map((phase) => {
    const before = experiment.machine.stats();
    phase.run();
    const between = statsBetween(before, experiment.machine.stats());
    const exits = Object.entries(between.exits).map(([name, n]) => [`exit ${name}`, n]);
    return {
      cycles: simulateCost(between, costs).total,
      counters: { instructions: between.instructions, ...Object.fromEntries(exits), ...between.counters },
    };
  });
}

function add(lists: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const list of lists) for (const [name, n] of Object.entries(list)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}

function pointsOf(running: Running, size: number): Point[] {
  const { experiment, taken, counted, variant } = running;
  const point = (phase: string, raw: readonly number[], cycles: number, counters: Readonly<Record<string, number>>) => {
    const samples = raw.map((ns) => ns / experiment.operations);
    const { median, mad } = summarize(samples);
    return {
      variant: variant.label,
      size,
      phase,
      samples,
      nanoseconds: median,
      mad,
      cycles: cycles / experiment.operations,
      counters,
      operations: experiment.operations,
    };
  };
  const parts = experiment.phases.map((phase, i) =>
    point(phase.name, taken[i]!, counted[i]!.cycles, counted[i]!.counters),
  );
  if (parts.length === 1) return parts;
  const rounds = taken[0]!.map((_, round) => taken.reduce((sum, list) => sum + list[round]!, 0));
  const cycles = counted.reduce((sum, part) => sum + part.cycles, 0);
  return [...parts, point(ALL_PHASES, rounds, cycles, add(counted.map((part) => part.counters)))];
}

export function measureStudy(
  study: Study,
  wasm: WebAssembly.Module,
  effort: StudyEffort,
  costs: CostModel = DEFAULT_COSTS,
  progress: (text: string) => void = () => {},
): Point[] {
  const points: Point[] = [];
  study.sizes.forEach((size, s) => {
    progress(`[${s + 1}/${study.sizes.length}] ${study.sizeLabel} ${size.toLocaleString("en")} ...`);
    const all = study.variants.map((variant): Running => {
      const experiment = study.start(wasm, variant, size);
      return { variant, experiment, taken: experiment.phases.map(() => []), counted: [] };
    });
    for (let round = 0; round < effort.warmUp; round++)
      for (const running of all) {
        if (round === 1) running.counted = count(running.experiment, costs);
        else for (const phase of running.experiment.phases) phase.run();
        running.experiment.reset?.();
      }
    for (let round = 0; round < effort.rounds; round++)
      for (const { experiment, taken } of all) {
        experiment.phases.forEach((phase, i) => {
          const began = performance.now();
          phase.run();
          taken[i]!.push((performance.now() - began) * 1e6);
        });
        experiment.reset?.();
      }
    for (const running of all) {
      points.push(...pointsOf(running, size));
      running.experiment.machine[Symbol.dispose]();
    }
  });
  return points;
}
