/** docs/api.md: every example runs, prints what its comments say, and has the types that the sources give. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { expect, it } from "vitest";
import { ROOT } from "../../host/node/paths.ts";

const page = readFileSync(join(ROOT, "docs/api.md"), "utf8");
const examples = [...page.matchAll(/^## (.*)$|^```ts\n([\s\S]*?)^```$/gm)].reduce<{ title: string; code: string }[]>(
  (found, [, title, code]) => {
    if (title !== undefined) found.push({ title, code: "" });
    else if (found.at(-1)!.code === "") found.at(-1)!.code = code!;
    else found.push({ title: `${found.at(-1)!.title}, continued`, code: code! });
    return found;
  },
  [],
);
const withCode = examples.filter(({ code }) => code !== "");

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor as new (
  ...parts: string[]
) => (...values: unknown[]) => Promise<void>;

/** Imports become calls, `using` a constant, and what only types need goes: this Node runs JavaScript. */
function runnable(code: string): string {
  return code
    .replace(/^import \{ (.*) \} from "(.*)";$/gm, 'const { $1 } = await load("$2");')
    .replace(/^using /gm, "const ")
    .replace(/([\])\w])!(?=[ .;,)[\]])/g, "$1");
}

it("has an example for every part", () => {
  expect(withCode.length).toBeGreaterThanOrEqual(8);
});

it.each(withCode)("$title", async ({ code }) => {
  const printed: string[] = [];
  const log = (...values: unknown[]): void => void printed.push(values.join(" "));
  const load = (path: string): Promise<unknown> => import(resolve(ROOT, "docs", path));
  await new AsyncFunction("load", "console", runnable(code))(load, { log });
  const promised = [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map((m) => m[1]!);
  expect(printed).toEqual(promised);
});

it("has the right types in every example", () => {
  const folder = mkdtempSync(join(ROOT, "docs/.examples-"));
  try {
    withCode.forEach(({ code }, i) => {
      writeFileSync(
        join(folder, `${i}.ts`),
        `${code.replaceAll('"../', '"../../').replaceAll('"./', '"../')}\nexport {};\n`,
      );
    });
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: "../../tsconfig.json", include: ["*.ts"], compilerOptions: { noEmit: true } }),
    );
    const { stdout, status } = spawnSync(
      process.execPath,
      [join(ROOT, "node_modules/typescript/bin/tsc"), "-p", folder],
      { encoding: "utf8" },
    );
    expect(stdout).toBe("");
    expect(status).toBe(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
