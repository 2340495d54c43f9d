/** C-8: a request that goes to all device models, and whose first answer is taken for all of them. */
import { store32 } from "../../explore/code.ts";
import { createServer, deviceActor } from "../../explore/device-actor.ts";
import { removePage } from "../../explore/hypercall-steps.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { MMIO, mmioGuest } from "../mmio-guest.ts";

const REMOVED = 0x3000;

export const firstAnswerOnly = defineRace({
  name: "first-answer-only",
  id: "C-8",
  title: "The guest runs on before every device model has dropped its mappings",
  lesson:
    "When a page is taken away from a guest, every device model has to drop its mapping of it, and the vCPU waits for all of them " +
    "(INVALIDATE goes to every server). The completion looked for the first server with a pending request, waited for that one, and let " +
    "the vCPU go: the other one may still use the page, and the vCPU's next request finds its slot occupied. The repair " +
    "(da20c93108): look again until no request is pending.",
  variants: {
    first: { text: "one answer is waited for", knobs: { "mapcache.invalidate": 1 }, expect: "assert" },
    fixed: { text: "all answers are waited for", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs, [store32(MMIO, 1)]);
    const { world, end, programs } = guest;
    const second = createServer(world, {});
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, { name: "toolstack", index: 1, program: [removePage(REMOVED)] }),
        deviceActor(world, { name: "first", index: 2, end }),
        deviceActor(world, { name: "second", index: 3, end: second }),
      ],
      invariants: [],
    };
  },
});
