/** Random lives of ioreq servers, many of them. */
import { it } from "vitest";
import { liveRandomly } from "./random.ts";
import { createWorld } from "./world.ts";

const SEQUENCES = Number(process.env.VMEXIT_IOREQ_SEQUENCES ?? 10_000);

it("random lives of ioreq servers", async () => {
  liveRandomly(await createWorld(), SEQUENCES, 7);
});
