/** The README shows what the first command prints: every line of its block comes out of `vmexit demo`, in that order. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";

it("README.md shows what vmexit demo prints", () => {
  const parts = readFileSync(join(ROOT, "README.md"), "utf8").split(/^```.*\n/m); // text, block, text, block ...
  const shown = parts.find((part) => part.startsWith("# guest demo"))!;
  const printed = execFileSync(process.execPath, [join(ROOT, "dist/host/cli/main.js"), "demo"], {
    encoding: "utf8",
  }).split("\n");
  let from = 0;
  for (const line of shown.split("\n")) {
    if (line === "..." || line === "") continue;
    const at = printed.indexOf(line, from);
    expect(at, `the demo does not print: ${line}`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
});
