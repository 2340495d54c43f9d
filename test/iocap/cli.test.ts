/** vmexit io: what it prints, its JSON, its exit codes and what it says about wrong usage. */
import { expect, it, vi } from "vitest";
import { main } from "../../host/cli/program.ts";

async function run(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const toOut = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const toErr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    return { code: await main(["io", ...args]), out, err };
  } finally {
    toOut.mockRestore();
    toErr.mockRestore();
  }
}

it("plays a scenario as JSON", async () => {
  const { code, out } = await run("IO-1", "--accountant", "on", "--json");
  const result = JSON.parse(out) as Record<string, unknown>;
  expect(code).toBe(0);
  expect(Object.keys(result)).toEqual(["scenario", "accountant", "steps", "violation", "expected", "ok"]);
  expect(result).toMatchObject({ scenario: "IO-1", accountant: true, violation: null, ok: true });
});

it("plays a scenario in words", async () => {
  const { code, out } = await run("io-6");
  expect([code, /IO-6: .*\(accountant off\)/.test(out), out.includes("BROKEN: dom0 and U both drive")]).toEqual([
    0,
    true,
    true,
  ]);
});

it("lists the scenarios", async () => {
  expect((await run()).out.match(/^IO-/gm)).toHaveLength(12);
  expect((JSON.parse((await run("--json")).out) as { scenarios: unknown[] }).scenarios).toHaveLength(12);
});

it("shows the ownership map", async () => {
  const { code, out } = await run("map", "--after", "IO-11", "--accountant", "on");
  expect([code, out.includes("in use by domain 1, mapped 1 time")]).toEqual([0, true]);
  expect(JSON.parse((await run("map", "--json")).out)).toMatchObject({ format: "vmexit-io-map", version: 1 });
});

it.each([
  [["IO-99"], /no scenario is called "IO-99": there are IO-1/],
  [["IO-1", "--accountant", "maybe"], /write on or off/],
  [["IO-1", "--remedy", "pray"], /use one of none, not-loaded/],
  [["IO-4", "--remedy", "unloaded"], /says nothing here/],
  [["map", "--rights", "/nowhere/rights.json"], /no such file/],
  [["map", "--rights", "x", "--after", "IO-1"], /choose one/],
])("%s is wrong usage", async (args, message) => {
  const { code, err } = await run(...args);
  expect([code, err]).toEqual([2, expect.stringMatching(message)]);
});
