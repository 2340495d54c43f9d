/** A hostile listener, many random sequences with a seed of their own. VMEXIT_EVENTS_COUNT sequences, 2,000 unless told. */
import { it } from "vitest";
import { playHostile } from "./hostile.ts";

it("random operations", () => {
  const seed = Date.now() % 2 ** 31;
  console.log(`seed ${seed}`);
  playHostile(Number(process.env.VMEXIT_EVENTS_COUNT ?? 2000), 200, seed);
}, 3_600_000);
