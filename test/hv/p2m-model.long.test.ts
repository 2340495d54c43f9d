/** The p2m against a plain map: 10,000 random operation sequences with a seed of its own each time. */
import { it } from "vitest";
import { startP2m } from "./p2m-exports.ts";
import { compareWithModel } from "./p2m-model.ts";

it.each([
  [1, 8000],
  [0, 2000],
])("superpages %i, %i sequences", async (superpages, sequences) => {
  const { p2m, slot } = await startP2m(superpages);
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  compareWithModel(p2m, slot, sequences, seed);
});
