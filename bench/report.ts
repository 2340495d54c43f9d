/** Prints measurements as tables: a rate, its spread, and the ratio to the row it is compared with. */
import { type Goal, goalText } from "./goal.ts";
import type { Measurement } from "./harness.ts";
import { ratioOf, roundMedians } from "./rounds.ts";
import { summarize } from "./statistics.ts";

export interface Row {
  readonly measurement: Measurement;
  /** "MIPS", "M/s": the rate is operations per second / 1e6; "ns": nanoseconds for one operation. */
  readonly unit: "MIPS" | "M/s" | "ns";
  /** The row this one is compared with. */
  readonly against?: Measurement;
  /** What the project promises. */
  readonly goal?: Goal;
  /** What the project aims at, in words. */
  readonly aim?: string;
  readonly note?: string;
}

export interface Table {
  readonly title: string;
  readonly rows: readonly Row[];
  /** Lines below the table: figures of other programs for scale, or why something was skipped. */
  readonly notes?: readonly string[];
}

const HEAD = ["", "value", "spread", "ratio", "", "aim"];

export function tableText(table: Table): string {
  const missed: string[] = [];
  const cells = table.rows.map((row) => {
    const { median, mad } = summarize(roundMedians(row.measurement));
    const rate = row.unit === "ns" ? median : 1000 / median;
    const digits = rate >= 100 ? 0 : rate >= 10 ? 1 : 2;
    const ratio = row.against ? ratioOf(row.measurement, row.against) : null;
    const goal = row.goal ? goalText(row.measurement.name, row.goal, ratio) : undefined;
    if (goal?.note) missed.push(goal.note);
    return [
      row.measurement.name,
      `${rate.toFixed(digits)} ${row.unit}`,
      `±${((mad / median) * 100).toFixed(1)} %`,
      ratio ? `${ratio.value.toFixed(2)}x time of ${row.against!.name}` : "",
      ratio ? `[${ratio.low.toFixed(2)}..${ratio.high.toFixed(2)}]` : "",
      goal?.cell ?? row.aim ?? row.note ?? "",
    ];
  });
  const all = [HEAD, ...cells];
  const widths = HEAD.map((_, column) => Math.max(...all.map((line) => line[column]!.length)));
  const lines = cells.map((line) =>
    `  ${line.map((cell, i) => (i === 1 ? cell.padStart(widths[i]!) : cell.padEnd(widths[i]!))).join("  ")}`.trimEnd(),
  );
  return [table.title, ...lines, ...[...missed, ...(table.notes ?? [])].map((note) => `  ${note}`)].join("\n");
}
