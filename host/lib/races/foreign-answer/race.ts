/** S-11: the answer to another domain's request is ignored. */
import { EAGAIN } from "../../../../hv-core/abi/errno.ts";
import { DMOP_SET_MEM_TYPE } from "../../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_RAM_RO } from "../../../../hv-core/abi/p2m-types.ts";
import { MEM_PAGING_EVICT_FAIL, VM_EVENT_MODE_PAGING } from "../../../../hv-core/abi/vm-event.ts";
import { load32 } from "../../explore/code.ts";
import { listenerActor } from "../../explore/listener-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { dmOpStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { DATA, DATA_GFN, eventGuest, openRing, pageOut } from "../event-guest.ts";

export const foreignAnswer = defineRace({
  name: "foreign-answer",
  id: "S-11",
  title: "A page that another domain asked for never comes back",
  lesson:
    "Since 1c637370b5 an answer counts only if the vCPU it names is paused for an event. The request of a device model names the device model's own vCPU, and no vCPU of the guest is paused for it. If the page had only been " +
    "nominated, its pager has nothing to load and just answers: the answer is ignored, the page stays paging_in, and a vCPU that touches it tries for ever. The page is the domain's whoever asked, so the answer should count; " +
    "until it does, a pager that calls prep for such pages too is safe.",
  variants: {
    "4.17": { text: "an answer counts only for a paused vCPU", knobs: {}, expect: "livelock" },
    "pager-preps": { text: "the same, and the pager calls prep before every answer", knobs: {}, expect: "clean" },
    fixed: { text: "the page comes back whoever asked", knobs: { "paging.foreign": 1 }, expect: "clean" },
  },
  setup(module, knobs, variant) {
    const guest = eventGuest(module, knobs, [[load32(DATA)]]);
    const { world, programs } = guest;
    const ring = openRing(world, VM_EVENT_MODE_PAGING);
    pageOut(world, false);
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        listenerActor(world, {
          name: "pager",
          index: 1,
          ring,
          prep: ({ pagingFlags }) =>
            (pagingFlags & MEM_PAGING_EVICT_FAIL) !== 0 && variant !== "pager-preps" ? "no" : "with contents",
        }),
        toolstackActor(world, {
          name: "emulator",
          index: 2,
          program: [
            dmOpStep(
              "sets the type of the page",
              DMOP_SET_MEM_TYPE,
              (view, at) => {
                view.setUint16(at, HVMMEM_RAM_RO, true);
                view.setUint32(at + 4, 1, true);
                view.setUint32(at + 8, DATA_GFN, true);
              },
              [-EAGAIN],
            ),
          ],
        }),
      ],
      invariants: [],
    };
  },
});
