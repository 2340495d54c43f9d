/** The whole machine under random code, hypercalls, page tables and rings: 25,000 short runs; a trap or a hang fails (runner.ts). */
import { test } from "vitest";
import { createMachineFuzz } from "./machine-fuzz.ts";
import { fuzz, fuzzCount } from "./runner.ts";

test("machine", () => fuzz(createMachineFuzz(), "test/fuzz/machine.test.ts", fuzzCount(25_000)));
