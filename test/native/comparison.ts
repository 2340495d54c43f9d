/**
 * The comparison itself: seeded batches through the real CPU (or recorded results) and through ours, in every environment that fits.
 *
 * Environment: VMEXIT_NATIVE_SEED and VMEXIT_NATIVE_COUNT choose other cases or more of them.
 */
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Batch, TestResult } from "./case-format.ts";
import { describeMismatch, differences } from "./compare.ts";
import { BATCH_CASES, generateBatch } from "./generate.ts";
import { createSiliconGuest, type Environment, type SiliconGuest } from "./silicon-guest.ts";

export interface Comparison {
  readonly cases: number;
  readonly mismatches: number;
  /** The first few mismatches, in words. */
  readonly reports: readonly string[];
}

const REPORTS_KEPT = 10;

export function openSiliconGuest(): SiliconGuest {
  const path = fileURLToPath(new URL("../../build/silicon.wasm", import.meta.url));
  return createSiliconGuest(new WebAssembly.Module(readFileSync(path)));
}

/** Compares one batch with the results expected of it. */
export function compareBatch(
  guest: SiliconGuest,
  batch: Batch,
  expected: readonly TestResult[],
  name: string,
): Comparison {
  guest.setData(batch.data);
  const reports: string[] = [];
  let mismatches = 0;
  for (const environment of ["long64", "compat32", "pae32"] as const satisfies readonly Environment[]) {
    batch.cases.forEach((test, i) => {
      if ((test.bits === 64) !== (environment === "long64")) return;
      if (environment === "pae32" && test.compatibilityOnly) return;
      const lines = differences(test, expected[i]!, guest.run(test, environment));
      if (lines.length === 0) return;
      mismatches++;
      if (reports.length < REPORTS_KEPT)
        reports.push(describeMismatch(test, `${name}, case ${i}, ${environment}`, lines));
    });
  }
  return { cases: batch.cases.length, mismatches, reports };
}

/** Compares `count` cases of a seed. */
export function compareSeed(
  guest: SiliconGuest,
  run: (batch: Batch) => TestResult[],
  seed: number,
  count: number,
): Comparison {
  let cases = 0;
  let mismatches = 0;
  const reports: string[] = [];
  for (let index = 0; cases < count; index++) {
    const batch = generateBatch(seed, index, Math.min(BATCH_CASES, count - cases));
    const one = compareBatch(guest, batch, run(batch), `seed ${seed}, batch ${index}`);
    cases += one.cases;
    mismatches += one.mismatches;
    reports.push(...one.reports.slice(0, REPORTS_KEPT - reports.length));
  }
  return { cases, mismatches, reports };
}

export const seedFromEnvironment = (): number => Number(process.env.VMEXIT_NATIVE_SEED ?? 1);
export const countFromEnvironment = (standard: number): number => Number(process.env.VMEXIT_NATIVE_COUNT ?? standard);
