/**
 * What a run of the bench leaves behind: one JSON object, complete or not there (written beside its name, then renamed).
 *
 *   {format, version, rows: [{name, unit, median, mad, samples, counters, vsNative?}], environment, knobs, build, noise, timer}
 */
import { renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { UsageError } from "../host/lib/errors.ts";
import type { Noise, TimerFacts } from "./calibration.ts";
import type { Environment } from "./environment.ts";
import type { Table } from "./report.ts";
import { ratioOf, roundMedians } from "./rounds.ts";
import { type Ratio, summarize } from "./statistics.ts";

export const FORMAT = "vmexit-bench";
export const VERSION = 3;

export interface ResultRow {
  /** "suite: row". */
  readonly name: string;
  /** Unit of median, mad and samples: always nanoseconds for one operation. */
  readonly unit: "ns";
  readonly median: number;
  readonly mad: number;
  readonly samples: readonly number[];
  /** How many of the samples each round gave, in order; median and mad are those of the rounds' medians. */
  readonly perRound: readonly number[];
  /** What the core counted in one call; exact, the same on every machine. */
  readonly counters: Readonly<Record<string, number>>;
  /** Operations in that call. */
  readonly operations: number;
  /** Time of ours / time of the same in C -O2. */
  readonly vsNative?: { readonly ratio: number; readonly low: number; readonly high: number };
}

export interface ResultFile {
  readonly format: typeof FORMAT;
  readonly version: typeof VERSION;
  readonly rows: readonly ResultRow[];
  readonly environment: Environment;
  /** Knobs that differ from the defaults. */
  readonly knobs: Readonly<Record<string, number>>;
  /** First 16 digits of SHA-256 of each build that was measured. */
  readonly build: Readonly<Record<string, string>>;
  readonly noise: Noise;
  readonly timer: TimerFacts;
}

const plain = ({ value, low, high }: Ratio) => ({ ratio: value, low, high });

/** The rows of a table under the name of their suite. Rows of native programs are named after the row they belong to. */
export function rowsOf(suite: string, table: Table): ResultRow[] {
  const rows: ResultRow[] = [];
  const used = new Set<string>();
  let last = "";
  for (const { measurement, against } of table.rows) {
    const own = measurement.isNative ? `${last}, ${measurement.name}` : measurement.name;
    if (!measurement.isNative) last = measurement.name;
    let name = `${suite}: ${own}`;
    for (let i = 2; used.has(name); i++) name = `${suite}: ${own} (${i})`;
    used.add(name);
    const { median, mad } = summarize(roundMedians(measurement));
    rows.push({
      name,
      unit: "ns",
      median,
      mad,
      samples: measurement.samples,
      perRound: measurement.perRound ?? measurement.samples.map(() => 1),
      counters: measurement.counters ?? {},
      operations: measurement.operations ?? 1,
      ...(against?.isNative ? { vsNative: plain(ratioOf(measurement, against)) } : {}),
    });
  }
  return rows;
}

const isSpecial = (file: string): boolean => {
  const found = statSync(file, { throwIfNoEntry: false });
  return found !== undefined && !found.isFile() && !found.isDirectory();
};

/** Whether files can be written, before hours are spent on what goes into them. @throws UsageError */
export function checkWritable(...files: readonly (string | undefined)[]): void {
  for (const file of files) {
    if (file === undefined || isSpecial(file)) continue;
    const beside = `${file}.${process.pid}.part`;
    try {
      writeFileSync(beside, "");
      rmSync(beside);
    } catch (cause) {
      throw new UsageError(`cannot write ${file}: ${(cause as Error).message}`, { cause });
    }
  }
}

/** Writes the whole text or nothing. @throws UsageError */
export function writeWhole(file: string, text: string): void {
  // A device or a pipe is written to; a rename would put a file in its place.
  if (isSpecial(file)) {
    writeFileSync(file, text);
    return;
  }
  const beside = `${file}.${process.pid}.part`;
  try {
    writeFileSync(beside, text);
    renameSync(beside, file);
  } catch (cause) {
    rmSync(beside, { force: true });
    throw new UsageError(`cannot write ${file}: ${(cause as Error).message}`, { cause });
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isRow = (value: unknown): value is ResultRow =>
  isRecord(value) &&
  typeof value.name === "string" &&
  typeof value.median === "number" &&
  value.median > 0 &&
  Array.isArray(value.samples) &&
  value.samples.length > 0 &&
  value.samples.every((sample) => typeof sample === "number" && sample > 0 && Number.isFinite(sample)) &&
  Array.isArray(value.perRound) &&
  value.perRound.every((count) => Number.isInteger(count) && count >= 0) &&
  value.perRound.reduce((sum: number, count: number) => sum + count, 0) === value.samples.length &&
  isRecord(value.counters) &&
  Object.values(value.counters).every((n) => typeof n === "number");

/** @throws UsageError that says what the file is instead. */
export function parseResult(text: string, file: string): ResultFile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new UsageError(`${file} is no JSON (cut off?): make it again with npm run bench -- --json ${file}`, {
      cause,
    });
  }
  if (!isRecord(value) || value.format !== FORMAT)
    throw new UsageError(`${file} is no result of the bench: make one with npm run bench -- --json FILE`);
  if (value.version !== VERSION)
    throw new UsageError(
      `${file} has version ${String(value.version)} of the format, this vmexit reads ${VERSION}: measure again`,
    );
  if (!Array.isArray(value.rows) || !value.rows.every(isRow) || value.rows.length === 0)
    throw new UsageError(`${file} has no rows, or rows without samples: measure again`);
  if (!isRecord(value.environment) || !isRecord(value.build) || !isRecord(value.knobs) || !isRecord(value.noise))
    throw new UsageError(`${file} does not say on what it was measured: measure again`);
  return value as unknown as ResultFile;
}
