/**
 * Round trips: a guest that does nothing but talk to a device, with the device model in the host and in the core. One operation is one
 * exit with all that follows: decode, replay, ioreq, event, answer, completion.
 */
import { asm, assemble } from "../../guests/asm/assembler.ts";
import type { Dom0 } from "../../host/lib/dom0.ts";
import type { DomId } from "../../host/lib/ids.ts";
import { createMachine } from "../../host/lib/machine.ts";
import { createIoreqServer, mapIoRange, setIoreqServerState } from "../../host/lib/toolstack/dm-op.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { COUNTER_BASE, POST_PORT } from "../../hv-core/abi/devices.ts";
import { BUFIOREQ_OFF, IO_RANGE_MEMORY, MAX_NR_IO_RANGES } from "../../hv-core/abi/ioreq.ts";
import { BUFFERED_WRITES, DEVICE_AT_CORE, DEVICE_AT_HOST } from "../../hv-core/abi/knobs.ts";
import { countersOf } from "../counted.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";
import type { Sweep } from "../sweep.ts";

const BASE = 0x10_0000;
/** Device memory of servers that have nothing to do. */
const CROWD_BASE = 0x1_0000_0000;
const MEMORY = 0x40_0000;
/** Instructions per sample. How many round trips that is depends on the access: OUT does not retire in the processor. */
const COUNT = 20_000;
const WARM_UP = 1000;

const ALONE: Crowd = { servers: 0, ranges: 0 };

const LOOPS: Readonly<Record<string, string>> = {
  "port OUT": asm`
        bits 32
        org ${BASE}
start:  mov edx, ${POST_PORT}
loop:   out dx, al
        jmp loop
`,
  "MMIO store": asm`
        bits 32
        org ${BASE}
start:  mov edi, ${COUNTER_BASE}
loop:   mov [edi], eax
        jmp loop
`,
};

interface Crowd {
  /** Servers beside the platform's own. */
  readonly servers: number;
  readonly ranges: number;
}

/** Further servers that are enabled and have ranges, none of them the device's. */
function crowd(dom0: Dom0, domid: DomId, { servers, ranges }: Crowd): void {
  for (let i = 0; i < servers; i++) {
    const server = createIoreqServer(dom0, domid, BUFIOREQ_OFF);
    for (let range = 0; range < ranges; range++) {
      const start = CROWD_BASE + (i * MAX_NR_IO_RANGES + range) * 0x2000;
      mapIoRange(dom0, domid, server, { space: IO_RANGE_MEMORY, start, end: start + 0xfff });
    }
    setIoreqServerState(dom0, domid, server, true);
  }
}

function ioContestant(
  wasm: WebAssembly.Module,
  name: string,
  source: string,
  deviceAt: number,
  others: Crowd = ALONE,
  buffered = 0,
): Contestant {
  const knobs = { "device.at": deviceAt, "ioreq.buffered": buffered };
  const machine = createMachine(wasm, { memoryBytes: MEMORY, vcpus: 1, knobs });
  const segments = assemble(source).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const image = { format: "flat", description: name, entry: BASE, segments } as const;
  const { domid } = machine.createGuest({ image, memoryBytes: MEMORY, vcpus: 1, cmdline: "", modules: [] });
  crowd(machine.dom0, domid, others);
  const run = (instructions: number): void => {
    const end = machine.run({ maxInstructions: instructions });
    if (end.kind !== "budget") throw new Error(`${name}: the guest stopped (${end.kind})`);
  };
  const exits = (): number => Object.values(machine.stats().exits).reduce((sum, count) => sum + count, 0);
  run(WARM_UP);
  const before = exits();
  run(COUNT);
  const operations = exits() - before;
  return { name, operations, call: () => run(COUNT), counters: () => countersOf(machine.core) };
}

/** Port I/O as guest code: one OUT after the other to a device in the core. */
export const portContestant = (wasm: WebAssembly.Module): Contestant =>
  ioContestant(wasm, "port I/O", LOOPS["port OUT"]!, DEVICE_AT_CORE);

const AIMS: Readonly<Record<number, string>> = { [DEVICE_AT_HOST]: ">= 1.5", [DEVICE_AT_CORE]: ">= 5" };

/** Servers and ranges of each, beside the platform's own: eight in all is what Xen allows. */
const CROWDS = [
  [1, 1],
  [1, 16],
  [1, 256],
  [3, 256],
  [7, 1],
  [7, 256],
] as const;

function crowdContestant(wasm: WebAssembly.Module, servers: number, ranges: number): Contestant {
  const name =
    servers === 0
      ? "MMIO store, host, no other server"
      : `MMIO store, host, ${servers} more server${servers > 1 ? "s" : ""} of ${ranges} range${ranges > 1 ? "s" : ""}`;
  return ioContestant(wasm, name, LOOPS["MMIO store"]!, DEVICE_AT_HOST, { servers, ranges });
}

export function ioSuite(effort: Effort): Table {
  const wasm = compileBuild("release");
  const rows: Row[] = [];
  for (const [what, source] of Object.entries(LOOPS)) {
    const contestants = [
      ioContestant(wasm, `${what}, device in the core`, source, DEVICE_AT_CORE),
      ioContestant(wasm, `${what}, device in the host`, source, DEVICE_AT_HOST),
    ];
    const [core, host] = measure(contestants, effort);
    rows.push({ measurement: core!, unit: "M/s", aim: AIMS[DEVICE_AT_CORE]! });
    rows.push({ measurement: host!, unit: "M/s", against: core!, aim: AIMS[DEVICE_AT_HOST]! });
  }
  const out = LOOPS["port OUT"]!;
  const [waited, buffered] = measure(
    [
      ioContestant(wasm, "port OUT, host, the guest waits", out, DEVICE_AT_HOST),
      ioContestant(wasm, "port OUT, host, buffered", out, DEVICE_AT_HOST, ALONE, BUFFERED_WRITES),
    ],
    effort,
  );
  rows.push({ measurement: waited!, unit: "M/s" }, { measurement: buffered!, unit: "M/s", against: waited! });
  const [alone, ...crowded] = measure(
    [crowdContestant(wasm, 0, 0), ...CROWDS.map(([servers, ranges]) => crowdContestant(wasm, servers, ranges))],
    effort,
  );
  rows.push({ measurement: alone!, unit: "M/s" });
  for (const measurement of crowded) rows.push({ measurement, unit: "M/s", against: alone! });
  const notes = [
    "for scale (quoted, another run): port OUT 29 to 39 M/s in emulators without a hypervisor below; EPT violation under Bochs' VMX 0.27 M/s",
  ];
  return { title: "Device round trips (millions per second)", rows, notes };
}

export const IO_SWEEPS: readonly Sweep[] = [
  {
    name: "MMIO store to a device model, other servers",
    sizeLabel: "other servers of 16 ranges",
    sizes: [1, 2, 4, 7],
    documented: "linear",
    why: "servers are asked one after the other",
    at: (servers) => crowdContestant(compileBuild("release"), servers, 16),
  },
  {
    name: "MMIO store to a device model, ranges of another server",
    sizeLabel: "ranges",
    sizes: [1, 4, 16, 64, 256],
    documented: "logarithmic",
    why: "the ranges of a server are a search tree",
    at: (ranges) => crowdContestant(compileBuild("release"), 1, ranges),
  },
];
