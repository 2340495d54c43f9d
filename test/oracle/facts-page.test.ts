/** docs/facts-differences.md is what the list of differences says. VMEXIT_UPDATE=1 writes it. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";
import { factsPage } from "./facts-page.ts";

it("the page shows the list", () => {
  const file = join(ROOT, "docs", "facts-differences.md");
  if (process.env.VMEXIT_UPDATE) writeFileSync(file, factsPage());
  expect(readFileSync(file, "utf8")).toBe(factsPage());
});
