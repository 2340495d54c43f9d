/** C-6 (XSA-262): a hostile device model toggles the state of its slot while the hypervisor waits for it. */
import { STATE_IOREQ_INPROCESS, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../../../hv-core/abi/ioreq.ts";
import { defineRace } from "../../explore/race.ts";
import { hostileSetup } from "../hostile-emulator.ts";

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
  setup: (module, knobs) =>
    hostileSetup(module, knobs, {
      actor: "toggler",
      states: [STATE_IOREQ_INPROCESS, STATE_IOREQ_RESP_READY, STATE_IOREQ_READY],
      loops: true,
    }),
});
