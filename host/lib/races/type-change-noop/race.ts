/** C-3: the sweep of an unmap looks for pages of the old type in a map that already shows the new one. */
import { store32 } from "../../explore/code.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { mapType, unmapType } from "../../explore/hypercall-steps.ts";
import { everyWriteOnce } from "../../explore/invariants.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { PAGE, watchedGuest } from "../watched-guest.ts";

export const typeChangeNoop = defineRace({
  name: "type-change-noop",
  id: "C-3",
  title: "A page type that can never be mapped again",
  lesson:
    "Unmapping a page type makes its entries stale, and then sweeps over the pages to repair them. The first version of the sweep asked " +
    "the map for each page's type and changed those that still had the old one. But a lookup shows a stale entry as what it is going to " +
    "be: no page ever had the old type, nothing was repaired, and the next map_mem_type failed with -EBUSY until the guest happened to " +
    "touch the pages. Whether it did was luck. The repair (eb13199100): let the sweep do what a touch does.",
  variants: {
    compare: {
      text: "the sweep changes pages whose type, as a lookup shows it, is still ioreq_server",
      knobs: { "unmap.reset": 4 },
      expect: "hypercall",
    },
    fixed: { text: "the sweep repairs every stale entry, as a touch would", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = watchedGuest(module, knobs, [[store32(PAGE, 1)]]);
    const { world, end, programs } = guest;
    const emulator = deviceActor(world, { name: "emulator", index: 2, end });
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [unmapType(end), mapType(end, "maps the page type again")],
        }),
        emulator,
      ],
      invariants: [everyWriteOnce(world, programs, [emulator], [{ vcpu: 0, index: 0, address: PAGE, value: 1 }])],
    };
  },
});
