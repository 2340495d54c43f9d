/** silicon.test.ts with 750,000 runs. */
import { test } from "vitest";
import { fuzz, fuzzCount } from "./runner.ts";
import { createSiliconFuzz } from "./silicon-fuzz.ts";

test("silicon", () => fuzz(createSiliconFuzz(), "test/fuzz/silicon.test.ts", fuzzCount(750_000)));
