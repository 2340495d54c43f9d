/** C-62: an answer undoes a pause that nobody made. */

import { P2M_ACCESS_N2RWX } from "../../../../hv-core/abi/p2m-types.ts";
import { EVF_VCPU_PAUSED, VM_EVENT_MODE_MONITOR } from "../../../../hv-core/abi/vm-event.ts";
import { load32 } from "../../explore/code.ts";
import { listenerActor } from "../../explore/listener-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { memAccessSet } from "../../toolstack/vm-event.ts";
import { DATA, DATA_GFN, eventGuest, openRing } from "../event-guest.ts";

export const answerForNobody = defineRace({
  name: "answer-for-nobody",
  id: "C-62",
  title: "An answer unpauses a vCPU that is not paused",
  lesson:
    "The listener says in its answer which vCPU it is for and whether that vCPU was paused. Once that was believed: an answer to an event that nobody waits for, with the " +
    "flag VCPU_PAUSED, took the pause count below zero. Now the count is guarded, and nothing in an answer counts unless the vCPU is paused for an event (4481335590, 868d9b99b3).",
  variants: {
    unchecked: { text: "the flag in the answer is believed", knobs: { "vmEvent.response": 2 }, expect: "assert" },
    fixed: { text: "only a vCPU that is paused is unpaused", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = eventGuest(module, knobs, [[load32(DATA), load32(DATA)]]);
    const { world, programs } = guest;
    const ring = openRing(world, VM_EVENT_MODE_MONITOR);
    memAccessSet(world.dom0, world.domid, P2M_ACCESS_N2RWX, DATA_GFN);
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        listenerActor(world, { name: "monitor", index: 1, ring, answer: (flags) => flags | EVF_VCPU_PAUSED }),
      ],
      invariants: [],
    };
  },
});
