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
import { DEVICE_AT_CORE, DEVICE_AT_HOST } from "../../hv-core/abi/knobs.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";

const BASE = 0x10_0000;
/** Device memory of servers that have nothing to do. */
const CROWD_BASE = 0x1_0000_0000;
const MEMORY = 0x40_0000;
/** Instructions per sample. How many round trips that is depends on the access: OUT does not retire in the processor. */
const COUNT = 20_000;
const WARM_UP = 1000;

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

/** Further servers that are enabled and have all the ranges they may have, none of them the device's. */
function crowd(dom0: Dom0, domid: DomId, servers: number): void {
  for (let i = 0; i < servers; i++) {
    const server = createIoreqServer(dom0, domid, BUFIOREQ_OFF);
    for (let range = 0; range < MAX_NR_IO_RANGES; range++) {
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
  others = 0,
): Contestant {
  const machine = createMachine(wasm, { memoryBytes: MEMORY, vcpus: 1, knobs: { "device.at": deviceAt } });
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
  return { name, operations: exits() - before, call: () => run(COUNT) };
}

const AIMS: Readonly<Record<number, string>> = { [DEVICE_AT_HOST]: ">= 1.5", [DEVICE_AT_CORE]: ">= 5" };

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
  const store = LOOPS["MMIO store"]!;
  const [alone, ...crowded] = measure(
    [0, 1, 4].map((n) =>
      ioContestant(wasm, `MMIO store, host, ${n} more servers of 256 ranges`, store, DEVICE_AT_HOST, n),
    ),
    effort,
  );
  rows.push({ measurement: alone!, unit: "M/s" });
  for (const measurement of crowded) rows.push({ measurement, unit: "M/s", against: alone! });
  const notes = [
    "for scale (quoted, another run): port OUT 29 to 39 M/s in emulators without a hypervisor below; EPT violation under Bochs' VMX 0.27 M/s",
  ];
  return { title: "Device round trips (millions per second)", rows, notes };
}
