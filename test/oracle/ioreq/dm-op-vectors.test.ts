/** dm_op, and what goes with it, answers as a real Xen 4.17 did: recorded/dm-op-vectors.tsv, row by row. */
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { DmOpCalls } from "./dm-op-calls.ts";

const recorded = readFileSync(new URL("../recorded/dm-op-vectors.tsv", import.meta.url), "utf8")
  .trimEnd()
  .split("\n")
  .map((row) => row.split("\t").slice(1).join("\t"));

/** dom0 of the recording is paravirtualised and sees machine frames: how many it saw is left out. */
const plain = (row: string) => row.replace(/ nonzero-mfns=\d+$/, "");

/** Rows that differ, by area, call and arguments, and why. */
const NO_PV =
  "the recorded paravirtualised domain stands here for dom0: resources of an ioreq server of one are not built";
const DIFFERENT: Readonly<Record<string, string>> = {
  "memory\tacquire_resource\tPV ioreq type=0 id=0 nr=1 frame=0x1": NO_PV,
};

describe("the recorded dm_op calls", () => {
  const got = new DmOpCalls().play();
  const keyOf = (row: string) => row.split("\t").slice(0, 3).join("\t");

  it("are the calls that are made here", () => {
    expect(got.map(keyOf)).toEqual(recorded.map(keyOf));
  });

  it("have the recorded answers", () => {
    const problems = recorded.flatMap((row, i) => {
      const isEqual = plain(row) === got[i];
      return isEqual || keyOf(row) in DIFFERENT ? [] : [`Xen ${row}\nvmexit ${got[i]}`];
    });
    expect(problems).toEqual([]);
  });

  it("has no stale entry in its list of differences", () => {
    const needed = recorded.filter((row, i) => plain(row) !== got[i]).map(keyOf);
    expect(Object.keys(DIFFERENT).filter((key) => !needed.includes(key))).toEqual([]);
  });
});
