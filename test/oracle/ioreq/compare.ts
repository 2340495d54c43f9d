/** Compares the rows of the scenario on vmexit with the recorded ones, test by test and row by row. */
import { IOREQ_DIFFERENCES, TIMING } from "./differences.ts";
import type { RecordedTest } from "./record.ts";

export interface Comparison {
  readonly total: number;
  readonly equal: number;
  /** Rows that differ and are not listed; rows that only one side has. */
  readonly problems: readonly string[];
  /** Listed differences that no row needs any more. */
  readonly stale: readonly string[];
}

function plain(test: string, row: string): string {
  return TIMING.filter((t) => t.test.test(test)).reduce((text, t) => text.replace(t.part, "*"), row);
}

/** @param got rows in the recording's order; a test ends with its result row, or with its only request. */
export function compareRows(tests: readonly RecordedTest[], got: readonly string[]): Comparison {
  const used = new Set<number>();
  const problems: string[] = [];
  let total = 0;
  let equal = 0;
  let at = 0;
  for (const { name, rows } of tests) {
    const here: string[] = [];
    while (at < got.length && got[at]!.startsWith(`${name}\t`)) {
      here.push(got[at++]!);
      if (here.at(-1)!.includes("\tresult\t")) break;
    }
    const isListed = (row: string): boolean => {
      const index = IOREQ_DIFFERENCES.findIndex((d) => d.test.test(name) && (d.row?.test(row) ?? true));
      if (index >= 0) used.add(index);
      return index >= 0;
    };
    const kind = (row: string): string => row.split("\t").slice(2, 3).join();
    for (const [i, row] of rows.entries()) {
      total++;
      const mine = kind(row) === "result" ? here.find((r) => kind(r) === "result") : here[i];
      if (mine !== undefined && plain(name, mine) === plain(name, row)) equal++;
      else if (!isListed(row)) problems.push(`Xen    ${row}\nvmexit ${mine ?? "(no such row)"}`);
    }
    for (const row of here.slice(rows.length)) if (!isListed(row)) problems.push(`vmexit only: ${row}`);
  }
  for (const row of got.slice(at)) problems.push(`vmexit only: ${row}`);
  const stale = IOREQ_DIFFERENCES.filter((_, i) => !used.has(i)).map((d) => String(d.test));
  return { total, equal, problems, stale };
}
