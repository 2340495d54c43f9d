/**
 * Guests that `bench ab` runs under two designs: each spends nearly all its time on one path of the hypervisor or the processor. They
 * run for ever; one operation is one turn of the loop.
 */
import { asm, assemble } from "../guests/asm/assembler.ts";
import type { KnobValues } from "../host/lib/knobs.ts";
import { createMachine, type Machine } from "../host/lib/machine.ts";
import { COUNTER_BASE, POST_PORT } from "../hv-core/abi/devices.ts";
import { DEVICE_AT_CORE } from "../hv-core/abi/knobs.ts";
import { FAULT_PROGRAM, PROGRAM_BASE, PROGRAM_RAM, PROGRAMS } from "./programs.ts";

/** One side of a comparison: a build and the knobs it runs with. */
export interface Design {
  readonly label: string;
  /** The build's bytes: bench ab compiles it anew for each pair of machines. */
  readonly build: Uint8Array<ArrayBuffer>;
  readonly knobs: KnobValues;
}

export interface Workload {
  readonly name: string;
  readonly what: string;
  readonly source: string;
  /** Knobs the workload needs, unless the design sets them. */
  readonly knobs?: KnobValues;
}

const loop = (before: string, body: string): string => asm`
        bits 32
        org ${PROGRAM_BASE}
start:  mov edx, ${POST_PORT}
        mov edi, ${COUNTER_BASE}
        ${before}
loop:   ${body}
        jmp loop
`;

const inCore = { "device.at": DEVICE_AT_CORE };

export const WORKLOADS: readonly Workload[] = [
  ...[...PROGRAMS, FAULT_PROGRAM].map(({ name, what, source }) => ({ name, what, source })),
  { name: "port OUT, core", what: "exit, port handler in the core", source: loop("", "out dx, al"), knobs: inCore },
  { name: "port OUT, host", what: "exit, ioreq, device model in the host", source: loop("", "out dx, al") },
  {
    name: "MMIO store, core",
    what: "EPT violation, replay, handler in the core",
    source: loop("", "mov [edi], eax"),
    knobs: inCore,
  },
  {
    name: "MMIO store, host",
    what: "EPT violation, ioreq, device model in the host",
    source: loop("", "mov [edi], eax"),
  },
  {
    name: "CPUID",
    what: "an exit that the hypervisor answers at once",
    source: loop("", "xor eax, eax\n        cpuid"),
  },
];

/** Instructions before anything is measured: page tables are built, the first exits are over. */
const SETUP = 250_000;

export interface Runner {
  readonly machine: Machine;
  /** Runs so many instructions. */
  run(instructions: number): void;
}

/** A machine that has run the workload's set-up under `design`. */
export function startWorkload(workload: Workload, design: Design, wasm: WebAssembly.Module): Runner {
  const memoryBytes = PROGRAM_RAM;
  const machine = createMachine(wasm, { memoryBytes, vcpus: 1, knobs: { ...workload.knobs, ...design.knobs } });
  const segments = assemble(workload.source).sections.map((s) => ({
    gpa: s.address,
    data: s.bytes,
    memBytes: s.bytes.length,
  }));
  const image = { format: "flat", description: workload.name, entry: PROGRAM_BASE, segments } as const;
  machine.createGuest({ image, memoryBytes, vcpus: 1, cmdline: "", modules: [] });
  const run = (instructions: number): void => {
    const end = machine.run({ maxInstructions: instructions });
    if (end.kind !== "budget") throw new Error(`${workload.name}: the guest stopped (${end.kind})`);
  };
  run(SETUP);
  return { machine, run };
}
