/**
 * `bench ab` finds a slow-down of about 5 % that was planted on one path, and nothing in a build compared with itself. It measures time, so
 * it wants a quiet machine: VMEXIT_AB_RUNS=0 skips it, a number makes so many runs of the first kind and twice as many of the second. A run takes
 * about 45 seconds, 90 at most; each says how it ended.
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { runAb } from "../../bench/ab.ts";
import type { AbRow } from "../../bench/pairs.ts";
import { type Design, WORKLOADS } from "../../bench/workloads.ts";
import { ROOT } from "../../host/node/paths.ts";
import { readBuild } from "../../host/node/wasm.ts";

const RUNS = Number(process.env.VMEXIT_AB_RUNS ?? 10);
/** The workload on whose path the slow-down lies. */
const HIT = "MMIO store, core";
/** The same path with more beside it: may be flagged, too. */
const TOUCHED = "MMIO store, host";

const release: Design = { label: "release", build: readBuild("release"), knobs: {} };

function planted(): Design {
  const made = spawnSync(process.execPath, [join(ROOT, "scripts/build.mjs"), "planted"], { encoding: "utf8" });
  if (made.status !== 0) throw new Error(made.stderr);
  return { label: "planted", build: new Uint8Array(readFileSync(join(ROOT, "build/planted.wasm"))), knobs: {} };
}

/** One table, with a line about it on the terminal. */
function run(what: string, number: number, of: number, b: Design): readonly AbRow[] {
  const began = performance.now();
  const { rows, noise } = runAb(WORKLOADS, release, b);
  const flagged = rows.filter((row) => row.verdict !== "no evidence");
  const hit = rows.find((row) => row.name === HIT)!;
  const said = flagged.map((row) => `${row.name} ${row.verdict} ${row.ratio.toFixed(3)}x`).join(", ") || "nothing";
  console.log(
    `${what} ${number}/${of}: flagged ${said}; ${HIT} ${hit.ratio.toFixed(3)}x [${hit.low.toFixed(3)}..${hit.high.toFixed(3)}]; calibration spread ${(noise.spread * 100).toFixed(0)} %; ${((performance.now() - began) / 1000).toFixed(0)} s`,
  );
  return rows;
}

describe.skipIf(RUNS === 0)("bench ab (skipped with VMEXIT_AB_RUNS=0: it needs a quiet machine)", () => {
  it(`flags the planted path in at least 9 of 10 of ${RUNS} runs, and no other`, () => {
    const b = planted();
    let found = 0;
    let others = 0;
    for (let i = 1; i <= RUNS; i++) {
      const rows = run("planted", i, RUNS, b);
      if (rows.find((row) => row.name === HIT)!.verdict === "slower") found++;
      if (rows.some((row) => row.name !== HIT && row.name !== TOUCHED && row.verdict !== "no evidence")) others++;
    }
    expect(found).toBeGreaterThanOrEqual(Math.ceil(RUNS * 0.9));
    expect(others).toBeLessThanOrEqual(Math.ceil(RUNS / 10));
  });

  it(`flags a build compared with itself in at most 1 of 20 of ${2 * RUNS} runs`, () => {
    let flagged = 0;
    for (let i = 1; i <= 2 * RUNS; i++)
      if (run("unchanged", i, 2 * RUNS, release).some((row) => row.verdict !== "no evidence")) flagged++;
    expect(flagged).toBeLessThanOrEqual(Math.ceil(RUNS / 10));
  });
});
