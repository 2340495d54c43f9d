/** Every row of the specifications has a test, and docs/spec-rows-NN.md says which. VMEXIT_UPDATE=1 writes the pages. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { problemsOf, rowsPage } from "./rows.ts";
import { ROWS_01 } from "./rows-01.ts";
import { ROWS_02 } from "./rows-02.ts";
import { ROWS_03 } from "./rows-03.ts";
import { ROWS_04 } from "./rows-04.ts";
import { ROWS_04_SHARING } from "./rows-04-sharing.ts";
import { ROWS_05 } from "./rows-05.ts";
import { ROWS_06 } from "./rows-06.ts";
import { ROWS_07 } from "./rows-07.ts";
import { ROWS_08_GRANTS } from "./rows-08-grants.ts";

describe.each([
  ["01", "the p2m", ROWS_01],
  ["02", "EPT violations and misconfigurations", ROWS_02],
  ["03", "ioreq servers", ROWS_03],
  ["05", "domctls and XSM", ROWS_05],
  ["07", "hypercall buffers", ROWS_07],
  ["04-sharing", "memory sharing", ROWS_04_SHARING],
  ["06", "I/O capabilities and the accountant", ROWS_06],
  ["08-grants", "section 8.6, grant tables", ROWS_08_GRANTS],
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

describe("spec 04, ring pages, paging, access and vm_event", () => {
  it("has a test for every row", () => {
    expect(ROWS_04.flatMap(problemsOf)).toEqual([]);
  });

  it("is what the page says", () => {
    const file = join(ROOT, "docs", "spec-rows-04-events.md");
    const page = rowsPage(
      "Spec 04, sections 4.3 to 4.6: ring pages, paging, page access, vm_event, row by row",
      ROWS_04,
    );
    if (process.env.VMEXIT_UPDATE) writeFileSync(file, page);
    expect(readFileSync(file, "utf8")).toBe(page);
  });
});
