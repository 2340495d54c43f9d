/** bench ab from end to end, as short as it goes: what it measures and in which order. Whether times differ is not asked here. */
import { describe, expect, it } from "vitest";
import { runAb } from "../../bench/ab.ts";
import { abText } from "../../bench/pairs.ts";
import { type Design, WORKLOADS } from "../../bench/workloads.ts";
import { readBuild } from "../../host/node/wasm.ts";

const build = readBuild("release");
const design = (label: string, knobs: Design["knobs"]): Design => ({ label, build, knobs });
const SHORT = { pairs: 4, mostPairs: 4, slices: 2, sliceMs: 0.5 };
const chosen = WORKLOADS.filter((w) => w.name === "MMIO store, host" || w.name === "port OUT, host");

describe("bench ab", () => {
  const said: string[] = [];
  const a = design("default", {});
  const b = design("device.at=core", { "device.at": 1 });
  const { rows, noise } = runAb(chosen, a, b, SHORT, (text) => said.push(text));

  it("makes both orders equally often, says what it does, and how steady the machine was", () => {
    for (const row of rows) {
      expect(row.pairs).toHaveLength(SHORT.pairs);
      expect(row.pairs.filter((pair) => pair.isSwapped)).toHaveLength(SHORT.pairs / 2);
      for (const { ratio } of row.pairs) expect(ratio).toBeGreaterThan(0);
    }
    expect(said).toEqual(chosen.map((w, i) => `[${i + 1}/${chosen.length}] ${w.name} ...`));
    expect(noise.calibrations).toHaveLength(chosen.length + 1);
  });

  it("puts the simulated cost of both designs beside the time: no request to another domain is far cheaper", () => {
    for (const row of rows) expect(row.simulated).toBeLessThan(0.7);
    expect(abText(rows, "default", "device.at=core")).toContain("simulated 0.");
  });

  it("four pairs are too few to say anything, whatever the ratio", () => {
    expect(rows.map((row) => row.verdict)).toEqual(["no evidence", "no evidence"]);
    for (const row of rows) expect(row.p).toBeGreaterThan(0.05);
  });
});
