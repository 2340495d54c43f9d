/**
 * The trace as Chrome JSON, as Perfetto really shows it: X slices only, one track for each vCPU and each ioreq server, numeric flow
 * ids from the exit that sent a request to the device slice and back.
 *
 * Time: hypervisor work costs no virtual time, so slices would have no length. One microsecond in the viewer is one virtual tick or
 * one trace record: ts = ticks since the first record + number of records since then. Order and durations in ticks stay readable.
 */
import { STATE_IOREQ_NONE, STATE_IOREQ_READY } from "../../../hv-core/abi/ioreq.ts";
import { TRC_ENTRY, TRC_EXIT, TRC_IOREQ_STATE } from "../../../hv-core/abi/trace-events.ts";
import { exitName } from "../exits.ts";
import { eventName, type TraceRecord } from "./decode.ts";
import { describe } from "./describe.ts";
import { slotName, type VcpuNamer } from "./text.ts";

interface ChromeEvent {
  readonly ph: "X" | "M" | "s" | "f";
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts?: number;
  readonly dur?: number;
  readonly id?: number;
  readonly bp?: "e";
  readonly cat?: string;
  readonly args?: Readonly<Record<string, string | number>>;
}

const PID_VCPUS = 1;
const PID_DEVICES = 2;
/** Track of records that belong to no vCPU. */
const TID_NONE = 0;

interface OpenSlice {
  readonly start: number;
  readonly record: TraceRecord;
}

const VERDICT_BLOCK = 2n;

export function chromeTrace(records: readonly TraceRecord[], vcpuName: VcpuNamer = slotName): string {
  const events: ChromeEvent[] = [];
  const tracks = new Set<string>();
  const track = (pid: number, tid: number, name: string): void => {
    if (tracks.has(`${pid}.${tid}`)) return;
    tracks.add(`${pid}.${tid}`);
    events.push({ ph: "M", name: "thread_name", pid, tid, args: { name } });
  };
  events.push({
    ph: "M",
    name: "process_name",
    pid: PID_VCPUS,
    tid: 0,
    args: { name: "vCPUs (1 us = 1 tick or 1 record)" },
  });
  events.push({ ph: "M", name: "process_name", pid: PID_DEVICES, tid: 0, args: { name: "ioreq servers" } });

  const openExits = new Map<number, OpenSlice>();
  const openRequests = new Map<string, OpenSlice & { readonly flow: number }>();
  /** Since when a vCPU runs guest code, or waits after an exit that blocked it. */
  const since = new Map<number, { readonly name: string; readonly start: number }>();
  const closeSince = (tid: number, ts: number): void => {
    const open = since.get(tid);
    if (open)
      events.push({ ph: "X", name: open.name, pid: PID_VCPUS, tid, ts: open.start, dur: Math.max(0, ts - open.start) });
    since.delete(tid);
  };
  const first = records[0]?.time ?? 0n;
  let flow = 0;

  records.forEach((r, i) => {
    const ts = Number(r.time - first) + i;
    const tid = r.vcpu < 0 ? TID_NONE : r.vcpu + 1;
    track(PID_VCPUS, tid, r.vcpu < 0 ? "no vCPU" : vcpuName(r.vcpu));
    if (r.event === TRC_EXIT) {
      closeSince(tid, ts);
      openExits.set(tid, { start: ts, record: r });
      return;
    }
    if (r.event === TRC_ENTRY) {
      const open = openExits.get(tid);
      openExits.delete(tid);
      if (open)
        events.push({
          ph: "X",
          name: exitName(open.record.a),
          pid: PID_VCPUS,
          tid,
          ts: open.start,
          dur: ts - open.start,
          args: { detail: describe(open.record), verdict: describe(r), time: String(open.record.time) },
        });
      since.set(tid, { name: r.b === VERDICT_BLOCK ? "blocked" : "guest", start: ts });
      return;
    }
    events.push({
      ph: "X",
      name: eventName(r.event),
      pid: PID_VCPUS,
      tid,
      ts,
      dur: 1,
      args: { detail: describe(r), time: String(r.time) },
    });
    if (r.event !== TRC_IOREQ_STATE) return;
    const server = r.a & 255;
    const state = (r.a >> 8) & 255;
    const key = `${server}.${r.vcpu}`;
    track(PID_DEVICES, server + 1, `ioreq server ${server}`);
    if (state === STATE_IOREQ_READY) {
      flow++;
      openRequests.set(key, { start: ts, record: r, flow });
      events.push({ ph: "s", name: "ioreq", cat: "ioreq", id: flow * 2, pid: PID_VCPUS, tid, ts });
    } else if (state === STATE_IOREQ_NONE) {
      if (since.get(tid)?.name === "blocked") {
        closeSince(tid, ts);
        since.set(tid, { name: "guest", start: ts });
      }
      const open = openRequests.get(key);
      if (!open) return;
      openRequests.delete(key);
      const start = open.start + 1;
      const dur = Math.max(1, ts - start);
      events.push({ ph: "X", name: describe(open.record), pid: PID_DEVICES, tid: server + 1, ts: start, dur });
      events.push({
        ph: "f",
        bp: "e",
        name: "ioreq",
        cat: "ioreq",
        id: open.flow * 2,
        pid: PID_DEVICES,
        tid: server + 1,
        ts: start,
      });
      events.push({
        ph: "s",
        name: "answer",
        cat: "ioreq",
        id: open.flow * 2 + 1,
        pid: PID_DEVICES,
        tid: server + 1,
        ts: start + dur - 1,
      });
      events.push({ ph: "f", bp: "e", name: "answer", cat: "ioreq", id: open.flow * 2 + 1, pid: PID_VCPUS, tid, ts });
    }
  });
  return `{"displayTimeUnit":"ns","otherData":{"format":"vmexit-chrome-trace","version":"1"},"traceEvents":[\n${events.map((e) => JSON.stringify(e)).join(",\n")}\n]}\n`;
}
