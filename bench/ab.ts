/**
 * Small differences between two designs (knobs, or builds): both run in one process, slice by slice in turn, on fresh machines again and
 * again, since where a machine's memory and its compiled code lie can be worth some per cent for as long as they live. Each pair of
 * machines gives one ratio; the signed-rank test of these, corrected for the number of workloads, says whether there is a difference.
 */

import { median } from "simple-statistics";
import { simulateCost, statsBetween } from "../host/lib/cost/simulate.ts";
import { compileAnew } from "./compile-anew.ts";
import { holm, pairedRatio, signedRankP } from "./statistics.ts";
import { type Design, type Runner, startWorkload, type Workload } from "./workloads.ts";

export interface AbEffort {
  /** Pairs of fresh machines: at least so many. With 12 the test can say p = 0.0005, enough for 20 workloads. */
  readonly pairs: number;
  /** At most so many, as long as the interval is wider than WIDE. signedRankP counts up to 24. */
  readonly mostPairs: number;
  /** Slices of each machine. */
  readonly slices: number;
  /** Milliseconds a slice should take. */
  readonly sliceMs: number;
}

export const AB_NORMAL: AbEffort = { pairs: 12, mostPairs: 24, slices: 7, sliceMs: 6 };

/** A difference below this is not reported: two copies of the same code can differ by as much. */
export const SMALLEST = 0.02;
const ALPHA = 0.05;
/** The interval's width, not what it says, decides whether more is measured: otherwise one could measure until the answer pleases. */
const WIDE = 0.02;

export interface AbRow {
  readonly name: string;
  readonly verdict: "faster" | "slower" | "no evidence";
  /** Time of B / time of A. */
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
  readonly p: number;
  /** One for each pair of machines. */
  readonly ratios: readonly number[];
  /** Simulated cost (vmexit cost) of B / A over the same instructions; exact. */
  readonly simulated: number;
}

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

/** One ratio B / A from two fresh machines, the first of them now this one, now the other. */
function pairRatio(
  workload: Workload,
  a: Design,
  b: Design,
  isSwapped: boolean,
  instructions: number,
  slices: number,
): number {
  const [first, second] = isSwapped ? [b, a] : [a, b];
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
  return isSwapped ? 1 / median(ratios) : median(ratios);
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

function isWide(ratios: readonly number[]): boolean {
  const { low, high } = pairedRatio(ratios);
  return high - low > WIDE;
}

export function runAb(
  workloads: readonly Workload[],
  a: Design,
  b: Design,
  effort: AbEffort = AB_NORMAL,
  progress: (text: string) => void = () => {},
): AbRow[] {
  const measured = workloads.map((workload, w) => {
    progress(`[${w + 1}/${workloads.length}] ${workload.name} ...`);
    const probe = startWorkload(workload, a, compileAnew(a.build));
    probe.run(WARM_UP * 50_000);
    const instructions = sliceOf(probe, effort.sliceMs);
    probe.machine[Symbol.dispose]();
    const ratios: number[] = [];
    while (ratios.length < effort.pairs || (ratios.length < effort.mostPairs && isWide(ratios)))
      ratios.push(pairRatio(workload, a, b, ratios.length % 2 === 1, instructions, effort.slices));
    return { workload, ratios, simulated: simulated(workload, b) / simulated(workload, a) };
  });
  return judge(measured.map(({ workload, ratios, simulated }) => ({ name: workload.name, ratios, simulated })));
}

/** From ratios to verdicts: nothing is measured here. */
export function judge(measured: readonly Pick<AbRow, "name" | "ratios" | "simulated">[]): AbRow[] {
  const corrected = holm(measured.map(({ ratios }) => signedRankP(ratios.map(Math.log))));
  return measured.map((row, i) => {
    const { value, low, high } = pairedRatio(row.ratios);
    const isDifferent = corrected[i]! < ALPHA && Math.abs(value - 1) >= SMALLEST;
    const verdict = isDifferent ? (value > 1 ? "slower" : "faster") : "no evidence";
    return { ...row, verdict, ratio: value, low, high, p: corrected[i]! };
  });
}

export function abText(rows: readonly AbRow[], a: string, b: string): string {
  const width = Math.max(...rows.map((row) => row.name.length));
  const lines = rows.map(
    (row) =>
      `  ${row.name.padEnd(width)}  ${row.verdict.padEnd(11)}  ${row.ratio.toFixed(3)}x [${row.low.toFixed(3)}..${row.high.toFixed(3)}]  p ${row.p < 0.001 ? "<0.001" : row.p.toFixed(3)}  simulated ${row.simulated.toFixed(3)}x\n`,
  );
  return `time of B (${b}) / time of A (${a}); differences below ${SMALLEST * 100} % are not reported\n${lines.join("")}`;
}
