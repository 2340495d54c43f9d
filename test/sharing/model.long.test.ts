/** Sharing against its model: 100,000 operations (VMEXIT_SHARING_COUNT: another number), with a seed of its own each time unless one is given. */
import { expect, it } from "vitest";
import { checkModel } from "./model.ts";

it("100,000 random operations over four domains are as the model says, and the audit finds nothing", () => {
  const count = Number(process.env.VMEXIT_SHARING_COUNT ?? 100_000);
  const seed = Number(process.env.VMEXIT_FUZZ_SEED ?? Date.now() % 2 ** 31);
  console.log(`seed ${seed}`);
  expect(checkModel(count, seed)).toBeGreaterThanOrEqual(count);
});
