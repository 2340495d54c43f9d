/** C-61: the listener answers while the vCPU is still in the hypervisor. */
import { P2M_ACCESS_R } from "../../../../hv-core/abi/p2m-types.ts";
import { EV_DATA, EVF_SET_REGISTERS, REGS_RIP, VM_EVENT_MODE_MONITOR } from "../../../../hv-core/abi/vm-event.ts";
import { store32 } from "../../explore/code.ts";
import { listenerActor } from "../../explore/listener-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { memAccessSet } from "../../toolstack/vm-event.ts";
import { DATA, DATA_GFN, eventGuest, openRing } from "../event-guest.ts";

export const answerBeforeDeschedule = defineRace({
  name: "answer-before-deschedule",
  id: "C-61",
  title: "An answer sets registers that the vCPU then overwrites",
  lesson:
    "A vCPU is marked paused before its event can be seen, but it is still running in the hypervisor: it leaves its processor a little later, and its registers are saved then. A listener that is quick has answered " +
    "by that time, and what its answer wrote into the saved registers is overwritten. Since 461f048203 the registers of an answer are latched, and written when the vCPU runs again.",
  variants: {
    "at-once": { text: "the answer writes the registers", knobs: { "vmEvent.response": 1 }, expect: "registers" },
    fixed: { text: "the registers are latched until the vCPU runs again", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = eventGuest(module, knobs, [[store32(DATA, 1)]]);
    const { world, programs } = guest;
    const ring = openRing(world, VM_EVENT_MODE_MONITOR);
    memAccessSet(world.dom0, world.domid, P2M_ACCESS_R, DATA_GFN);
    const monitor = listenerActor(world, {
      name: "monitor",
      index: 1,
      ring,
      answer: (flags) => flags | EVF_SET_REGISTERS,
      more: (view, at) => view.setUint32(at + EV_DATA + REGS_RIP, programs[0]!.end, true),
    });
    return {
      ...guest,
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }), monitor],
      invariants: [
        {
          name: "registers",
          text: "a vCPU goes on where the answer says: behind the instruction",
          always: () =>
            monitor.log().length > 1 ? "the vCPU ran the instruction again that the answer had skipped" : undefined,
        },
      ],
    };
  },
});
