/**
 * Time travel: what recording costs a run of 10,000,000 instructions, and how long going to places of it takes. The aim (200 ms) is for any place,
 * forwards and backwards, so the slowest of the samples counts too.
 */
import { assemble } from "../../guests/asm/assembler.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import { openSession } from "../../host/lib/travel/session.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { type Effort, type Measurement, measure } from "../harness.ts";
import { PROGRAM_BASE, PROGRAM_RAM, PROGRAMS } from "../programs.ts";
import type { Row, Table } from "../report.ts";

const INSTRUCTIONS = 10_000_000;
const AIM = "<= 200 ms";

function machineWith(source: string): Machine {
  const machine = createMachine(compileBuild("release"), { memoryBytes: PROGRAM_RAM, vcpus: 1 });
  const segments = assemble(source).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const image = { format: "pvh", description: "bench", entry: PROGRAM_BASE, segments } as const;
  machine.createGuest({ image, memoryBytes: PROGRAM_RAM, vcpus: 1, cmdline: "", modules: [] });
  return machine;
}

/** The same places every time, all over the run. */
function* places(): Generator<number, never> {
  for (let n = 1; ; n = (n * 48271) % 0x7fff_ffff) yield Math.floor((n / 0x7fff_ffff) * INSTRUCTIONS);
}

const slowest = (m: Measurement): string => `slowest ${(Math.max(...m.samples) / 1e6).toFixed(0)} ms`;

export function travelSuite(effort: Effort): Table {
  const rows: Row[] = [];
  const notes: string[] = [];
  for (const name of ["ALU loop", "memory loop, random"]) {
    const { source } = PROGRAMS.find((p) => p.name === name)!;
    const plain = machineWith(source);
    const start = plain.snapshot();
    const recorded = machineWith(source);
    const session = openSession(recorded);
    session.run({ maxInstructions: INSTRUCTIONS });
    const again = machineWith(source);
    const first = again.snapshot();
    const [straight, recording] = measure(
      [
        {
          name: `${name}: 10M instructions`,
          operations: 1,
          call() {
            plain.restore(start);
            plain.run({ maxInstructions: INSTRUCTIONS });
          },
        },
        {
          name: `${name}: 10M instructions, recorded`,
          operations: 1,
          call() {
            again.restore(first);
            openSession(again).run({ maxInstructions: INSTRUCTIONS });
          },
        },
      ],
      effort,
    );
    const next = places();
    const [seek, back] = measure(
      [
        { name: `${name}: go anywhere`, operations: 1, call: () => void session.seek(next.next().value) },
        { name: `${name}: one step back`, operations: 1, call: () => void session.stepBack() },
      ],
      effort,
    );
    rows.push({ measurement: straight!, unit: "ns" });
    rows.push({ measurement: recording!, unit: "ns", against: straight! });
    rows.push({ measurement: seek!, unit: "ns", against: straight!, aim: AIM, note: slowest(seek!) });
    rows.push({ measurement: back!, unit: "ns", against: straight!, aim: AIM });
    const { checkpoints, bytes } = session.usage;
    notes.push(
      `${name}: go anywhere: ${slowest(seek!)}; ${checkpoints} checkpoints, ${(bytes / 2 ** 20).toFixed(0)} MiB`,
    );
  }
  return { title: "Time travel", rows, notes };
}
