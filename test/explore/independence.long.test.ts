/** In every state of every entry that is small enough: steps that partial-order reduction calls independent can be swapped. */
import { describe, expect, it } from "vitest";
import { openRace } from "../../host/lib/explore/instance.ts";
import { commutingEverywhere } from "./independence.ts";
import { footprintBuild, variantsOfCatalogue } from "./same-verdict.ts";

const MOST_STATES = 600;
let tried = 0;

describe("independent steps commute in every state", () => {
  it.each(variantsOfCatalogue)("%s %s", (_, variant, race) => {
    if (commutingEverywhere(openRace(footprintBuild, race, variant), MOST_STATES)) tried++;
  });

  it("most entries were small enough", () => {
    expect(tried).toBeGreaterThan(variantsOfCatalogue.length / 2);
  });
});
