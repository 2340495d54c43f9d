/**
 * What a run of vitest says about the rows: a reference counts only when its test was collected, ran and passed. Only files that were part
 * of the run are judged; pure functions, so that the check itself is tested (rows.test.ts). Used by check-run.ts.
 */
import type { SpecRow } from "./rows.ts";

/** A test as vitest collected it. */
export interface CollectedTest {
  /** Title with its values filled in. */
  readonly name: string;
  /** Titles of the describes around it and its own. */
  readonly fullName: string;
  readonly state: string;
}

/** The tests of each file of the run, by its path under test/. */
export type Collected = ReadonlyMap<string, readonly CollectedTest[]>;

const PLACEHOLDER = /%[sdifjoOc#$%]|\$[\w.]+/g;

/** Whether `name` is what the title `template` of an `it` or `it.each` becomes. */
export function isTitled(name: string, template: string): boolean {
  if (name === template) return true;
  const parts = template.split(PLACEHOLDER).map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return parts.length > 1 && new RegExp(`^${parts.join(".*")}$`, "s").test(name);
}

/** Where the tests of a kind of reference are: its file, and which of that file's tests they are. */
function placeOf(where: string, what: string): [file: string, belongs: (test: CollectedTest) => boolean] {
  if (where === "race") return ["explore/catalogue.test.ts", ({ fullName }) => fullName.startsWith(`${what} > `)];
  if (where === "recorded") return ["oracle/ioreq/dm-op-vectors.test.ts", () => true];
  if (where === "dom0") return ["oracle/dom0-vectors.test.ts", () => true];
  if (where.startsWith("oracle/dom0/")) return ["oracle/dom0-vectors.test.ts", () => true];
  return [where, ({ name }) => isTitled(name, what)];
}

/** What the run does not bear out, in sentences. */
export function unprovedBy(collected: Collected, rows: readonly SpecRow[]): string[] {
  const problems = new Set<string>();
  for (const { row, tests } of rows) {
    for (const reference of tests) {
      const at = reference.indexOf(": ");
      const [file, belongs] = placeOf(reference.slice(0, at), reference.slice(at + 2));
      const inFile = collected.get(file);
      if (!inFile) continue;
      const found = inFile.filter(belongs);
      if (found.length === 0) problems.add(`${row}: "${reference}" was not collected`);
      const bad = found.find(({ state }) => state !== "passed");
      if (bad) problems.add(`${row}: "${reference}" has ${bad.state}`);
    }
  }
  return [...problems];
}
