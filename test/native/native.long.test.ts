/** The comparison of native.test.ts over ten seeds: 2,000,000 instances. */
import { expect, test } from "vitest";
import { compareSeed, countFromEnvironment, openSiliconGuest, seedFromEnvironment } from "./comparison.ts";
import { openNativeCpu } from "./native-cpu.ts";

const cpu = openNativeCpu();
const first = seedFromEnvironment() + 1;

for (let seed = first; seed < first + 10; seed++) {
  test.skipIf("skipped" in cpu)(`agrees with the real CPU, seed ${seed}`, () => {
    if ("skipped" in cpu) return;
    const result = compareSeed(openSiliconGuest(), cpu.run, seed, countFromEnvironment(200_000));
    console.log(`real-CPU comparison: seed ${seed}, ${result.cases} instances, ${result.mismatches} mismatches`);
    expect(result.mismatches, result.reports.join("\n\n")).toBe(0);
  });
}
