/** C-6 (XSA-262): a hostile device model toggles the state of its slot while the hypervisor waits for it. */
import { STATE_IOREQ_INPROCESS, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../../../hv-core/abi/ioreq.ts";
import { store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { writerActor } from "../../explore/writer-actor.ts";
import { notifyStep, writeState } from "../hostile-emulator.ts";
import { MMIO, mmioGuest } from "../mmio-guest.ts";

export const slotStateToggled = defineRace({
  name: "slot-state-toggled",
  id: "C-6",
  title: "A device model keeps the hypervisor in a loop",
  lesson:
    "The loop that waits for an answer read the slot twice: once in the condition of the wait and once at its head. A device model " +
    "that writes RESP_READY for the one and READY for the other keeps a processor inside the hypervisor for ever (XSA-262). The repair " +
    "is to use one value for both, and to let the state only go forward.",
  variants: {
    reread: {
      text: "the condition of the wait and the head of the loop each read the slot",
      knobs: { "ioreq.wait": 2 },
      expect: "livelock",
    },
    fixed: { text: "one value decides, and it may only go forward", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs, [store32(MMIO, 1)]);
    const { world, end, programs } = guest;
    return {
      ...guest,
      hasHostileSlots: true,
      mayCrash: true,
      mayWaitForEver: true,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, { name: "notifier", index: 1, program: [notifyStep(end)] }),
        writerActor(world, {
          name: "toggler",
          index: 2,
          loops: true,
          program: [
            writeState(end, STATE_IOREQ_INPROCESS),
            writeState(end, STATE_IOREQ_RESP_READY),
            writeState(end, STATE_IOREQ_READY),
          ],
        }),
      ],
      invariants: [],
    };
  },
});
