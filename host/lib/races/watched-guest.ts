/** What the races of the ioreq_server page type start from: a guest with one watched page, whose writes go to an ioreq server. */
import { DMOP_MEM_ACCESS_WRITE } from "../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../hv-core/abi/p2m-types.ts";
import { type Instruction, type Program, program } from "../explore/code.ts";
import { createServer, type IoreqEnd, slotState } from "../explore/device-actor.ts";
import { describeDomain } from "../explore/state-text.ts";
import { createWorld, type World } from "../explore/world.ts";
import { mapMemType, setMemType } from "../toolstack/dm-op.ts";

/** The watched page, and one of plain RAM behind it. */
export const PAGE = 0x2000;
export const DATA = 0x3000;

/** Where the vCPUs' programs are. */
const CODE = [0x1000, 0x4000];

export type Settings = readonly (readonly [index: number, value: number])[];

export interface WatchedGuest {
  readonly world: World;
  readonly end: IoreqEnd;
  readonly programs: readonly Program[];
  slotStates(): readonly number[];
  describeState(): string;
}

/**
 * @param bodies the instructions of each vCPU.
 * @param isWatched false: the server has the type already, and no page has it yet.
 */
export function watchedGuest(
  module: WebAssembly.Module,
  knobs: Settings,
  bodies: readonly (readonly Instruction[])[],
  isWatched = true,
): WatchedGuest {
  const programs = bodies.map((body, vcpu) => program(CODE[vcpu]!, body));
  const world = createWorld(module, { pages: bodies.length > 1 ? 5 : 4, programs, knobs });
  const end = createServer(world, {});
  mapMemType(world.dom0, world.domid, end.server, DMOP_MEM_ACCESS_WRITE);
  if (isWatched) setMemType(world.dom0, world.domid, PAGE / 4096, 1, HVMMEM_IOREQ_SERVER);
  return {
    world,
    end,
    programs,
    slotStates: () => programs.map((_, vcpu) => slotState(world, end, vcpu)),
    describeState: () => describeDomain(world, end, PAGE),
  };
}
