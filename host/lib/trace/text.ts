/** The trace as text: one line for each record, columns time, vCPU, event, what it says. */
import { eventName, type TraceRecord } from "./decode.ts";
import { describe } from "./describe.ts";

export function traceLine(r: TraceRecord): string {
  const who = r.vcpu < 0 ? "-" : `v${r.vcpu}`;
  return `${String(r.time).padStart(12)} ${who.padEnd(4)} ${eventName(r.event).padEnd(16)} ${describe(r)}`;
}

/** The whole trace, with a header line that names the columns. */
export function traceText(records: readonly TraceRecord[]): string {
  const header = `${"time/ticks".padStart(12)} vcpu event            detail\n`;
  return header + records.map((r) => `${traceLine(r)}\n`).join("");
}
