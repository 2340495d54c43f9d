/** The processor under random code, page tables, descriptors and EPT leaves: 60,000 short runs, a trap or a hang fails (runner.ts). */
import { test } from "vitest";
import { fuzz, fuzzCount } from "./runner.ts";
import { createSiliconFuzz } from "./silicon-fuzz.ts";

test("silicon", () => fuzz(createSiliconFuzz(), "test/fuzz/silicon.test.ts", fuzzCount(60_000)));
