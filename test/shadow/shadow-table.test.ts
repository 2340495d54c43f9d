/** The shadow of a device stays what the guest's tables say, while two vCPUs edit them (issue: a device that needs the type). */
import { describe, expect, it } from "vitest";
import { runShadowGuest } from "./run.ts";

const WRITES = 20_000;

describe("the shadow-table device", () => {
  it("sees every write, and its shadow never differs", () => {
    const { outcome, counts } = runShadowGuest(WRITES);
    expect(outcome).toBe("poweroff");
    expect(counts).toMatchObject({
      tables: 9,
      differences: 0,
      "wrong answers": 0,
      "lost writes": 0,
      "tables without a root": 0,
    });
    expect(counts.writes).toBeGreaterThan(WRITES);
  });

  it("neither when the two vCPUs take turns after every few instructions", () => {
    const { outcome, counts } = runShadowGuest(4000, { "sched.quantum": 7 });
    expect(outcome).toBe("poweroff");
    expect(counts).toMatchObject({ differences: 0, "wrong answers": 0, "lost writes": 0 });
  });
});
