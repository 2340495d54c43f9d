/** A machine with one flat guest of 32-bit code for a study, booted and past its set-up. */
import { asm, assemble } from "../guests/asm/assembler.ts";
import { readCounter } from "../host/lib/counters.ts";
import type { DomId } from "../host/lib/ids.ts";
import type { KnobValues } from "../host/lib/knobs.ts";
import { createMachine, type Machine } from "../host/lib/machine.ts";
import { CTR_INSTRUCTIONS } from "../hv-core/abi/counters.ts";

export const CODE = 0x10_0000;

export interface Loop {
  readonly machine: Machine;
  readonly domid: DomId;
  /** Runs for a budget of so many instructions; exits use it up, too. */
  run(instructions: number): void;
  /** Runs until so many instructions have retired, however many exits that takes. */
  retire(instructions: number): void;
}

/** `body` runs for ever after `before`; without paging, flat segments. */
export function startLoop(
  wasm: WebAssembly.Module,
  settings: { readonly knobs: KnobValues; readonly memoryBytes: number; readonly vcpus?: number },
  before: string,
  body: string,
): Loop {
  const { knobs, memoryBytes } = settings;
  const vcpus = settings.vcpus ?? 1;
  const machine = createMachine(wasm, { memoryBytes, vcpus, knobs });
  const source = asm`
        bits 32
        org ${CODE}
start:  ${before}
loop:   ${body}
        jmp loop
`;
  const segments = assemble(source).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const image = { format: "flat", description: "study", entry: CODE, segments } as const;
  const { domid } = machine.createGuest({ image, memoryBytes, vcpus, cmdline: "", modules: [] });
  const run = (instructions: number): void => {
    const end = machine.run({ maxInstructions: instructions });
    if (end.kind !== "budget") throw new Error(`the guest of the study stopped (${end.kind})`);
  };
  const retired = (): number => readCounter(machine.core, CTR_INSTRUCTIONS);
  const retire = (instructions: number): void => {
    const goal = retired() + instructions;
    for (let left = instructions; left > 0; left = goal - retired()) run(left);
  };
  return { machine, domid, run, retire };
}
