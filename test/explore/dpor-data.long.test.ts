/** More random toys on which partial-order reduction must say what exhaustive search says (dpor-data.test.ts). */
import { expect, it } from "vitest";
import { sameOnToys } from "./random-toys.ts";

it.each(Array.from({ length: 10 }, (_, part) => [100 + part * 150, part % 2 === 1] as const))(
  "seeds from %i, loops: %s",
  (from, mayLoop) => {
    expect(sameOnToys(from, from + 150, mayLoop)).toBeGreaterThan(100);
  },
);
