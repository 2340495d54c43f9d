/**
 * The trace as Chrome JSON (the trace event format), as Perfetto really shows it: X slices only, one track for each vCPU and for each vCPU's slot in
 * an ioreq server, numeric flow ids from the exit that sent a request to the device slice and back. Slices of a track are nested or apart, never half over
 * each other; a flow begins and ends inside a slice, and has both ends. What had not ended with the trace ends with it.
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
/** Track of records that belong to no vCPU; 0 would be the idle task. */
const TID_NONE = 65_536;
/** Tracks of a server: one for each vCPU, because requests of several may be under way. */
const TRACKS_OF_SERVER = 1024;

/** A slice whose end is not known yet. */
interface Open {
  readonly name: string;
  readonly start: number;
  readonly record: TraceRecord;
}

interface OpenRequest extends Open {
  readonly flow: number;
  readonly vcpuTid: number;
}

const VERDICT_BLOCK = 2n;

interface Writer {
  readonly events: ChromeEvent[];
  readonly vcpuName: VcpuNamer;
  readonly tracks: Set<string>;
  /** Exits that are handled, by track. */
  readonly exits: Map<number, Open>;
  /** Since when a vCPU runs guest code, or waits after an exit that blocked it. */
  readonly since: Map<number, Open>;
  /** Requests that a device model has, by track of the device. */
  readonly requests: Map<number, OpenRequest>;
  flows: number;
}

function nameTrack(w: Writer, pid: number, tid: number, name: string): void {
  if (w.tracks.has(`${pid}.${tid}`)) return;
  w.tracks.add(`${pid}.${tid}`);
  w.events.push({ ph: "M", name: "thread_name", pid, tid, args: { name } });
}

function nameProcess(w: Writer, pid: number, name: string): void {
  w.events.push({ ph: "M", name: "process_name", pid, tid: 0, args: { name } });
}

function closeSince(w: Writer, tid: number, ts: number): void {
  const open = w.since.get(tid);
  w.since.delete(tid);
  if (open && ts > open.start)
    w.events.push({ ph: "X", name: open.name, pid: PID_VCPUS, tid, ts: open.start, dur: ts - open.start });
}

function closeExit(w: Writer, tid: number, ts: number, verdict: string): void {
  const open = w.exits.get(tid);
  w.exits.delete(tid);
  if (!open) return;
  w.events.push({
    ph: "X",
    name: open.name,
    pid: PID_VCPUS,
    tid,
    ts: open.start,
    dur: ts - open.start,
    args: { detail: describe(open.record), verdict, time: String(open.record.time) },
  });
}

/** The device's slice, and with `answerTs` the way there and back; without, the trace ended before the answer. */
function closeRequest(w: Writer, tid: number, ts: number, answerTs: number | undefined): void {
  const open = w.requests.get(tid);
  w.requests.delete(tid);
  if (!open) return;
  const start = open.start + 1;
  const end = Math.max(start + 1, ts);
  const flow = (ph: "s" | "f", name: string, id: number, pid: number, track: number, at: number): void => {
    w.events.push({ ph, name, cat: "ioreq", id, pid, tid: track, ts: at, ...(ph === "f" ? { bp: "e" } : {}) });
  };
  flow("s", "ioreq", open.flow * 2, PID_VCPUS, open.vcpuTid, open.start);
  w.events.push({ ph: "X", name: open.name, pid: PID_DEVICES, tid, ts: start, dur: end - start });
  flow("f", "ioreq", open.flow * 2, PID_DEVICES, tid, start);
  if (answerTs === undefined) return;
  flow("s", "answer", open.flow * 2 + 1, PID_DEVICES, tid, end - 1);
  flow("f", "answer", open.flow * 2 + 1, PID_VCPUS, open.vcpuTid, answerTs);
}

function ioreq(w: Writer, r: TraceRecord, vcpuTid: number, ts: number): void {
  const server = r.a & 255;
  const state = (r.a >> 8) & 255;
  const tid = server * TRACKS_OF_SERVER + r.vcpu + 1;
  nameTrack(w, PID_DEVICES, tid, `ioreq server ${server}, slot of ${w.vcpuName(r.vcpu)}`);
  if (state === STATE_IOREQ_READY) {
    closeRequest(w, tid, ts, undefined);
    w.requests.set(tid, { name: describe(r), start: ts, record: r, flow: ++w.flows, vcpuTid });
  } else if (state === STATE_IOREQ_NONE) {
    if (w.since.get(vcpuTid)?.name === "blocked") {
      closeSince(w, vcpuTid, ts);
      w.since.set(vcpuTid, { name: "guest", start: ts, record: r });
    }
    closeRequest(w, tid, ts, ts);
  }
}

function add(w: Writer, r: TraceRecord, ts: number): void {
  const tid = r.vcpu < 0 ? TID_NONE : r.vcpu + 1;
  nameTrack(w, PID_VCPUS, tid, r.vcpu < 0 ? "no vCPU" : w.vcpuName(r.vcpu));
  if (r.event === TRC_EXIT) {
    closeSince(w, tid, ts);
    w.exits.set(tid, { name: exitName(r.a), start: ts, record: r });
    return;
  }
  if (r.event === TRC_ENTRY) {
    closeExit(w, tid, ts, describe(r));
    w.since.set(tid, { name: r.b === VERDICT_BLOCK ? "blocked" : "guest", start: ts, record: r });
    return;
  }
  const args = { detail: describe(r), time: String(r.time) };
  w.events.push({ ph: "X", name: eventName(r.event), pid: PID_VCPUS, tid, ts, dur: 1, args });
  if (r.event === TRC_IOREQ_STATE) ioreq(w, r, tid, ts);
}

export function chromeTrace(records: readonly TraceRecord[], vcpuName: VcpuNamer = slotName): string {
  const w: Writer = {
    events: [],
    vcpuName,
    tracks: new Set(),
    exits: new Map(),
    since: new Map(),
    requests: new Map(),
    flows: 0,
  };
  nameProcess(w, PID_VCPUS, "vCPUs (1 us = 1 tick or 1 record)");
  nameProcess(w, PID_DEVICES, "ioreq servers");
  const first = records[0]?.time ?? 0n;
  let ts = 0;
  records.forEach((r, i) => {
    ts = Number(r.time - first) + i;
    add(w, r, ts);
  });
  const end = ts + 1;
  for (const tid of [...w.since.keys()]) closeSince(w, tid, end);
  for (const tid of [...w.exits.keys()]) closeExit(w, tid, end, "the trace ends here");
  for (const tid of [...w.requests.keys()]) closeRequest(w, tid, end, undefined);
  return `{"displayTimeUnit":"ns","otherData":{"format":"vmexit-chrome-trace","version":"1"},"traceEvents":[\n${w.events.map((e) => JSON.stringify(e)).join(",\n")}\n]}\n`;
}
