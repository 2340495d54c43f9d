/**
 * The executor against recorded results of a real CPU (golden.ts). Needs no compiler and no x86 machine.
 * `VMEXIT_RECORD_GOLDEN=1 npx vitest run test/native/golden` records the file again with the CPU it runs on.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { compareBatch, openSiliconGuest } from "./comparison.ts";
import { generateBatch } from "./generate.ts";
import { decodeGolden, encodeGolden, type GoldenBatch } from "./golden.ts";
import { openNativeCpu } from "./native-cpu.ts";

const FILE = fileURLToPath(new URL("../golden/cpu-vectors.bin.gz", import.meta.url));
const SEED = 4242;
const BATCHES = 8;
const CASES = 1000;
/** Cases that change more words than this (long REP) would fill the file. */
const MOST_CHANGES = 16;

function record(): void {
  const cpu = openNativeCpu();
  if ("skipped" in cpu) throw new Error(`cannot record: ${cpu.skipped}`);
  const batches: GoldenBatch[] = [];
  for (let i = 0; i < BATCHES; i++) {
    const whole = generateBatch(SEED, i, CASES);
    const results = cpu.run(whole);
    const kept = whole.cases.map((_, n) => n).filter((n) => results[n]!.changes.length <= MOST_CHANGES);
    batches.push({
      batch: { data: whole.data, cases: kept.map((n) => whole.cases[n]!) },
      expected: kept.map((n) => results[n]!),
    });
  }
  writeFileSync(FILE, encodeGolden({ seed: SEED, batches }));
}

if (process.env.VMEXIT_RECORD_GOLDEN) record();

test("agrees with the recorded results of a real CPU", () => {
  const golden = decodeGolden(readFileSync(FILE));
  const guest = openSiliconGuest();
  let cases = 0;
  const reports: string[] = [];
  golden.batches.forEach(({ batch, expected }, i) => {
    const one = compareBatch(guest, batch, expected, `recorded seed ${golden.seed}, batch ${i}`);
    cases += one.cases;
    reports.push(...one.reports);
  });
  expect(cases).toBeGreaterThan(5000);
  expect(reports.length, reports.join("\n\n")).toBe(0);
});
