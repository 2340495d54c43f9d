/** vmexit monitor: what it catches, that the guest does not notice, and wrong usage. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import { main } from "../../host/cli/program.ts";
import { loadImage } from "../../host/lib/loader/detect.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { createMonitor, type MonitorEvent } from "../../host/lib/monitor/monitor.ts";
import { memAccessSet } from "../../host/lib/toolstack/vm-event.ts";
import { openListener } from "../../host/lib/vm-event/listener.ts";
import { loadGuest } from "../../host/node/guests.ts";
import { ROOT } from "../../host/node/paths.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { P2M_ACCESS_N } from "../../hv-core/abi/p2m-types.ts";
import { EVF_EMULATE, EVF_VCPU_PAUSED, VM_EVENT_MODE_MONITOR } from "../../hv-core/abi/vm-event.ts";

async function vmexit(...args: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = "";
  let err = "";
  const stdout = vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  const stderr = vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    err += String(text);
    return true;
  });
  try {
    return { code: await main(args), out, err };
  } finally {
    stdout.mockRestore();
    stderr.mockRestore();
  }
}

interface Report {
  readonly format: string;
  readonly outcome: string;
  readonly count: number;
  readonly console: string;
  readonly events: readonly { kind: string; gfn: number; offset: number; rip: string; vcpu: number }[];
}
const json = async (...args: string[]): Promise<Report> => JSON.parse((await vmexit(...args, "--json")).out) as Report;
const consoleOf = (guest: string): string =>
  (JSON.parse(readFileSync(join(ROOT, "guests", guest, "expect.json"), "utf8")) as { console: string }).console;

describe("the intruder", () => {
  it("is caught patching a routine and running code from data", async () => {
    const report = await json("monitor", "intruder", "--write", "0x300", "--execute", "0x301");
    expect(report).toMatchObject({ format: "vmexit-monitor", outcome: "poweroff", count: 6 });
    expect(report.events.map((e) => [e.kind, e.gfn, e.offset])).toEqual([
      ["write", 0x300, 0],
      ["write", 0x300, 4],
      ["write", 0x300, 1],
      ["execute", 0x301, 0],
      ["execute", 0x301, 1],
      ["execute", 0x301, 6],
    ]);
    expect(report.events[3]!.rip).toBe("0x301000");
    expect(report.console).toBe(consoleOf("intruder"));
  });

  it("is reported line by line, and the rest counted", async () => {
    const { code, out } = await vmexit("monitor", "intruder", "--write", "0x300-0x301", "--max-events", "1");
    expect(code).toBe(0);
    expect(out).toMatch(
      /^vcpu 0 at 0x1000[0-9a-f]{2} writes 0x300000 \(gfn 0x300\)\n5 event\(s\), the first 1 shown; the guest ended: poweroff\n$/,
    );
  });
});

it("a snapshot has the ring and what is restricted: the same events again, and the same state", async () => {
  const loaded = loadImage((await loadGuest("intruder")).build());
  if (!loaded.ok) throw new Error("the guest is no image");
  const memoryBytes = 8 << 20;
  using machine = createMachine(compileBuild("release"), { memoryBytes });
  const { domid } = machine.createGuest({ image: loaded.value, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
  let seen: MonitorEvent[] = [];
  const monitor = createMonitor({
    dom0: machine.dom0,
    domid,
    write: [0x300],
    execute: [0x301],
    onEvent: (event) => void seen.push(event),
  });
  machine.attachListener(monitor.listener, monitor.serve);
  while (seen.length < 2) machine.run({ maxInstructions: 1 });
  const snapshot = machine.snapshot();
  const play = (): readonly unknown[] => {
    seen = [];
    machine.run({ maxInstructions: 1_000_000 });
    return [seen, machine.stateHash(), machine.traceHash()];
  };
  const first = play();
  expect(seen.length).toBe(4);
  machine.restore(snapshot);
  expect(play()).toEqual(first);
});

it.each([
  ["exceptions", "its image, stack and descriptor tables", 0x100, 0x110],
  ["long-mode", "its page tables", 0x400, 0x410],
] as const)("%s runs with no right at all to %s, one instruction at a time", async (name, _, first, last) => {
  const loaded = loadImage((await loadGuest(name)).build());
  if (!loaded.ok) throw new Error("the guest is no image");
  const memoryBytes = 64 << 20;
  using machine = createMachine(compileBuild("release"), { memoryBytes });
  const { domid } = machine.createGuest({ image: loaded.value, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
  const listener = openListener(machine.dom0, domid, VM_EVENT_MODE_MONITOR);
  memAccessSet(machine.dom0, domid, P2M_ACCESS_N, first, last - first + 1);
  machine.attachListener(listener, () => {
    for (let request = listener.next(); request; request = listener.next()) {
      listener.respond(request, (request.flags & EVF_VCPU_PAUSED) | EVF_EMULATE);
      listener.notify();
    }
  });
  machine.run({ maxInstructions: 400_000 });
  expect([machine.ended(domid)?.outcome, machine.console()]).toEqual(["poweroff", consoleOf(name)]);
});

it.each(["long-mode", "exceptions", "hello", "timer"])(
  "%s does not notice that all writes to its image and every instruction are watched",
  async (guest) => {
    const report = await json(
      "monitor",
      guest,
      "--write",
      "0x100-0x103",
      "--execute",
      "0x100-0x103",
      "--max-events",
      "1",
    );
    expect([report.outcome, report.console]).toEqual(["poweroff", consoleOf(guest)]);
    expect(report.count).toBeGreaterThan(500);
  },
  60_000,
);

it.each([
  [["monitor", "intruder"], /nothing to watch/],
  [["monitor", "intruder", "--write", "here"], /--write "here" is not a guest frame/],
  [["monitor", "intruder", "--execute", "9-3"], /is not a guest frame/],
  [["monitor", "intruder", "--write", "0x99999999"], /has no such page/],
  [["monitor", "intruder", "--write", "1", "--max-events", "0"], /--max-events/],
  [["monitor"], /missing required argument/],
] as const)("%j is wrong usage", async (args, message) => {
  const { code, err } = await vmexit(...args);
  expect([code, err]).toEqual([2, expect.stringMatching(message)]);
});
