/**
 * Compares two result files row by row. Counts are exact, so any change of them is a fact; times of two runs on a shared machine are
 * not, so they speak only from LIMIT on, and only when the rank-sum test of the rounds (corrected for the number of rows) agrees. What one
 * process has all the time, such as the place of its memory, no test inside a file can see: that is what LIMIT is for. When the
 * calibration loop ran at another speed as well, a difference must be LIMIT beyond that, too.
 */
import { UsageError } from "../host/lib/errors.ts";
import type { ResultFile, ResultRow } from "./result-file.ts";
import { roundMedians } from "./rounds.ts";
import { holm, rankSum, ratioOfMedians } from "./statistics.ts";

/** Smallest relative difference of times that counts between two runs. */
export const LIMIT = 0.15;
const ALPHA = 0.05;
/** A difference of the calibration loops that is worth a note. */
const NOTABLE = 0.05;

export type Verdict = "faster" | "slower" | "no evidence" | "only in first" | "only in second";

export interface CounterChange {
  readonly name: string;
  readonly before: number;
  readonly after: number;
}

export interface Comparison {
  readonly name: string;
  readonly verdict: Verdict;
  /** Time of the second / time of the first. */
  readonly ratio?: number;
  readonly low?: number;
  readonly high?: number;
  /** Corrected for the number of rows. */
  readonly p?: number;
  /** Cliff's delta: -1 every sample of the second is smaller, 1 every one is larger. */
  readonly effect?: number;
  readonly changed: readonly CounterChange[];
}

export interface CompareOptions {
  readonly otherMachine?: boolean;
  readonly otherBuild?: boolean;
}

const same = (a: object, b: object): boolean =>
  JSON.stringify(Object.entries(a).sort()) === JSON.stringify(Object.entries(b).sort());

/** @throws UsageError when the two runs cannot be compared. */
export function checkComparable(a: ResultFile, b: ResultFile, options: CompareOptions): void {
  const machine = (["cpu", "processors", "kernel", "node", "compiler"] as const).filter(
    (key) => a.environment[key] !== b.environment[key],
  );
  if (machine.length > 0 && !options.otherMachine) {
    const what = machine.map((key) => `${key} ${a.environment[key]} / ${b.environment[key]}`).join("; ");
    throw new UsageError(
      `measured on different machines (${what}): --other-machine compares all the same, its times mean little`,
    );
  }
  if (!same(a.build, b.build) && !options.otherBuild)
    throw new UsageError("measured with different builds: --other-build says that this is what you want to compare");
  for (const [which, file] of [
    ["first", a],
    ["second", b],
  ] as const)
    if (file.noise.verdict === "useless")
      throw new UsageError(`the ${which} run was so noisy that nothing can be said: measure again`);
}

function countersChanged(a: ResultRow, b: ResultRow): CounterChange[] {
  const names = [...new Set([...Object.keys(a.counters), ...Object.keys(b.counters)])].sort();
  return names
    .map((name) => ({ name, before: a.counters[name] ?? 0, after: b.counters[name] ?? 0 }))
    .filter(({ before, after }) => before * b.operations !== after * a.operations);
}

/** Speed of the calibration loop of the second run, as time of the second / time of the first. */
export function calibrationRatio(a: ResultFile, b: ResultFile): number {
  return ratioOfMedians(b.noise.calibrations, a.noise.calibrations).value;
}

const isBeyond = (ratio: number): boolean => Math.abs(ratio - 1) >= LIMIT;

export function compareResults(a: ResultFile, b: ResultFile, options: CompareOptions = {}): Comparison[] {
  checkComparable(a, b, options);
  const second = new Map(b.rows.map((row) => [row.name, row]));
  const both = a.rows.filter((row) => second.has(row.name));
  const tests = both.map((row) => rankSum(roundMedians(second.get(row.name)!), roundMedians(row)));
  const calibration = calibrationRatio(a, b);
  const corrected = holm(tests.map((test) => test.p));
  const compared = both.map((row, i): Comparison => {
    const other = second.get(row.name)!;
    const { value, low, high } = ratioOfMedians(roundMedians(other), roundMedians(row));
    const isSameWay = value > 1 === value / calibration > 1;
    const isDifferent =
      corrected[i]! < ALPHA && isBeyond(value) && isBeyond(value / calibration) && isSameWay && (low > 1 || high < 1);
    return {
      name: row.name,
      verdict: isDifferent ? (value > 1 ? "slower" : "faster") : "no evidence",
      ratio: value,
      low,
      high,
      p: corrected[i]!,
      effect: tests[i]!.delta,
      changed: countersChanged(row, other),
    };
  });
  const first = new Set(a.rows.map((row) => row.name));
  const alone = (row: ResultRow, verdict: Verdict): Comparison => ({ name: row.name, verdict, changed: [] });
  return [
    ...compared,
    ...a.rows.filter((row) => !second.has(row.name)).map((row) => alone(row, "only in first")),
    ...b.rows.filter((row) => !first.has(row.name)).map((row) => alone(row, "only in second")),
  ];
}

/** 1 when something got slower or counts more than before, 0 otherwise. */
export function gateOf(rows: readonly Comparison[]): 0 | 1 {
  return rows.some((row) => row.verdict === "slower" || row.changed.some(({ before, after }) => after > before))
    ? 1
    : 0;
}

/** What has to be known about the two runs before their times are believed; "" when there is nothing. */
export function caveats(a: ResultFile, b: ResultFile): string {
  const said: string[] = [];
  for (const [which, { noise }] of [
    ["first", a],
    ["second", b],
  ] as const)
    if (noise.verdict !== "steady")
      said.push(`the machine of the ${which} run changed its speed by ${(noise.spread * 100).toFixed(0)} % meanwhile`);
  const calibration = calibrationRatio(a, b);
  if (Math.abs(calibration - 1) > NOTABLE)
    said.push(`the calibration loop took ${calibration.toFixed(2)}x the time: a difference must be beyond that`);
  return said.map((line) => `note: ${line}\n`).join("");
}

export function comparisonText(rows: readonly Comparison[]): string {
  const width = Math.max(...rows.map((row) => row.name.length));
  const lines = rows.map((row) => {
    const times =
      row.ratio === undefined
        ? ""
        : `  ${row.ratio.toFixed(2)}x [${row.low!.toFixed(2)}..${row.high!.toFixed(2)}]  p ${row.p! < 0.001 ? "<0.001" : row.p!.toFixed(3)}  effect ${row.effect!.toFixed(2)}`;
    const counts = row.changed.map(
      ({ name, before, after }) => `\n  ${"".padEnd(width)}    counts: ${name} ${before} -> ${after}`,
    );
    return `  ${row.name.padEnd(width)}  ${row.verdict.padEnd(11)}${times}${counts.join("")}\n`;
  });
  return `time of the second / time of the first; a difference counts from ${LIMIT * 100} % on, counts always\n${lines.join("")}`;
}
