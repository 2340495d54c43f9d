/** C-73 (XSA-505): one vCPU adds a page to the FIFO event array, another one resets the event channels. */
import { DOM_EVTCHN_FIFO } from "../../../../hv-core/abi/domain.ts";
import { INIT_CONTROL_VCPU } from "../../../../hv-core/abi/evtchn-fifo.ts";
import {
  EVTCHNOP_EXPAND_ARRAY,
  EVTCHNOP_INIT_CONTROL,
  EVTCHNOP_RESET,
  HC_EVENT_CHANNEL_OP,
} from "../../../../hv-core/abi/hypercalls.ts";
import { word } from "../../explore/actors.ts";
import { hypercall, type Instruction, program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld, type World } from "../../explore/world.ts";

const CODE = 0x1000;
/** Arguments in the guest's memory: the page to add, the domain to reset, the control block to give. */
const EXPAND = 0x3000;
const RESET = 0x3040;
const INIT = 0x3080;
const ARRAY_GFN = 4;
const CONTROL_GFN = 5;
const DOMID_SELF = 0x7ff0;

const eventOp = (cmd: number, arg: number): Instruction[] => hypercall(HC_EVENT_CHANNEL_OP, cmd, arg);

function arguments_(world: World): void {
  const { view } = world.core;
  view.setUint32(world.guestAddress(EXPAND), ARRAY_GFN, true);
  view.setUint16(world.guestAddress(RESET), DOMID_SELF, true);
  view.setUint32(world.guestAddress(INIT), CONTROL_GFN, true);
  view.setUint32(world.guestAddress(INIT) + INIT_CONTROL_VCPU, 0, true);
}

export const fifoExpand = defineRace({
  name: "fifo-expand",
  id: "C-73",
  title: "An event array grows while it is freed",
  lesson:
    "A domain with FIFO event channels gives the hypervisor pages of event words, one after the other. expand_array looks whether there is an array at all, and takes the event lock only then; EVTCHNOP_reset by another vCPU " +
    "frees the array in between, and the hypervisor follows a null pointer: a guest can stop the whole machine. The question was right, its place was wrong: a pointer that a lock protects is looked at under that lock.",
  variants: {
    "xsa-505": {
      text: "whether there is an array is looked at before the event lock is taken, and not again",
      knobs: { "evtchn.fifoExpand": 1 },
      expect: "assert",
    },
    fixed: { text: "it is looked at under the lock", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const grow = program(CODE, [...eventOp(EVTCHNOP_INIT_CONTROL, INIT), ...eventOp(EVTCHNOP_EXPAND_ARRAY, EXPAND)]);
    const reset = program(CODE + 0x1000, eventOp(EVTCHNOP_RESET, RESET));
    const world = createWorld(module, { pages: 8, programs: [grow, reset], knobs });
    arguments_(world);
    return {
      world,
      describeState() {
        const array = word(world, world.domainAt + DOM_EVTCHN_FIFO);
        return array === 0 ? "two levels" : `FIFO, ${word(world, array)} page(s) of event words`;
      },
      actors: [
        vcpuActor(world, { name: "grower", index: 0, vcpu: 0, ...grow }),
        vcpuActor(world, { name: "resetter", index: 1, vcpu: 1, ...reset }),
      ],
      invariants: [],
    };
  },
});
