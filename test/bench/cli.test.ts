/** Bad input of bench and study: clear words, an exit code, and no half-written file. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { noiseOf } from "../../bench/calibration.ts";
import { FORMAT, type ResultFile, VERSION } from "../../bench/result-file.ts";
import { main } from "../../host/cli/program.ts";

const folder = mkdtempSync(join(tmpdir(), "vmexit-bench-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

async function vmexit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let [out, err] = ["", ""];
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

afterEach(() => expect(readdirSync(folder).filter((name) => name.endsWith(".part"))).toEqual([]));

function result(change: Partial<ResultFile> = {}): ResultFile {
  return {
    format: FORMAT,
    version: VERSION,
    rows: [
      {
        name: "walk: x",
        unit: "ns",
        median: 5,
        mad: 0,
        samples: [5, 5, 5, 5, 5, 5, 5, 5, 5],
        perRound: [1, 1, 1, 1, 1, 1, 1, 1, 1],
        counters: { eptWalks: 3 },
        operations: 1,
      },
    ],
    environment: { cpu: "A", processors: 2, memoryGiB: 8, kernel: "k", node: "n", v8: "v", compiler: null },
    knobs: {},
    build: { silicon: "aa" },
    noise: noiseOf([1, 1]),
    timer: { resolution: 1, call: 1 },
    ...change,
  };
}

const file = (name: string, content: unknown): string => {
  const path = join(folder, name);
  writeFileSync(path, typeof content === "string" ? content : JSON.stringify(content));
  return path;
};

describe("names", () => {
  it.each([
    [["bench", "run", "wlak"], /no suite is called "wlak": did you mean "walk"\?/],
    [["bench", "run", "nothing-like-it"], /there are guest-mips, io/],
    [["bench", "growth", "slect"], /no suite that can be swept is called "slect": did you mean "select"\?/],
    [["bench", "growth", "explorer"], /no suite that can be swept is called "explorer"/],
    [["bench", "ab", "default", "tlb.entires=64"], /tlb\.entires.*tlb\.entries/],
    [["bench", "ab", "default", "tlb.entries"], /is no design: write name=value \(tlb\.entries=\.\.\.\)/],
    [["bench", "ab", "default", "tlb.entries=65"], /tlb\.entries/],
    [["bench", "ab", "default", "unmap=mergd"], /merged/],
    [["bench", "ab", "default", "default", "--workload", "MMIO stroe, core"], /did you mean "MMIO store, core"\?/],
    [["bench", "ab", "default", join(folder, "none.wasm")], /none\.wasm/],
    [["bench", "ab", "default"], /bench ab --help/],
    [["study", "unmap-preset"], /no study is called "unmap-preset": did you mean "unmap-presets"\?/],
    [["bench", "run", "--fast"], /--fast.*bench run --help/],
  ])("%j", async (args, message) => {
    const { code, out, err } = await vmexit(...args);
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
    expect(err.trim().split("\n")).toHaveLength(1);
  });

  it("a build that is no WebAssembly", async () => {
    const { code, err } = await vmexit("bench", "ab", "default", file("text.wasm", "hello"));
    expect([code, err]).toEqual([2, expect.stringMatching(/is no WebAssembly module/)]);
  });
});

describe("result files", () => {
  const good = file("good.json", result());
  it.each([
    ["cut.json", '{"format": "vmexit-bench", "rows": [', /cut off\?/],
    ["other.json", { format: "vmexit-study" }, /no result of the bench/],
    ["old.json", result({ version: 2 as never }), /version 2 of the format, this vmexit reads 3: measure again/],
    ["new.json", result({ version: 99 as never }), /version 99/],
    [
      "machine.json",
      result({ environment: { ...result().environment, cpu: "B" } }),
      /different machines \(cpu A \/ B\)/,
    ],
    ["build.json", result({ build: { silicon: "bb" } }), /different builds/],
    ["noisy.json", result({ noise: noiseOf([1, 2]) }), /so noisy that nothing can be said/],
  ])("%s", async (name, content, message) => {
    const { code, out, err } = await vmexit("bench", "compare", good, file(name, content));
    expect([code, out]).toEqual([2, ""]);
    expect(err).toMatch(message);
  });

  it("one that is not there", async () => {
    const { code, err } = await vmexit("bench", "compare", good, join(folder, "none.json"));
    expect([code, err]).toEqual([2, expect.stringMatching(/none\.json/)]);
  });

  it("gives 0 for no evidence and 1 for a count that grew", async () => {
    expect((await vmexit("bench", "compare", good, good)).code).toBe(0);
    const more = result({ rows: [{ ...result().rows[0]!, counters: { eptWalks: 4 } }] });
    const { code, out } = await vmexit("bench", "compare", good, file("more.json", more));
    expect([code, out]).toEqual([1, expect.stringContaining("counts: eptWalks 3 -> 4")]);
  });
});

describe("a place that cannot be written", () => {
  it("is found out before anything is measured, and nothing is left", async () => {
    const nowhere = join(folder, "no", "such", "folder", "out.json");
    for (const args of [
      ["bench", "run", "select", "--quick", "--json", nowhere],
      ["bench", "growth", "select", "--quick", "--out", nowhere],
      ["study", "tlb-size", "--quick", "--out", nowhere],
      ["study", "tlb-size", "--quick", "--plot", nowhere],
    ]) {
      const { code, err } = await vmexit(...args);
      expect([code, err]).toEqual([2, expect.stringMatching(/cannot write .*out\.json/)]);
      expect(err.trim().split("\n")).toHaveLength(1); // nothing was begun
    }
  });
});
