/** F-5: two toolstack programs pause the same domain, and the first to finish lets it run under the other. */
import { DOM_CONTROLLER_PAUSE } from "../../../../hv-core/abi/domain.ts";
import { DOMCTL_PAUSEDOMAIN, DOMCTL_UNPAUSEDOMAIN } from "../../../../hv-core/abi/hypercalls.ts";
import { word } from "../../explore/actors.ts";
import { program, store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { type ToolstackActor, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { describeDomctls } from "../domctl-state.ts";
import { domctlStep } from "../domctl-step.ts";

const CODE = 0x1000;
const DATA = 0x2000;

export const pauseCount = defineRace({
  name: "pause-count",
  id: "F-5",
  title: "Two controllers pause one domain",
  lesson:
    "Until 2014 the pause of a domain by its toolstack was a flag: the second pause did nothing, and one unpause ended both. A debugger that pauses a domain to look at it while a migration does the same finds it running. A " +
    "count gives each pause its own unpause; it must be bounded, because a count that wraps is a flag again.",
  variants: {
    flag: { text: "the pause is a flag", knobs: { "domctl.defects": 4 }, expect: "stays-paused" },
    fixed: { text: "the pauses are counted", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const code = program(CODE, [store32(DATA, 1)]);
    const world = createWorld(module, { pages: 4, programs: [code], knobs });
    const controller = (name: string, index: number): ToolstackActor =>
      toolstackActor(world, {
        name,
        index,
        program: [domctlStep("pauses the domain", DOMCTL_PAUSEDOMAIN), domctlStep("unpauses it", DOMCTL_UNPAUSEDOMAIN)],
      });
    const controllers = [controller("debugger", 1), controller("migration", 2)];
    const counts = (c: ToolstackActor): boolean => c.done() === 1 && !world.continuations.suspension(c.index);
    return {
      world,
      describeState: () => describeDomctls(world),
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...code }), ...controllers],
      invariants: [
        {
          name: "stays-paused",
          text: "between a controller's pause and its unpause the domain is paused",
          always() {
            if (word(world, world.domainAt + DOM_CONTROLLER_PAUSE) !== 0) return undefined;
            const who = controllers.find(counts);
            return who && `${who.name} has paused the domain and not unpaused it, and it runs`;
          },
        },
      ],
    };
  },
});
