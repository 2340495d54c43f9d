/** Every oracle guest prints on vmexit what it printed on a real Xen 4.17, but for the listed differences. */
import { describe, expect, it } from "vitest";
import { compareRecordings, staleDifferences } from "./compare.ts";
import { ORACLE_GUESTS, readRecording } from "./guests.ts";
import { runOnVmexit } from "./vmexit.ts";

describe.each(ORACLE_GUESTS)("$name", (guest) => {
  const xen = readRecording(guest.name);

  it(`prints the same ${xen.lines.length} rows as on Xen`, async () => {
    expect(compareRecordings(guest, xen, await runOnVmexit(guest))).toEqual([]);
  });

  it("has no stale entry in its list of differences", () => {
    expect(staleDifferences(guest, xen)).toEqual([]);
  });
});

it("the probes make more than a hundred checks", () => {
  const rows = ORACLE_GUESTS.filter((g) => g.name.startsWith("probe-")).map((g) => readRecording(g.name).lines.length);
  expect(rows.reduce((a, b) => a + b, 0)).toBeGreaterThan(900);
});
