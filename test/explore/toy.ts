/** Toy models: writers that do whatever their programs say, in a machine whose guest does nothing. */
import { openRace, type RaceInstance } from "../../host/lib/explore/instance.ts";
import { defineRace, type Invariant } from "../../host/lib/explore/race.ts";
import { createWorld, type World } from "../../host/lib/explore/world.ts";
import { type WriteStep, writerActor } from "../../host/lib/explore/writer-actor.ts";

export interface ToyActor {
  readonly steps: readonly WriteStep[];
  readonly loops?: boolean;
  readonly hasWork?: boolean;
}

export function toy(
  build: WebAssembly.Module,
  programs: readonly ToyActor[],
  invariants: (world: World) => Invariant[] = () => [],
): RaceInstance {
  const race = defineRace({
    name: "toy",
    id: "toy",
    title: "toy",
    lesson: "-",
    variants: { only: { text: "-", knobs: {}, expect: "clean" } },
    setup(module, knobs) {
      const world = createWorld(module, {
        pages: 3,
        programs: [{ gpa: 0x1000, code: new Uint8Array([0xeb, 0xfe]) }],
        knobs,
      });
      return {
        world,
        actors: programs.map((p, index) => {
          const actor = writerActor(world, { name: `w${index}`, index, program: p.steps, loops: p.loops ?? false });
          return p.hasWork ? { ...actor, hasWork: () => true } : actor;
        }),
        invariants: invariants(world),
        mayWaitForEver: true,
        describeState: () => "",
      };
    },
  });
  return openRace(build, race, "only");
}

export const cell = (world: World, n = 0): number => world.core.u32[world.guestAddress(0x2000 + n * 4) >> 2]!;
export function put(world: World, n: number, value: number): void {
  world.core.u32[world.guestAddress(0x2000 + n * 4) >> 2] = value;
}

export const nothing: WriteStep = { text: "nothing", run() {} };
export const times = (n: number): WriteStep[] => Array.from({ length: n }, () => nothing);
