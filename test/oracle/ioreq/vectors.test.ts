/**
 * Era 4.17 asks its device model for what a real Xen 4.17 asked it for, and leaves the same registers and memory, row by row
 * (recorded/ioreq-vectors.tsv); the bugs N-1 to N-5 of that Xen included.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../../host/node/paths.ts";
import { compareRows } from "./compare.ts";
import { ioreqPage } from "./page.ts";
import { readRecordedTests } from "./record.ts";
import { play } from "./scenario.ts";
import { ScenarioWorld } from "./world.ts";

describe("the recorded ioreq scenario", () => {
  const tests = readRecordedTests();
  const result = compareRows(tests, play(new ScenarioWorld(), tests));

  it("has every recorded row, but for the listed differences", () => {
    expect(result.problems).toEqual([]);
    expect(result.total).toBe(411);
  });

  it("has no stale entry in its list of differences", () => {
    expect(result.stale).toEqual([]);
  });

  it("agrees in at least 95 of 100 rows", () => {
    expect(result.equal / result.total).toBeGreaterThanOrEqual(0.95);
  });

  it("docs/ioreq-differences.md says so (VMEXIT_UPDATE=1 writes it)", () => {
    const file = join(ROOT, "docs", "ioreq-differences.md");
    if (process.env.VMEXIT_UPDATE) writeFileSync(file, ioreqPage(result));
    expect(readFileSync(file, "utf8")).toBe(ioreqPage(result));
  });
});
