/** The recorded answers of a real Xen 4.17 to its dom0, put to vmexit in the same order. VMEXIT_UPDATE=1 writes the page. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { reasonFor } from "./dom0/differences.ts";
import { compareRows, differencesPage } from "./dom0/page.ts";

const rows = compareRows();

it("every row is equal or has a reason", () => {
  const unexplained = rows.filter((r) => !r.isEqual && reasonFor(r.recorded.id) === undefined);
  expect(unexplained.map((r) => [r.recorded.id, r.recorded, r.answered])).toEqual([]);
});

it("no reason outlives its difference", () => {
  const stale = rows.filter((r) => r.isEqual && reasonFor(r.recorded.id) !== undefined);
  expect(stale.map((r) => r.recorded.id)).toEqual([]);
});

it("the page shows the list", () => {
  const file = join(ROOT, "docs", "dom0-differences.md");
  const page = differencesPage(rows);
  if (process.env.VMEXIT_UPDATE) writeFileSync(file, page);
  expect(readFileSync(file, "utf8")).toBe(page);
});
