/** C-5 (XSA-166): the state of a slot is checked, read again, and the second value picks a place in a jump table. */
import { STATE_IOREQ_RESP_READY } from "../../../../hv-core/abi/ioreq.ts";
import { defineRace } from "../../explore/race.ts";
import { hostileSetup } from "../hostile-emulator.ts";

/** No state has this number. */
const IMPOSSIBLE = 9;

export const slotStateReadTwice = defineRace({
  name: "slot-state-read-twice",
  id: "C-5",
  title: "The hypervisor jumps by a value it has not checked",
  lesson:
    "A switch over a field in shared memory can be compiled to two reads: one against the size of the jump table, one for the jump. A " +
    "device model that changes the field in between makes the hypervisor jump anywhere (XSA-166). The source looks innocent; the repair " +
    "is to read the field once, with a barrier that keeps the compiler from reading it again.",
  variants: {
    "check-then-jump": {
      text: "the state is read once for the check and once for the jump",
      knobs: { "ioreq.wait": 3 },
      expect: "assert",
    },
    fixed: { text: "the state is read once", knobs: {}, expect: "clean" },
  },
  setup: (module, knobs) =>
    hostileSetup(module, knobs, {
      actor: "writer",
      states: [STATE_IOREQ_RESP_READY, IMPOSSIBLE],
      loops: false,
    }),
});
