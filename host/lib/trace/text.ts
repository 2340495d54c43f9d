/** The trace as text: one line for each record, columns time, vCPU, event, what it says. */
import { eventName, type TraceRecord } from "./decode.ts";
import { describe } from "./describe.ts";

/** What to call the vCPU in a slot (-1 = none); inspect.ts vcpuNamer gives d1v0 and the like. */
export type VcpuNamer = (slot: number) => string;

export const slotName: VcpuNamer = (slot) => (slot < 0 ? "-" : `slot${slot}`);

export function traceLine(r: TraceRecord, name: VcpuNamer = slotName): string {
  return `${String(r.time).padStart(12)} ${name(r.vcpu).padEnd(6)} ${eventName(r.event).padEnd(16)} ${describe(r)}`;
}

/** The whole trace, with a header line that names the columns. */
export function traceText(records: readonly TraceRecord[], name: VcpuNamer = slotName): string {
  const header = `${"time/ticks".padStart(12)} vcpu   event            detail\n`;
  return header + records.map((r) => `${traceLine(r, name)}\n`).join("");
}
