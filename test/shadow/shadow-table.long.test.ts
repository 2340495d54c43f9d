/** A million writes from two vCPUs. */
import { expect, it } from "vitest";
import { runShadowGuest } from "./run.ts";

it("the shadow never differs over a million writes", () => {
  const { outcome, counts } = runShadowGuest(1_000_000);
  expect(outcome).toBe("poweroff");
  expect(counts.writes).toBeGreaterThan(1_000_000);
  expect(counts).toMatchObject({ tables: 9, differences: 0, "wrong answers": 0, "lost writes": 0 });
}, 600_000);
