/** Sharing against its model: a short run (the long tier has 100,000 operations). */
import { it } from "vitest";
import { checkModel } from "./model.ts";

it("2,000 random operations over four domains are as the model says", () => {
  checkModel(2000, 417);
}, 60_000);
