/** Every row of the specifications has a test, and docs/spec-rows-NN.md says which. VMEXIT_UPDATE=1 writes the pages. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { problemsOf, rowsPage } from "./rows.ts";
import { ROWS_01 } from "./rows-01.ts";
import { ROWS_02 } from "./rows-02.ts";
import { ROWS_03 } from "./rows-03.ts";

describe.each([
  ["01", "the p2m", ROWS_01],
  ["02", "EPT violations and misconfigurations", ROWS_02],
  ["03", "ioreq servers", ROWS_03],
] as const)("spec %s, %s", (number, subject, rows) => {
  it("has a test for every row", () => {
    expect(rows.flatMap(problemsOf)).toEqual([]);
  });

  it("has no row twice", () => {
    expect(rows.map((r) => r.row).filter((text, i, all) => all.indexOf(text) !== i)).toEqual([]);
  });

  it("is what the page says", () => {
    const file = join(ROOT, "docs", `spec-rows-${number}.md`);
    const page = rowsPage(`Spec ${number}: ${subject}, row by row`, rows);
    if (process.env.VMEXIT_UPDATE) writeFileSync(file, page);
    expect(readFileSync(file, "utf8")).toBe(page);
  });
});

it("a row without a test, or with one that is not there, is seen", () => {
  const problems = (...tests: string[]) => problemsOf({ row: "r", tests });
  expect(problems()).toEqual(["r: no test"]);
  for (const wrong of ["hv/p2m.test.ts: never written", "hv/no-such.test.ts: x", "recorded: never asked", "race: none"])
    expect(problems(wrong)).toHaveLength(1);
  expect(problemsOf({ row: "r", tests: [], missing: "a reason" })).toEqual([]);
});
