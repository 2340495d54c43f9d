/**
 * Small differences between two designs (knobs, or builds): both run in one process, slice by slice in turn, on fresh machines and
 * freshly compiled code again and again. Each pair of machines gives one ratio; pairs.ts says what the ratios mean.
 */

import { median } from "simple-statistics";
import { simulateCost, statsBetween } from "../host/lib/cost/simulate.ts";
import { calibrate, type Noise, noiseOf } from "./calibration.ts";
import { compileAnew } from "./compile-anew.ts";
import { AB_NORMAL, type AbEffort, type AbRow, collectPairs, judge } from "./pairs.ts";
import { seededDraw } from "./statistics.ts";
import { type Design, type Runner, startWorkload, type Workload } from "./workloads.ts";

const COUNTED = 50_000;

/** Instructions that take about `ms`. */
function sliceOf(runner: Runner, ms: number): number {
  let instructions = 20_000;
  for (;;) {
    const began = performance.now();
    runner.run(instructions);
    const took = performance.now() - began;
    if (took >= ms / 2) return Math.max(1000, Math.round((instructions * ms) / took));
    instructions *= 2;
  }
}

function timed(runner: Runner, instructions: number): number {
  const began = performance.now();
  runner.run(instructions);
  return performance.now() - began;
}

/** Slices before anything is timed: the engine replaces its first, slow code meanwhile. */
const WARM_UP = 12;

/** Time of the second / time of the first of two fresh machines. */
function pairRatio(
  workload: Workload,
  [first, second]: readonly [Design, Design],
  instructions: number,
  slices: number,
) {
  const wasm = compileAnew(first.build);
  const one = startWorkload(workload, first, wasm);
  const two = startWorkload(workload, second, second.build === first.build ? wasm : compileAnew(second.build));
  for (let i = 0; i < WARM_UP; i++) for (const runner of [one, two]) runner.run(instructions);
  const ratios: number[] = [];
  for (let i = 0; i < slices; i++) {
    // In turn, and each as often first as second.
    if (i % 2 === 0) {
      const x = timed(one, instructions);
      ratios.push(timed(two, instructions) / x);
    } else {
      const y = timed(two, instructions);
      ratios.push(y / timed(one, instructions));
    }
  }
  for (const { machine } of [one, two]) machine[Symbol.dispose]();
  return median(ratios);
}

/** Simulated cycles of a fixed number of instructions. */
function simulated(workload: Workload, design: Design): number {
  const { machine, run } = startWorkload(workload, design, compileAnew(design.build));
  const before = machine.stats();
  run(COUNTED);
  const cost = simulateCost(statsBetween(before, machine.stats())).total;
  machine[Symbol.dispose]();
  return cost;
}

export interface AbResult {
  readonly rows: readonly AbRow[];
  readonly noise: Noise;
}

export function runAb(
  workloads: readonly Workload[],
  a: Design,
  b: Design,
  effort: AbEffort = AB_NORMAL,
  progress: (text: string) => void = () => {},
): AbResult {
  const draw = seededDraw();
  const calibrations = [calibrate()];
  const measured = workloads.map((workload, w) => {
    progress(`[${w + 1}/${workloads.length}] ${workload.name} ...`);
    const probe = startWorkload(workload, a, compileAnew(a.build));
    probe.run(WARM_UP * 50_000);
    const instructions = sliceOf(probe, effort.sliceMs);
    probe.machine[Symbol.dispose]();
    const pairs = collectPairs(
      (isSwapped) => pairRatio(workload, isSwapped ? [b, a] : [a, b], instructions, effort.slices),
      effort,
      () => draw(2) === 1,
    );
    calibrations.push(calibrate());
    return { name: workload.name, pairs, simulated: simulated(workload, b) / simulated(workload, a) };
  });
  return { rows: judge(measured), noise: noiseOf(calibrations) };
}
