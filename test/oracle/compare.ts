/** Compares what a guest printed on vmexit with what it printed on Xen, row by row, minus the listed differences. */
import { DIFFERENCES, type Difference } from "./differences.ts";
import { FACT_DIFFERENCES } from "./facts-differences.ts";
import type { OracleGuest, Recording } from "./guests.ts";

/** All listed differences of one guest. */
export function differencesOf(guest: string): readonly Difference[] {
  return guest === "probe-facts" ? FACT_DIFFERENCES : DIFFERENCES.filter((d) => d.guest === guest);
}

const matches = (pattern: string | RegExp, line: string): boolean =>
  typeof pattern === "string" ? pattern === line : pattern.test(line);

/** One sentence per row that is not as it should be; empty = equal. */
export function compareRecordings(guest: OracleGuest, xen: Recording, vmexit: Recording): string[] {
  const problems: string[] = [];
  if (xen.end !== vmexit.end) problems.push(`end: Xen "${xen.end}", vmexit "${vmexit.end}"`);
  if (guest.isSubset) return [...problems, ...missingLines(xen.lines, vmexit.lines)];
  const listed = differencesOf(guest.name);
  const count = Math.max(xen.lines.length, vmexit.lines.length);
  for (let i = 0; i < count; i++) {
    const want = xen.lines[i];
    const got = vmexit.lines[i];
    if (want === undefined || got === undefined) {
      problems.push(`row ${i + 1}: ${want === undefined ? `vmexit only: ${got}` : `Xen only: ${want}`}`);
      continue;
    }
    const difference = listed.find((d) => matches(d.xen, want));
    if (difference ? !matches(difference.vmexit, got) : want !== got) {
      problems.push(
        `row ${i + 1}: Xen "${want}", ${difference ? `listed "${difference.vmexit}", ` : ""}vmexit "${got}"`,
      );
    }
  }
  return problems;
}

/** Lines of `wanted` that do not occur in `lines` in this order. */
function missingLines(wanted: readonly string[], lines: readonly string[]): string[] {
  let at = 0;
  return wanted.flatMap((line) => {
    const found = lines.indexOf(line, at);
    if (found < 0) return [`missing: ${line}`];
    at = found + 1;
    return [];
  });
}

/** Listed differences that fit no recorded row: the list is stale. */
export function staleDifferences(guest: OracleGuest, xen: Recording): string[] {
  return differencesOf(guest.name)
    .filter((d) => !xen.lines.some((line) => matches(d.xen, line)))
    .map((d) => String(d.xen));
}
