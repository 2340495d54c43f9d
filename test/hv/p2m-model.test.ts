/** The p2m against a plain map: 1,000 random operation sequences, invariants after each step. 10,000: p2m-model.long.test.ts. */
import { it } from "vitest";
import { startP2m } from "./p2m-exports.ts";
import { compareWithModel } from "./p2m-model.ts";

it.each([
  [1, 1, 800],
  [2, 0, 200],
])("seed %i, superpages %i, %i sequences", async (seed, superpages, sequences) => {
  const { p2m, slot } = await startP2m(superpages);
  compareWithModel(p2m, slot, sequences, seed);
});
