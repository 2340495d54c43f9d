/** The README shows what commands print: every line of a block comes out of its command, in that order. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";

/** Every line of a README block is printed, in that order. */
function expectPrinted(shown: string, printed: readonly string[]): void {
  let from = 0;
  for (const line of shown.split("\n")) {
    if (line === "..." || line === "") continue;
    const at = printed.indexOf(line, from);
    expect(at, `not printed: ${line}`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
}

// Text, block, text, block ...
const PARTS = readFileSync(join(ROOT, "README.md"), "utf8").split(/^```.*\n/m);
const MAIN = join(ROOT, "dist/host/cli/main.js");

it("README.md shows what vmexit demo prints", () => {
  const shown = PARTS.find((part) => part.startsWith("# guest demo"))!;
  expectPrinted(shown, execFileSync(process.execPath, [MAIN, "demo"], { encoding: "utf8" }).split("\n"));
});

it("README.md shows what vmexit race ioreq-unmap-window prints", () => {
  const command = "$ npx vmexit race ioreq-unmap-window\n";
  const shown = PARTS.find((part) => part.startsWith(command))!.slice(command.length);
  const folder = mkdtempSync(join(tmpdir(), "vmexit-readme-"));
  const { stdout, status } = spawnSync(process.execPath, [MAIN, "race", "ioreq-unmap-window"], {
    cwd: folder,
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true });
  expect(status).toBe(1);
  expectPrinted(shown, stdout.split("\n"));
});
