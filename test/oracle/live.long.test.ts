/**
 * Runs the oracle guests on a real Xen now and compares with the recordings: the guests, the recordings and Xen still agree.
 *
 * VMEXIT_RECORD=1 writes the recordings instead. Where Xen cannot be run (no Debian, no packages) the test is skipped and says why.
 */
import { writeFileSync } from "node:fs";
import { expect, it } from "vitest";
import { compareRecordings } from "./compare.ts";
import { ORACLE_GUESTS, readRecording, recordedFile, recordingText } from "./guests.ts";
import { runOnVmexit } from "./vmexit.ts";
import { isVolatile } from "./volatile.ts";
import { runOnXen } from "./xen.ts";

const stable = (lines: readonly string[]): string[] => lines.filter((line) => !isVolatile(line));

it("a real Xen prints what is recorded", async ({ skip }) => {
  const run = await runOnXen(ORACLE_GUESTS);
  if (run.kind === "cannot") {
    console.warn(`SKIPPED: no real Xen here: ${run.reason}`);
    skip(run.reason);
    return;
  }
  for (const guest of ORACLE_GUESTS) {
    const live = run.guests.get(guest.name);
    expect(live, guest.name).toBeDefined();
    if (process.env.VMEXIT_RECORD) writeFileSync(recordedFile(guest.name), recordingText(live!));
    const recorded = readRecording(guest.name);
    expect({ lines: stable(live!.lines), end: live!.end }, guest.name).toEqual({
      lines: stable(recorded.lines),
      end: recorded.end,
    });
    if (!process.env.VMEXIT_RECORD)
      expect(compareRecordings(guest, live!, await runOnVmexit(guest)), guest.name).toEqual([]);
  }
});
