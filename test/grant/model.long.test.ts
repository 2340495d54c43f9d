/** Grants against their model: 20,000 operations (VMEXIT_GRANT_COUNT: another number), with a seed of its own each time unless one is given. */
import fc from "fast-check";
import { it } from "vitest";
import { operation, runModel } from "./model.ts";

const LENGTH = 200;

it("many random operations of three domains are as the model says, and leave no reference behind", () => {
  const count = Number(process.env.VMEXIT_GRANT_COUNT ?? 20_000);
  const seed = Number(process.env.VMEXIT_FUZZ_SEED ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  const runs = Math.max(1, Math.ceil(count / LENGTH));
  fc.assert(fc.property(fc.array(operation, { minLength: LENGTH, maxLength: LENGTH }), runModel), {
    numRuns: runs,
    seed,
  });
});
