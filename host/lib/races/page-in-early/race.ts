/** C-58: a page is brought back before its contents are. */
import { VM_EVENT_MODE_PAGING } from "../../../../hv-core/abi/vm-event.ts";
import { load32 } from "../../explore/code.ts";
import { listenerActor } from "../../explore/listener-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { CONTENTS, DATA, eventGuest, hasRetired, openRing, pageOut, registerOf } from "../event-guest.ts";

export const pageInEarly = defineRace({
  name: "page-in-early",
  id: "C-58",
  title: "A page that comes back is read before its contents are there",
  lesson:
    "The pager once asked for a frame first (prep), mapped it, and then wrote the contents. From prep on the page was RAM: another vCPU that touched " +
    "it in between read zeroes. Since 26a5c829c8 prep takes the contents along: frame and contents appear in one step under the p2m lock.",
  variants: {
    "early-prep": {
      text: "prep maps an empty frame, the contents follow",
      knobs: { "paging.pages": 1 },
      expect: "contents",
    },
    fixed: { text: "prep copies the contents first", knobs: {}, expect: "clean" },
  },
  setup(module, knobs, variant) {
    const guest = eventGuest(module, knobs, [[load32(DATA)], [load32(DATA)]]);
    const { world, programs } = guest;
    const ring = openRing(world, VM_EVENT_MODE_PAGING);
    pageOut(world, true);
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        vcpuActor(world, { name: "guest1", index: 1, vcpu: 1, ...programs[1]! }),
        listenerActor(world, {
          name: "pager",
          index: 2,
          ring,
          prep: () => (variant === "early-prep" ? "early" : "with contents"),
          fill: (at) => {
            world.core.u32[at >> 2] = CONTENTS;
          },
        }),
      ],
      invariants: [
        {
          name: "contents",
          text: "what the guest reads of a page that was out is what was in it",
          always() {
            for (const vcpu of [0, 1])
              if (hasRetired(guest, vcpu, 0) && registerOf(world, vcpu, 0) !== CONTENTS)
                return `vCPU ${vcpu} read 0x${registerOf(world, vcpu, 0).toString(16)} where 0x${CONTENTS.toString(16)} was`;
            return undefined;
          },
        },
      ],
    };
  },
});
