/** A small number of random runs; the long tier has many (model.long.test.ts). */
import fc from "fast-check";
import { it } from "vitest";
import { operation, runModel } from "./model.ts";

it("random operations of three domains are as the model says, and leave no reference behind", () => {
  fc.assert(fc.property(fc.array(operation, { minLength: 40, maxLength: 80 }), runModel), { numRuns: 25, seed: 8 });
});
