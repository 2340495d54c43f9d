/**
 * `vmexit trace` against the trace event format as Perfetto reads it: phases and their fields, names of tracks, slices that nest, flows with both
 * ends inside slices. On traces of real guests, whole and cut off anywhere.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { vcpuNamer } from "../../host/lib/inspect.ts";
import { chromeTrace } from "../../host/lib/trace/chrome.ts";
import type { TraceRecord } from "../../host/lib/trace/decode.ts";
import { traceRun } from "../../host/lib/travel/whole-trace.ts";
import { ROOT } from "../../host/node/paths.ts";
import { boot } from "../travel/support.ts";

interface Event {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  readonly ts: number;
  readonly dur: number;
  readonly id: number;
  readonly cat: string;
  readonly bp?: string;
  readonly args?: Record<string, unknown>;
}

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  X: ["ph", "name", "pid", "tid", "ts", "dur", "args"],
  M: ["ph", "name", "pid", "tid", "args"],
  s: ["ph", "name", "cat", "id", "pid", "tid", "ts"],
  f: ["ph", "name", "cat", "id", "pid", "tid", "ts", "bp"],
};

const isCount = (n: unknown): boolean => Number.isSafeInteger(n) && (n as number) >= 0;
const track = (e: Event): string => `${e.pid}.${e.tid}`;

function groupBy<T, K>(items: Iterable<T>, key: (item: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group) group.push(item);
    else groups.set(key(item), [item]);
  }
  return groups;
}

/** Every rule, once; @returns what breaks one. */
function problems(events: readonly Event[]): string[] {
  const found: string[] = [];
  const say = (e: Event, what: string): void => void found.push(`${what}: ${JSON.stringify(e)}`);
  const named = new Set(events.filter((e) => e.name === "thread_name").map(track));
  const processes = new Set(events.filter((e) => e.name === "process_name").map((e) => e.pid));
  for (const e of events) {
    const fields = FIELDS[e.ph];
    if (!fields) say(e, "no such phase");
    else for (const field of Object.keys(e)) if (!fields.includes(field)) say(e, `field ${field}`);
    if (typeof e.name !== "string" || e.name === "") say(e, "no name");
    if (!isCount(e.pid) || e.pid === 0 || !isCount(e.tid)) say(e, "pid or tid");
    if (e.ph === "M") {
      if (!["process_name", "thread_name"].includes(e.name) || typeof e.args?.name !== "string") say(e, "metadata");
      continue;
    }
    if (!isCount(e.ts)) say(e, "ts");
    if (e.ph === "X" && (!isCount(e.dur) || e.dur === 0)) say(e, "dur");
    if ((e.ph === "s" || e.ph === "f") && (!isCount(e.id) || !e.cat)) say(e, "flow id");
    if (e.ph === "f" && e.bp !== "e") say(e, "bp");
    if (!named.has(track(e)) || !processes.has(e.pid)) say(e, "unnamed track");
  }
  const slices = groupBy(
    events.filter((e) => e.ph === "X"),
    track,
  );
  for (const list of slices.values()) {
    const open: Event[] = [];
    for (const e of list.sort((a, b) => a.ts - b.ts || b.dur - a.dur)) {
      while (open.length > 0 && open.at(-1)!.ts + open.at(-1)!.dur <= e.ts) open.pop();
      const outer = open.at(-1);
      if (outer && e.ts + e.dur > outer.ts + outer.dur) say(e, `half over ${JSON.stringify(outer)}`);
      open.push(e);
    }
  }
  const flows = groupBy(
    events.filter((e) => e.ph === "s" || e.ph === "f"),
    (e) => e.id,
  );
  for (const [, ends] of flows) {
    const [from, to] = [ends.find((e) => e.ph === "s"), ends.find((e) => e.ph === "f")];
    if (ends.length !== 2 || !from || !to) say(ends[0]!, "a flow needs one start and one finish");
    else if (from.name !== to.name || from.cat !== to.cat || from.ts > to.ts) say(to, "ends do not fit");
    for (const e of ends) {
      const isInside = (slices.get(track(e)) ?? []).some((s) => s.ts <= e.ts && e.ts < s.ts + s.dur);
      if (!isInside) say(e, "outside every slice");
    }
  }
  return found;
}

const parse = (text: string): Event[] => (JSON.parse(text) as { traceEvents: Event[] }).traceEvents;

describe.each(["mmio", "smp-spinlock", "timer", "demo", "port-io"])("guest %s", (name) => {
  it("gives a trace that keeps the rules, whole and cut", async () => {
    const { machine } = await boot(name);
    const { records, isCut } = traceRun(machine, 200_000, 20_000);
    expect(records.length).toBeGreaterThan(20);
    expect(isCut).toBe(false);
    const namer = vcpuNamer(machine.core);
    const check = (part: readonly TraceRecord[]): void => expect(problems(parse(chromeTrace(part, namer)))).toEqual([]);
    check(records);
    for (let i = 1; i < 8; i++) check(records.slice(i * 3, records.length - i * 7));
    check(records.slice(0, 1));
    check([]);
  });
});

it("has a track for each actor and flows from each request to its completion", async () => {
  const { machine } = await boot("demo");
  const events = parse(chromeTrace(traceRun(machine, 100_000, 20_000).records, vcpuNamer(machine.core)));
  const names = events.filter((e) => e.name === "thread_name").map((e) => e.args!.name);
  expect(names).toEqual(expect.arrayContaining(["d0v0", "d1v0", "ioreq server 0, slot of d1v0"]));
  expect(new Set(names).size).toBe(names.length);
  const sent = events.filter((e) => e.name === "ioreq_state" && String(e.args!.detail).includes("READY"));
  const completed = machine.stats().counters.ioreqCompleted!;
  expect(events.filter((e) => e.ph === "s" && e.name === "ioreq")).toHaveLength(sent.length);
  expect(events.filter((e) => e.ph === "f" && e.name === "answer")).toHaveLength(completed);
});

it("keeps the first events when there are too many", async () => {
  const { machine } = await boot("mmio");
  const { records, isCut } = traceRun(machine, 1e6, 100);
  expect([records.length, isCut]).toEqual([100, true]);
});

describe("vmexit trace", () => {
  const vmexit = (...args: string[]) =>
    spawnSync(process.execPath, [join(ROOT, "dist/host/cli/main.js"), "trace", ...args], {
      encoding: "utf8",
      maxBuffer: 2 ** 28,
    });

  it("writes JSON, or text", () => {
    const json = vmexit("mmio", "--max-instructions", "500");
    expect(json.status).toBe(0);
    expect(problems(parse(json.stdout))).toEqual([]);
    const text = vmexit("mmio", "--text", "--events", "5");
    expect(text.stdout.split("\n")).toHaveLength(7);
    expect(text.stderr).toContain("only the first 5 events");
    expect(vmexit("mmio", "--events", "0").status).toBe(2);
    expect(vmexit("nosuch").status).toBe(2);
  });
});
