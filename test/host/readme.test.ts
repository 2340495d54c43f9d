/** The README shows what commands print: `vmexit demo` line by line in that order, and whole what stands under a "$ npx vmexit ...". */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";

const parts = readFileSync(join(ROOT, "README.md"), "utf8").split(/^```.*\n/m); // text, block, text, block ...
const PROMPT = "$ npx vmexit ";
const vmexit = (...args: string[]): string =>
  execFileSync(process.execPath, [join(ROOT, "dist/host/cli/main.js"), ...args], { encoding: "utf8" });

it("README.md shows what vmexit demo prints", () => {
  const shown = parts.find((part) => part.startsWith("# guest demo"))!;
  const printed = vmexit("demo").split("\n");
  let from = 0;
  for (const line of shown.split("\n")) {
    if (line === "..." || line === "") continue;
    const at = printed.indexOf(line, from);
    expect(at, `the demo does not print: ${line}`).toBeGreaterThanOrEqual(from);
    from = at + 1;
  }
});

const sessions = parts
  .filter((part) => part.startsWith(PROMPT))
  .map((part) => {
    const end = part.indexOf("\n");
    return [part.slice(PROMPT.length, end), part.slice(end + 1)] as const;
  });

it("README.md shows a walk and a map", () => {
  expect(sessions.map(([command]) => command.split(" ")[0])).toEqual(expect.arrayContaining(["walk", "p2m"]));
});

it.each(sessions)("README.md shows what vmexit %s prints", (command, output) => {
  expect(vmexit(...command.split(" "))).toBe(output);
});

it("README.md lists no command twice", () => {
  const listed = parts.flatMap((part) => part.split("\n")).filter((line) => /^npx vmexit /.test(line));
  const commands = listed.map((line) => line.replace(/\s+#.*/, ""));
  expect(commands.filter((command, i) => commands.indexOf(command) !== i)).toEqual([]);
});
