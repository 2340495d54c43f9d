/** Partial-order reduction comes to the verdict of exhaustive search on entries of the catalogue that take it longer. */
import { describe, it } from "vitest";
import { sameVerdict, variantsOfCatalogue } from "./same-verdict.ts";

describe("the catalogue: same verdict as exhaustive search", () => {
  it.each(variantsOfCatalogue)("%s %s", (_, variant, race) => {
    sameVerdict(race, variant, 1200, 1_000_000);
  });
});
