/** What most races of this folder start from: a guest that writes to the MMIO range of one ioreq server. */
import { type Instruction, type Program, program, store32 } from "../explore/code.ts";
import { createServer, type IoreqEnd, slotState } from "../explore/device-actor.ts";
import { describeDomain } from "../explore/state-text.ts";
import { createWorld, type World } from "../explore/world.ts";

export const CODE = 0x1000;
/** Not RAM: the page type is mmio_dm, and the server has the range. */
export const MMIO = 0x10_0000;

export interface MmioGuest {
  readonly world: World;
  readonly end: IoreqEnd;
  readonly programs: readonly Program[];
  slotStates(): readonly number[];
  describeState(): string;
}

export function mmioGuest(
  module: WebAssembly.Module,
  knobs: readonly (readonly [index: number, value: number])[],
  body: readonly Instruction[] = [store32(MMIO, 1), store32(MMIO + 4, 2)],
): MmioGuest {
  const programs = [program(CODE, body)];
  const world = createWorld(module, { pages: 4, programs, knobs });
  const end = createServer(world, { range: [MMIO, MMIO + 0xfff] });
  return {
    world,
    end,
    programs,
    slotStates: () => programs.map((_, vcpu) => slotState(world, end, vcpu)),
    describeState: () => describeDomain(world, end),
  };
}
