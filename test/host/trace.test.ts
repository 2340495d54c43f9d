/** Trace records: decode, text and Chrome JSON of a small hand-made run. */
import { describe, expect, it } from "vitest";
import { chromeTrace } from "../../host/lib/trace/chrome.ts";
import { eventName, readTrace } from "../../host/lib/trace/decode.ts";
import { traceLine, traceText } from "../../host/lib/trace/text.ts";
import { EXIT_EPT_VIOLATION, EXIT_HLT } from "../../hv-core/abi/exits.ts";
import { TRACE_BASE, TRACE_HEADER_SIZE, TRACE_RECORD_SIZE, TRACE_RECORDS } from "../../hv-core/abi/layout.ts";
import * as trc from "../../hv-core/abi/trace-events.ts";
import { fakeCore } from "./fake-core.ts";

type Row = [time: bigint, event: number, vcpu: number, a: number, b: bigint, c: bigint];

const ready = 0 | (1 << 8) | (1 << 16);
const none = 0 | (0 << 8) | (1 << 16);
const rows: Row[] = [
  [100n, trc.TRC_EXIT, 1, EXIT_EPT_VIOLATION, 0x182n, 0xfe00_0000n],
  [100n, trc.TRC_IOREQ_STATE, 1, ready, 0xfe00_0000n, 0x2an],
  [100n, trc.TRC_HYPERCALL, 0xffff, 32, 4n, 0x1000n],
  [100n, trc.TRC_HYPERCALL_RESULT, 0xffff, 32, 0n, 0n],
  [100n, trc.TRC_IOREQ_STATE, 1, none, 0xfe00_0000n, 0x2an],
  [100n, trc.TRC_ENTRY, 1, EXIT_EPT_VIOLATION, 0n, 0n],
  [140n, trc.TRC_EXIT, 1, EXIT_HLT, 0n, 0x10_0003n],
  [140n, trc.TRC_SHUTDOWN, 1, 1, 0n, 0n],
];

function filled(start = 0) {
  const core = fakeCore();
  rows.forEach(([time, event, vcpu, a, b, c], i) => {
    const at = TRACE_BASE + TRACE_HEADER_SIZE + ((start + i) % TRACE_RECORDS) * TRACE_RECORD_SIZE;
    core.view.setBigUint64(at + trc.TRACE_TIME, time, true);
    core.view.setUint16(at + trc.TRACE_EVENT, event, true);
    core.view.setUint16(at + trc.TRACE_VCPU, vcpu, true);
    core.view.setUint32(at + trc.TRACE_A, a, true);
    core.view.setBigUint64(at + trc.TRACE_B, b, true);
    core.view.setBigUint64(at + trc.TRACE_C, c, true);
  });
  core.view.setUint32(TRACE_BASE + trc.TRACE_NEXT, start + rows.length, true);
  return core;
}

describe("decode", () => {
  it("reads records oldest first", () => {
    const records = readTrace(filled());
    expect(records.map((r) => [r.index, eventName(r.event), r.vcpu])).toEqual([
      [0, "exit", 1],
      [1, "ioreq_state", 1],
      [2, "hypercall", -1],
      [3, "hypercall_result", -1],
      [4, "ioreq_state", 1],
      [5, "entry", 1],
      [6, "exit", 1],
      [7, "shutdown", 1],
    ]);
  });

  it("reads over the wrap of the ring", () => {
    const records = readTrace(filled(TRACE_RECORDS - 3), rows.length);
    expect(records.map((r) => r.time)).toEqual(rows.map(([time]) => time));
  });
});

describe("text", () => {
  it("says what happened", () => {
    expect(traceText(readTrace(filled())).split("\n")).toEqual([
      "  time/ticks vcpu   event            detail",
      "         100 slot1  exit             EPT_VIOLATION gpa 0xfe000000 access -w- entry ---",
      "         100 slot1  ioreq_state      server 0 READY mmio write 0xfe000000 data 0x2a",
      "         100 -      hypercall        event_channel_op(0x4, 0x1000)",
      "         100 -      hypercall_result event_channel_op = 0",
      "         100 slot1  ioreq_state      server 0 NONE mmio write 0xfe000000 data 0x2a",
      "         100 slot1  entry            after EPT_VIOLATION: done",
      "         140 slot1  exit             HLT rip 0x100003",
      "         140 slot1  shutdown         domain 1 reason 0",
      "",
    ]);
  });

  it("names errors of hypercalls", () => {
    const line = traceLine({
      index: 0,
      time: 1n,
      event: trc.TRC_HYPERCALL_RESULT,
      vcpu: 0,
      a: 12,
      b: BigInt.asUintN(64, -38n),
      c: 0n,
    });
    expect(line).toContain("memory_op = -ENOSYS");
  });
});

describe("Chrome JSON", () => {
  const file = JSON.parse(chromeTrace(readTrace(filled()))) as { traceEvents: Record<string, unknown>[] };
  const slices = file.traceEvents.filter((e) => e.ph === "X");

  it("uses only slices, metadata and flows", () => {
    expect(new Set(file.traceEvents.map((e) => e.ph))).toEqual(new Set(["X", "M", "s", "f"]));
    for (const e of slices) expect(e).toMatchObject({ ts: expect.any(Number), dur: expect.any(Number) });
  });

  it("shows an exit as one slice around what the hypervisor did", () => {
    const exit = slices.find((e) => e.name === "EPT_VIOLATION");
    expect(exit).toMatchObject({ pid: 1, tid: 2, ts: 0, dur: 5 });
    expect(slices.find((e) => e.name === "guest")).toMatchObject({ pid: 1, tid: 2, ts: 5, dur: 41 });
  });

  it("connects the exit and the device by numeric flow ids", () => {
    const flows = file.traceEvents.filter((e) => e.ph === "s" || e.ph === "f");
    expect(flows.map((e) => [e.ph, e.id, e.pid])).toEqual([
      ["s", 2, 1],
      ["f", 2, 2],
      ["s", 3, 2],
      ["f", 3, 1],
    ]);
  });
});
