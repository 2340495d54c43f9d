/** Result files: what is written can be read, what cannot be compared is refused, and the gate stands on counts. */
import { lstatSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { noiseOf } from "../../bench/calibration.ts";
import { caveats, compareResults, comparisonText, gateOf } from "../../bench/compare.ts";
import {
  FORMAT,
  parseResult,
  type ResultFile,
  type ResultRow,
  rowsOf,
  VERSION,
  writeWhole,
} from "../../bench/result-file.ts";

const environment = {
  cpu: "A",
  processors: 2,
  memoryGiB: 8,
  kernel: "linux 6",
  node: "v20",
  v8: "11",
  compiler: null,
};

function row(name: string, median: number, counters: Record<string, number> = { eptWalks: 10 }): ResultRow {
  const samples = Array.from({ length: 30 }, (_, i) => median * (1 + ((i * 7) % 10) / 1000));
  return { name, unit: "ns", median, mad: 0, samples, perRound: samples.map(() => 1), counters, operations: 1 };
}

function file(rows: readonly ResultRow[], rest: Partial<ResultFile> = {}): ResultFile {
  return {
    format: FORMAT,
    version: VERSION,
    rows,
    environment,
    knobs: {},
    build: { release: "aa" },
    noise: noiseOf([1, 1.01]),
    timer: { resolution: 1, call: 1 },
    ...rest,
  };
}

describe("comparing", () => {
  it("says slower and faster from 15 % on, and no evidence below", () => {
    const a = file([row("x", 100), row("y", 100), row("z", 100)]);
    const b = file([row("x", 120), row("y", 80), row("z", 110)]);
    const rows = compareResults(a, b);
    expect(rows.map((r) => r.verdict)).toEqual(["slower", "faster", "no evidence"]);
    expect(gateOf(rows)).toBe(1);
    expect(gateOf(compareResults(a, a))).toBe(0);
    expect(comparisonText(rows)).toContain("1.20x");
  });

  it("a count that grew fails the gate although no time changed; one that shrank does not", () => {
    const rows = compareResults(file([row("x", 100)]), file([row("x", 100, { eptWalks: 11 })]));
    expect(rows[0]!.changed).toEqual([{ name: "eptWalks", before: 10, after: 11 }]);
    expect(gateOf(rows)).toBe(1);
    expect(comparisonText(rows)).toContain("eptWalks 10 -> 11");
    expect(gateOf(compareResults(file([row("x", 100)]), file([row("x", 100, { eptWalks: 9 })])))).toBe(0);
  });

  it("takes a round for one witness, however many samples it gave", () => {
    const many = (median: number): ResultRow => {
      const samples = [median, median * 1.3].flatMap((m) => Array.from({ length: 40 }, (_, i) => m * (1 + i / 1e4)));
      return { ...row("x", median), samples, perRound: [40, 40] };
    };
    expect(compareResults(file([many(100)]), file([many(200)]))[0]!.verdict).toBe("no evidence");
  });

  it("believes no difference that the calibration loop had, too, and says so", () => {
    const slow = { noise: noiseOf([1.3, 1.31]) };
    const rows = [row("as slow", 130), row("slower still", 200), row("as before", 100)];
    const before = [row("as slow", 100), row("slower still", 100), row("as before", 100)];
    const verdicts = compareResults(file(before), file(rows, slow)).map((r) => r.verdict);
    expect(verdicts).toEqual(["no evidence", "slower", "no evidence"]);
    expect(caveats(file(before), file(rows, slow))).toContain("took 1.30x the time");
    expect(caveats(file(before), file(before))).toBe("");
    expect(caveats(file(before, { noise: noiseOf([1, 1.3]) }), file(before))).toContain("first run changed its speed");
  });

  it("names rows that only one of them has", () => {
    const rows = compareResults(file([row("x", 1), row("old", 1)]), file([row("x", 1), row("new", 1)]));
    expect(rows.map((r) => `${r.name} ${r.verdict}`)).toEqual([
      "x no evidence",
      "old only in first",
      "new only in second",
    ]);
  });

  it("refuses another machine, another build and a useless run, unless told", () => {
    const a = file([row("x", 1)]);
    const other = file([row("x", 1)], { environment: { ...environment, cpu: "B" } });
    expect(() => compareResults(a, other)).toThrow(/different machines \(cpu A \/ B\): --other-machine/);
    expect(compareResults(a, other, { otherMachine: true })).toHaveLength(1);
    const built = file([row("x", 1)], { build: { release: "bb" } });
    expect(() => compareResults(a, built)).toThrow(/different builds: --other-build/);
    expect(compareResults(a, built, { otherBuild: true })).toHaveLength(1);
    expect(() => compareResults(a, file([row("x", 1)], { noise: noiseOf([1, 2]) }))).toThrow(/so noisy/);
  });
});

describe("the file", () => {
  it("comes back as it was written, whole, and leaves nothing beside it", () => {
    const folder = mkdtempSync(join(tmpdir(), "vmexit-result-"));
    try {
      const name = join(folder, "out.json");
      writeWhole(name, JSON.stringify(file([row("x", 5)])));
      expect(readdirSync(folder)).toEqual(["out.json"]);
      expect(parseResult(readFileSync(name, "utf8"), name)).toEqual(file([row("x", 5)]));
      expect(() => writeWhole(join(folder, "no", "such", "folder"), "x")).toThrow(/cannot write/);
      expect(readdirSync(folder)).toEqual(["out.json"]);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it("a pipe or a device is written to, not replaced", () => {
    const folder = mkdtempSync(join(tmpdir(), "vmexit-result-"));
    try {
      // A link to the null device: a rename would put a file in its place.
      const link = join(folder, "null");
      symlinkSync("/dev/null", link);
      writeWhole(link, "x");
      expect(lstatSync(link).isSymbolicLink()).toBe(true);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });

  it.each([
    ["{", /no JSON \(cut off\?\)/],
    ["{}", /no result of the bench/],
    [JSON.stringify({ ...file([row("x", 1)]), version: 2 }), /version 2 of the format, this vmexit reads 3/],
    [JSON.stringify(file([])), /no rows/],
    [JSON.stringify({ ...file([row("x", 1)]), rows: [{ name: "x" }] }), /rows without samples/],
    [JSON.stringify(file([{ ...row("x", 1), perRound: [29] }])), /rows without samples/],
    [JSON.stringify(file([{ ...row("x", 1), perRound: [-1, 31] }])), /rows without samples/],
    [JSON.stringify({ ...file([row("x", 1)]), environment: 3 }), /on what it was measured/],
  ])("refuses %.20s", (text, reason) => {
    expect(() => parseResult(text, "f.json")).toThrow(reason);
  });

  it("gives each row of a table its own name, and a native one the name of its row", () => {
    const ours = { name: "walk", samples: [2, 2, 2], counters: { eptWalks: 1 }, operations: 1 };
    const native = { name: "in C", samples: [1, 1, 1], isNative: true };
    const rows = rowsOf("s", {
      title: "",
      rows: [
        { measurement: ours, unit: "ns", against: native },
        { measurement: native, unit: "ns" },
        { measurement: ours, unit: "ns" },
      ],
    });
    expect(rows.map((r) => r.name)).toEqual(["s: walk", "s: walk, in C", "s: walk (2)"]);
    expect(rows[0]!.vsNative).toEqual({ ratio: 2, low: 2, high: 2 });
  });
});
