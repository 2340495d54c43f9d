/** vmexit pager: a guest's pages go to a file and come back, the pager is killed, and the guest does not notice. */
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it, vi } from "vitest";
import { main } from "../../host/cli/program.ts";
import { ROOT } from "../../host/node/paths.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-pager-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function vmexit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    return { code: await main(args), out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

const GUEST = "hello";
const expected = (JSON.parse(readFileSync(join(ROOT, "guests", GUEST, "expect.json"), "utf8")) as { console: string })
  .console;
const ARGS = ["pager", GUEST, "--memory", "4M", "--slice", "50", "--batch", "30"];

interface Report {
  readonly format: string;
  readonly outcome: string;
  readonly console: string;
  readonly evicted: number;
  readonly loaded: number;
  readonly steps: number;
  readonly killedBefore?: string;
}
const json = async (...args: string[]): Promise<Report> =>
  JSON.parse((await vmexit(...ARGS, ...args, "--json")).out) as Report;

it("pages go and come, in memory and in a file, and the guest says what it always says", async () => {
  const inMemory = await json();
  expect(inMemory).toMatchObject({ format: "vmexit-pager", outcome: "poweroff", console: expected });
  expect(inMemory.evicted).toBeGreaterThan(100);
  expect(inMemory.loaded).toBeGreaterThan(0);
  const file = join(folder, "pages");
  expect(await json("--file", file)).toEqual(inMemory);
  expect(statSync(file).size).toBeGreaterThan(100 * 4096);
});

it("killed before a step, another pager takes over; a step that is never reached is told", async () => {
  const { steps } = await json();
  for (const at of [Math.floor(steps / 2), steps - 1]) {
    const report = await json("--kill-at", String(at), "--file", join(folder, `killed-${at}`));
    expect([report.outcome, report.console, report.killedBefore === undefined]).toEqual(["poweroff", expected, false]);
  }
  const never = await vmexit(...ARGS, "--kill-at", "100000000");
  expect(never.err).toMatch(/took only [\d,]+ steps, so it was not killed/);
});

it("prints what happened, with a live line on standard error", async () => {
  const { code, out, err } = await vmexit(...ARGS);
  expect(code).toBe(0);
  expect(out).toMatch(/pages evicted, [\d,]+ loaded/);
  expect(out).toContain("the guest ended: poweroff");
  expect(err).toMatch(/instructions; [\d,]+ of [\d,]+ pages out/);
});

it("says what is wrong: another run's file, numbers", async () => {
  const file = join(folder, "pages");
  expect(await vmexit(...ARGS, "--file", file)).toMatchObject({ code: 2 });
  expect((await vmexit(...ARGS, "--file", file)).err).toMatch(/does not hold the pages of .*: remove it/);
  expect((await vmexit("pager", GUEST, "--batch", "no")).code).toBe(2);
});
