/** Every row of the specifications has a test, and docs/spec-rows-NN.md says which. VMEXIT_UPDATE=1 writes the pages. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { isTitled, unprovedBy } from "./collected.ts";
import { problemsOf, rowsPage, timesTitled } from "./rows.ts";
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

it("a title that is nobody's, several tests' or switched off, is seen", () => {
  const HERE = "spec/rows.test.ts";
  const problems = (title: string) => problemsOf({ row: "r", tests: [`${HERE}: ${title}`] });
  expect(problems("has a test for every row")).toEqual([`r: several tests "has a test for every row" in ${HERE}`]);
  expect(problems("what a run says about the rows")).toHaveLength(1); // the title of a describe
  expect(problems("./rows.ts")).toHaveLength(1); // a word in the text
  expect(problems("an each-title becomes its names")).toEqual([]);
  const titled = (text: string) => timesTitled(text, "t");
  expect([titled('it("t", f)'), titled('it.each([1])(\n  "t", f)'), titled('test("t", f); it("t", f)')]).toEqual([
    1, 1, 2,
  ]);
  expect([titled('it.skip("t", f)'), titled('it.todo("t")'), titled('describe("t", f)'), titled('x("t")')]).toEqual([
    0, 0, 0, 0,
  ]);
});

describe("what a run says about the rows", () => {
  const test = (name: string, state = "passed") => ({ name, fullName: `around > ${name}`, state });
  const run = (...tests: ReturnType<typeof test>[]) => new Map([["a.test.ts", tests]]);
  const rows = [{ row: "r", tests: ["a.test.ts: one", "b.test.ts: elsewhere"] }];

  it("an each-title becomes its names", () => {
    expect(["%s leaves 4", "x leaves %i", "$name leaves $of.it"].map((t) => isTitled("x leaves 4", t))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["%s keeps 4", "leaves 4", "x leaves 4 (%s)", "x.leaves 4"].some((t) => isTitled("x leaves 4", t))).toBe(
      false,
    );
  });

  it("passed is enough; other files are not judged", () => {
    expect(unprovedBy(run(test("one"), test("two", "failed")), rows)).toEqual([]);
  });

  it("not collected, skipped and failed are not", () => {
    expect(unprovedBy(run(test("two")), rows)).toEqual(['r: "a.test.ts: one" was not collected']);
    for (const state of ["skipped", "failed", "pending"])
      expect(unprovedBy(run(test("one", state)), rows)).toEqual([`r: "a.test.ts: one" has ${state}`]);
    expect(unprovedBy(run(test("one"), test("one", "skipped")), rows)).toHaveLength(1);
  });

  it("a race needs all tests of its own", () => {
    const race = [{ row: "r", tests: ["race: lost"] }];
    const of = (state: string) =>
      new Map([["explore/catalogue.test.ts", [{ name: "x", fullName: "lost > x", state }, test("y", "failed")]]]);
    expect(unprovedBy(of("passed"), race)).toEqual([]);
    expect(unprovedBy(of("skipped"), race)).toHaveLength(1);
  });
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
