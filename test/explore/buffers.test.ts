/** The matrix of docs/hypercall-buffers.md comes out of the explorer; every property of it can be broken; and the study of where to bounce. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { costsOfDesigns } from "../../host/cli/buffers.ts";
import { main } from "../../host/cli/program.ts";
import { costsMarkdown } from "../../host/lib/buffers/where.ts";
import { COLUMNS, exploreCell, exploreMatrix } from "../../host/lib/process/matrix.ts";
import { matrixMarkdown } from "../../host/lib/process/matrix-text.ts";
import { STACK } from "../../host/lib/process/memory.ts";
import { type Strategy, strategyNamed } from "../../host/lib/process/strategies.ts";
import { ROOT } from "../../host/node/paths.ts";
import { raceBuild } from "./support.ts";

const page = readFileSync(join(ROOT, "docs/hypercall-buffers.md"), "utf8");
const between = (name: string): string => page.split(`<!-- ${name} -->\n`)[1]!.split("<!-- end -->")[0]!;
const matrix = exploreMatrix(raceBuild);
const broken = (strategy: string): string[] =>
  matrix.cells.filter((cell) => cell.strategy === strategy && !cell.holds).map((cell) => cell.column);

describe("the matrix", () => {
  it("is the one in the documentation", () => {
    expect(matrixMarkdown(matrix)).toBe(between("matrix"));
  });

  it("says what spec 07 section 7.5 expects", () => {
    expect(broken("mlock")).toEqual(expect.arrayContaining(["B-1 reclaim", "B-1 migrate", "B-1 fork", "B-2", "B-3"]));
    expect(broken("counted").filter((c) => c !== "B-6")).toEqual(["B-1 migrate", "B-1 fork", "B-1 ksm"]);
    expect(broken("pool")).toEqual(["B-1 migrate", "B-1 fork", "B-1 ksm"]);
    expect(broken("pool-touch")).toEqual(["B-1 migrate", "B-1 ksm"]);
    expect(broken("device")).toEqual([]);
    expect(broken("mixed")).toEqual(expect.arrayContaining(["B-1 reclaim", "B-3"]));
  });

  it("every property is broken by some strategy, B-4 by one that forgets to unlock", () => {
    for (const column of COLUMNS.filter((c) => c.name !== "B-4"))
      expect(matrix.cells.some((cell) => cell.column === column.name && !cell.holds)).toBe(true);
    const forgetful: Strategy = {
      name: "forgetful",
      text: "locks and never unlocks",
      plan: (v) => ({
        acquire: (x) => ({ ops: [v.mlock(STACK, x.name)], page: STACK, offset: x.offset }),
        release: () => [],
        close: () => [],
      }),
    };
    const cell = exploreCell(raceBuild, forgetful, COLUMNS.find((c) => c.name === "B-4")!);
    expect(cell).toMatchObject({ holds: false, message: expect.stringContaining("still locked") });
  });

  it("what breaks says which call failed on which page", () => {
    const cell = exploreCell(raceBuild, strategyNamed("one-level")!, COLUMNS[0]!);
    expect(cell.message).toBe("threadA makes the hypercall platform_parameters with D on the stack page: EFAULT");
  });
});

describe("where to bounce", () => {
  it("costs what the documentation says", () => {
    expect(costsMarkdown(costsOfDesigns(16))).toBe(between("where"));
  });

  it("each callee copies every byte twice, the whole batch none", () => {
    const [callee, caller, batch] = costsOfDesigns(4);
    expect(callee!.bytesCopied).toBeGreaterThanOrEqual(4 * 2 * 4096);
    expect(caller!.bytesCopied).toBeLessThan(4 * 2 * 200);
    expect([batch!.bytesCopied, batch!.traps]).toEqual([0, 1]);
  });
});

describe("the command", () => {
  async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
    const [out, err] = [[] as string[], [] as string[]];
    const [stdout, stderr] = [process.stdout.write, process.stderr.write];
    process.stdout.write = (text: string | Uint8Array) => out.push(String(text)) > 0;
    process.stderr.write = (text: string | Uint8Array) => err.push(String(text)) > 0;
    try {
      return { code: await main(args), out: out.join(""), err: err.join("") };
    } finally {
      process.stdout.write = stdout;
      process.stderr.write = stderr;
    }
  }

  it("prints one strategy, as text and as JSON", async () => {
    const { code, out } = await run("buffers", "matrix", "--strategy", "device");
    expect([code, out.split("\n")[1]!.split(/\s+/)]).toEqual([0, ["device", ...COLUMNS.map(() => "holds")]]);
    const json = JSON.parse((await run("buffers", "matrix", "--strategy", "device", "--json")).out);
    expect(json.cells).toHaveLength(COLUMNS.length);
  });

  it("names what is wrong", async () => {
    expect(await run("buffers", "matrix", "--strategy", "pol")).toMatchObject({
      code: 2,
      err: expect.stringContaining('unknown strategy "pol": use one of none, mlock'),
    });
    expect((await run("buffers", "where", "--batches", "0")).err).toContain("from 1 to 16");
    expect((await run("buffers", "wher")).code).toBe(2);
  });
});
