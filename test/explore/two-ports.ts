/** A race for automatic windows: two programs of dom0 ask for an event channel at the same time, and must get two. */
import { defineRace } from "../../host/lib/explore/race.ts";
import { toolstackActor } from "../../host/lib/explore/toolstack-actor.ts";
import { createWorld } from "../../host/lib/explore/world.ts";
import { EVTCHNOP_ALLOC_UNBOUND, HC_EVENT_CHANNEL_OP } from "../../hv-core/abi/hypercalls.ts";

const DOMID_SELF = 0x7ff0;
/** The argument stands behind the part of the program's page that is cleared after a call. */
const ARGUMENT = 512;
const PORT = ARGUMENT + 4;

export const twoPorts = defineRace({
  name: "two-ports",
  id: "test",
  title: "Two programs of dom0 ask for an event channel at the same time",
  lesson: "-",
  variants: { only: { text: "-", knobs: {}, expect: "clean" } },
  setup(module, knobs) {
    const world = createWorld(module, {
      pages: 3,
      programs: [{ gpa: 0x1000, code: new Uint8Array([0xeb, 0xfe]) }],
      knobs,
    });
    const programs = [0, 1].map((index) =>
      toolstackActor(world, {
        name: `program${index}`,
        index,
        program: [
          {
            text: "allocates an event channel",
            prepare({ core }, at, gpa) {
              core.view.setUint16(at + ARGUMENT, DOMID_SELF, true);
              core.view.setUint16(at + ARGUMENT + 2, world.domid, true);
              return [HC_EVENT_CHANNEL_OP, EVTCHNOP_ALLOC_UNBOUND, gpa + ARGUMENT];
            },
          },
        ],
      }),
    );
    const portOf = (index: number): number =>
      world.core.u32[(world.dom0.ramAt + (world.dom0.pages - 1 - index) * 4096 + PORT) >> 2]!;
    return {
      world,
      actors: programs,
      invariants: [
        {
          name: "two-ports",
          text: "each gets a channel of its own",
          atEnd: () => (portOf(0) !== portOf(1) ? undefined : `both got port ${portOf(0)}`),
        },
      ],
      describeState: () => "",
    };
  },
});
