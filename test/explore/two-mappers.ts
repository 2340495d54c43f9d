/** A race for automatic windows: two device models ask for the page type; one must get it, the other -EBUSY. */

import { createServer } from "../../host/lib/explore/device-actor.ts";
import { defineRace } from "../../host/lib/explore/race.ts";
import { dmOpStep, toolstackActor } from "../../host/lib/explore/toolstack-actor.ts";
import { createWorld } from "../../host/lib/explore/world.ts";
import { EBUSY } from "../../hv-core/abi/errno.ts";
import { DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER, DMOP_MEM_ACCESS_WRITE } from "../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../hv-core/abi/p2m-types.ts";

export const twoMappers = defineRace({
  name: "two-mappers",
  id: "test",
  title: "Two device models take the page type at the same time",
  lesson: "",
  variants: { only: { text: "", knobs: {}, expect: "clean" } },
  setup(module, knobs) {
    const world = createWorld(module, {
      pages: 3,
      programs: [{ gpa: 0x1000, code: new Uint8Array([0xeb, 0xfe]) }],
      knobs,
    });
    const mappers = [0, 1].map((index) => {
      const { server } = createServer(world, {});
      const step = dmOpStep(
        "maps the page type to its server",
        DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
        (view, at) => {
          view.setUint16(at, server, true);
          view.setUint16(at + 2, HVMMEM_IOREQ_SERVER, true);
          view.setUint32(at + 4, DMOP_MEM_ACCESS_WRITE, true);
        },
        [-EBUSY],
      );
      return toolstackActor(world, { name: `mapper${index}`, index, program: [step] });
    });
    return {
      world,
      actors: mappers,
      invariants: [
        {
          name: "one-server",
          text: "one of them gets the type",
          atEnd: () =>
            mappers.filter((mapper) => mapper.resultOf(0) === 0).length === 1 ? undefined : "both got the type",
        },
      ],
      describeState: () => "",
    };
  },
});
