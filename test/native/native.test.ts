/**
 * The executor against the real CPU this test runs on: 200,000 instances over every stage 1 opcode that user mode can execute, operand
 * sizes, addressing forms, prefixes, faults and short sequences. Skipped, with the reason, where there is no compiler or no x86-64 Linux.
 *
 *   VMEXIT_NATIVE_SEED=7 VMEXIT_NATIVE_COUNT=1000000 npx vitest run test/native
 */
import { expect, test } from "vitest";
import { compareSeed, countFromEnvironment, openSiliconGuest, seedFromEnvironment } from "./comparison.ts";
import { openNativeCpu } from "./native-cpu.ts";

const cpu = openNativeCpu();
if ("skipped" in cpu) console.warn(`real-CPU comparison skipped: ${cpu.skipped}`);

test.skipIf("skipped" in cpu)("agrees with the real CPU", () => {
  if ("skipped" in cpu) return;
  const seed = seedFromEnvironment();
  const result = compareSeed(openSiliconGuest(), cpu.run, seed, countFromEnvironment(200_000));
  console.log(`real-CPU comparison: seed ${seed}, ${result.cases} instances, ${result.mismatches} mismatches`);
  expect(result.mismatches, result.reports.join("\n\n")).toBe(0);
});
