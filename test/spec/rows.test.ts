/** Every row of the specification has a test, and docs/spec-rows-03.md says which. VMEXIT_UPDATE=1 writes the page. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { problemsOf, rowsPage } from "./rows.ts";
import { ROWS_03 } from "./rows-03.ts";

describe("spec 03, ioreq servers", () => {
  it("has a test for every row", () => {
    expect(ROWS_03.flatMap(problemsOf)).toEqual([]);
  });

  it("is what the page says", () => {
    const file = join(ROOT, "docs", "spec-rows-03.md");
    const page = rowsPage("Spec 03: ioreq servers, row by row", ROWS_03);
    if (process.env.VMEXIT_UPDATE) writeFileSync(file, page);
    expect(readFileSync(file, "utf8")).toBe(page);
  });
});
