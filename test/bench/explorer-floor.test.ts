/** The floor of states a second that a real entry must reach is part of the explorer's table. */
import { expect, it } from "vitest";
import { floorNote } from "../../bench/suites/explorer.ts";

it.each([
  [100_000, "10,000 states/s, floor 4,000: reached"],
  [250_000, "4,000 states/s, floor 4,000: reached"],
  [251_000, "3,984 states/s, floor 4,000: BELOW THE FLOOR"],
])("%i ns a state", (ns, text) => {
  expect(floorNote({ name: "race", samples: [ns, ns * 3, ns, ns / 2, ns] }, 4000)).toBe(`race: ${text}`);
});
