/** Reading what xen-oracle.sh prints, and comparing rows. */
import { describe, expect, it } from "vitest";
import { compareRecordings } from "./compare.ts";
import { parseOracle } from "./xen.ts";

it("takes lines by guest and drops Xen's warnings", () => {
  const text = "BEGIN a\nE9 one \nXEN d1v0: something\nPV two\nEND a poweroff\nBEGIN b\nEND b crash\n";
  expect([...parseOracle(text)]).toEqual([
    ["a", { lines: ["one", "two"], end: "poweroff" }],
    ["b", { lines: [], end: "crash" }],
  ]);
});

describe("comparison", () => {
  const guest = { name: "some-guest" };
  const recording = (...lines: string[]) => ({ lines, end: "poweroff" });

  it("accepts equal rows", () => {
    expect(compareRecordings(guest, recording("a = 1", "a = 2"), recording("a = 1", "a = 2"))).toEqual([]);
  });

  it("names rows that differ, are missing or are too many, and another end", () => {
    const problems = compareRecordings(guest, recording("a = 1", "b = 1"), { lines: ["a = 2", "c = 1"], end: "crash" });
    expect(problems).toEqual([
      'end: Xen "poweroff", vmexit "crash"',
      'Xen "a = 1", vmexit "a = 2"',
      'Xen "b = 1", vmexit "(no such row)"',
      "vmexit only: c = 1",
    ]);
  });

  it("looks for the lines of a subset in their order", () => {
    const subset = { name: "some-guest", isSubset: true };
    expect(compareRecordings(subset, recording("a", "b"), recording("a", "x", "b"))).toEqual([]);
    expect(compareRecordings(subset, recording("b", "a"), recording("a", "b"))).toEqual(["missing: a"]);
  });

  it("applies a listed difference, and only in its listed form", () => {
    const faults = { name: "probe-faults32" };
    const xen = recording("lock mov = none");
    expect(compareRecordings(faults, xen, recording("lock mov = vector 06 error 00000000 ip +00000000"))).toEqual([]);
    expect(compareRecordings(faults, xen, recording("lock mov = none"))).toHaveLength(1);
  });
});
