/** The processor under random code, page tables, descriptors and EPT leaves: 75,000 short runs, a trap or a hang fails (runner.ts). */
import { test } from "vitest";
import { fuzz, fuzzCount } from "./runner.ts";
import { createSiliconFuzz } from "./silicon-fuzz.ts";

test("silicon", () => fuzz(createSiliconFuzz(), "test/fuzz/silicon.test.ts", fuzzCount(75_000)));
