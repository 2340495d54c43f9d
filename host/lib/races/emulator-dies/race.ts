/** C-4 and N-5: the toolstack destroys an ioreq server while a vCPU waits for its answer. */
import { DMOP_DESTROY_IOREQ_SERVER } from "../../../../hv-core/abi/hypercalls.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { dmOpStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { mmioGuest } from "../mmio-guest.ts";

export const emulatorDies = defineRace({
  name: "emulator-dies",
  id: "C-4",
  title: "An ioreq server is destroyed with a request pending",
  lesson:
    "The server forgets its requests when it is destroyed. Xen 4.17 does not wake the vCPU that waits for one: it waits for ever " +
    "(found on a real machine: N-5). Waking it alone is not enough either: if only the collection of an answer ends a request, the " +
    "request stays latched and the guest goes on with it. The vCPU has to be woken, and the request ended whoever answered it.",
  variants: {
    "4.17": { text: "nobody tells the vCPU", knobs: {}, expect: "deadlock" },
    woken: {
      text: "the vCPU is woken, and the request stays as it is (before f7039ee41b)",
      knobs: { "destroy.pending": 2 },
      expect: "assert",
    },
    fixed: { text: "the vCPU is woken and the request is ended", knobs: { "destroy.pending": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs);
    const { world, end, programs } = guest;
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            dmOpStep("destroys the server", DMOP_DESTROY_IOREQ_SERVER, (view, at) =>
              view.setUint16(at, end.server, true),
            ),
          ],
        }),
        deviceActor(world, { name: "emulator", index: 2, end }),
      ],
      invariants: [],
    };
  },
});
