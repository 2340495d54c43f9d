/** Every assert site of the core has a sentence, and no number is used twice. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ASSERT_SITES } from "../../host/lib/assert-sites.ts";
import { ROOT } from "../../host/node/paths.ts";

it("sites in hv-core and sentences in the host are the same", () => {
  const sites: number[] = [];
  for (const entry of readdirSync(join(ROOT, "hv-core"), { withFileTypes: true, recursive: true })) {
    if (!entry.name.endsWith(".ts")) continue;
    const text = readFileSync(join(entry.parentPath, entry.name), "utf8");
    for (const match of text.matchAll(/const SITE_\w+: u32 = (\d+)/g)) sites.push(Number(match[1]));
  }
  expect(sites.sort((a, b) => a - b)).toEqual([...ASSERT_SITES].sort((a, b) => a - b));
});
