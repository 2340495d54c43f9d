/** A vCPU as an actor: it runs real guest instructions, one a step, until it reaches the address where its program ends. */
import { CONT_RUN_VCPU } from "../../../hv-core/abi/continuation.ts";
import { peekVirtual, registers } from "../inspect.ts";
import { type Actor, WORK_IO, WORK_RUNNABLE } from "./actors.ts";
import type { World } from "./world.ts";

const LONGEST_INSTRUCTION = 15;

export interface VcpuActorOptions {
  readonly name: string;
  readonly index: number;
  /** vcpu_id in the guest. */
  readonly vcpu: number;
  /** Linear address of the first instruction that is not part of the race. */
  readonly end: number;
  /** Address of each instruction and what it does, for reports. */
  readonly instructions: readonly (readonly [address: number, text: string])[];
  /** For those that are not in `instructions`. */
  readonly textOf?: InstructionText;
  /** It goes round for ever, and nobody waits for it: the race is over without it. */
  readonly loops?: boolean;
}

/** Text of the first instruction of `code`. The page of races can do without a disassembler, which is larger than all the rest. */
export type InstructionText = (code: Uint8Array, rip: bigint, bitness: 16 | 32 | 64) => string | undefined;

/** The instruction that a vCPU of an ordinary guest runs next, out of its memory. */
function instructionAt(world: World, slot: number, textOf: InstructionText | undefined): string {
  const { rip, bitness } = registers(world.core, slot);
  const code = peekVirtual(world.core, world.domid, slot, rip, LONGEST_INSTRUCTION);
  return `${textOf?.(code, rip, bitness) ?? "the instruction"} at 0x${rip.toString(16)}`;
}

export function vcpuActor(world: World, options: VcpuActorOptions): Actor {
  const slot = world.vcpus[options.vcpu]!;
  const processor = slot + 1;
  const texts = new Map(options.instructions);
  const isThrough = (): boolean =>
    world.rip(options.vcpu) === options.end && (world.exports.vcpuWork(slot) & WORK_IO) === 0;
  return {
    name: options.name,
    index: options.index,
    role: `vCPU ${options.vcpu} of the guest, which runs ${options.instructions.length === 0 ? `until 0x${options.end.toString(16)}` : options.instructions.map(([, text]) => text).join("; ")}`,
    processor,
    isReady: () => !isThrough() && (world.exports.vcpuWork(slot) & WORK_RUNNABLE) !== 0,
    hasWork: () => !options.loops && (world.continuations.suspension(options.index) !== undefined || !isThrough()),
    next() {
      if ((world.exports.vcpuWork(slot) & WORK_IO) !== 0)
        return { word: "complete", text: "looks for the answer to its request" };
      return {
        word: "run",
        text: `runs ${texts.get(world.rip(options.vcpu)) ?? instructionAt(world, slot, options.textOf)}`,
      };
    },
    begin() {
      world.continuations.start(options.index, { kind: CONT_RUN_VCPU, args: [slot], processor });
    },
    ended() {},
  };
}
