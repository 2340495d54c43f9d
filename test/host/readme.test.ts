/**
 * The README shows what commands print: `vmexit demo` and `vmexit race` line by line in that order ("..." and empty lines stand for what is
 * left out), and whole what stands under any other "$ npx vmexit ...".
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { ROOT } from "../../host/node/paths.ts";

const parts = readFileSync(join(ROOT, "README.md"), "utf8").split(/^```.*\n/m); // text, block, text, block ...
const PROMPT = "$ npx vmexit ";

/** Runs a command in a folder of its own, because a race leaves its schedule there. */
function vmexit(...args: string[]): { readonly out: string; readonly code: number | null } {
  const folder = mkdtempSync(join(tmpdir(), "vmexit-readme-"));
  const { stdout, status } = spawnSync(process.execPath, [join(ROOT, "dist/host/cli/main.js"), ...args], {
    cwd: folder,
    encoding: "utf8",
  });
  rmSync(folder, { recursive: true });
  return { out: stdout, code: status };
}

function expectPrinted(shown: string, out: string): void {
  const printed = out.split("\n");
  let from = 0;
  for (const line of shown.split("\n")) {
    if (line === "..." || line === "") continue;
    const at = printed.indexOf(line, from);
    expect(at, `not printed: ${line}`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
}

it("README.md shows what vmexit demo prints", () => {
  expectPrinted(parts.find((part) => part.startsWith("# guest demo"))!, vmexit("demo").out);
});

const sessions = parts
  .filter((part) => part.startsWith(PROMPT))
  .map((part) => {
    const end = part.indexOf("\n");
    return [part.slice(PROMPT.length, end), part.slice(end + 1)] as const;
  });
const isRace = ([command]: readonly [string, string]): boolean => command.startsWith("race ");

it("README.md shows a walk, a map and a race", () => {
  expect(sessions.map(([command]) => command.split(" ")[0])).toEqual(expect.arrayContaining(["walk", "p2m", "race"]));
});

it.each(sessions.filter(isRace))("README.md shows what vmexit %s prints, and it is a violation", (command, output) => {
  const { out, code } = vmexit(...command.split(" "));
  expectPrinted(output, out);
  expect(code).toBe(1);
});

it.each(sessions.filter((session) => !isRace(session)))("README.md shows what vmexit %s prints", (command, output) => {
  expect(vmexit(...command.split(" ")).out).toBe(output);
});

it("README.md lists no command twice", () => {
  const listed = parts.flatMap((part) => part.split("\n")).filter((line) => /^npx vmexit /.test(line));
  const commands = listed.map((line) => line.replace(/\s+#.*/, ""));
  expect(commands.filter((command, i) => commands.indexOf(command) !== i)).toEqual([]);
});

it("counts the races as they are", () => {
  const variants = RACES.reduce((count, race) => count + Object.keys(race.variants).length, 0);
  expect(readFileSync(join(ROOT, "README.md"), "utf8")).toContain(
    `${RACES.length} races of the catalogue in ${variants} variants`,
  );
});
