/** Compares what a guest printed on vmexit with what it printed on Xen, row by row, minus the listed differences. */
import { DIFFERENCES, type Difference, NO_ROW } from "./differences.ts";
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
  const got = byKey(vmexit.lines);
  for (const [key, want] of byKey(xen.lines)) {
    const line = got.get(key) ?? "(no such row)";
    got.delete(key);
    const difference = listed.find((d) => matches(d.xen, want));
    if (difference ? matches(difference.vmexit, line) : want === line) continue;
    problems.push(`Xen "${want}", ${difference ? `listed "${difference.vmexit}", ` : ""}vmexit "${line}"`);
  }
  for (const line of got.values()) {
    const isListed = listed.some((d) => (d.xen === NO_ROW || d.isOptional) && matches(d.vmexit, line));
    if (!isListed) problems.push(`vmexit only: ${line}`);
  }
  return problems;
}

/** Rows by what they check and, where a check is made several times, by how often it was made before. */
function byKey(lines: readonly string[]): Map<string, string> {
  const rows = new Map<string, string>();
  for (const line of lines) {
    const check = /^(\w+\|[^|]*\||[^=]*=)/.exec(line)?.[1] ?? line;
    let key = check;
    for (let n = 2; rows.has(key); n++) key = `${check} #${n}`;
    rows.set(key, line);
  }
  return rows;
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
    .filter((d) => d.xen !== NO_ROW && !d.isOptional && !xen.lines.some((line) => matches(d.xen, line)))
    .map((d) => String(d.xen));
}
