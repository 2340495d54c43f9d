/** C-59, C-60: a page is evicted while the guest touches it. */
import { EBUSY } from "../../../../hv-core/abi/errno.ts";
import { MEM_PAGING_EVICT_FAIL, PAGING_EVICT, VM_EVENT_MODE_PAGING } from "../../../../hv-core/abi/vm-event.ts";
import { load32, store32 } from "../../explore/code.ts";
import { listenerActor } from "../../explore/listener-actor.ts";
import { defineRace, type Invariant } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { DATA, eventGuest, hasRetired, openRing, pageOut, pagingStep, registerOf } from "../event-guest.ts";

const WRITTEN = 7;

export const evictAgainstTouch = defineRace({
  name: "evict-against-touch",
  id: "C-60",
  title: "A nominated page is evicted although the guest has touched it",
  lesson:
    "Between nominate and evict the guest may touch the page. Then the type becomes paging_in, evict answers -EBUSY, and the pager is told that the page is still " +
    "there (EVICT_FAIL). If evict does not look for that, it takes a page away that its guest waits for. If the types change without the p2m lock (C-59, before " +
    "bd7d40443f), evict looks, the page goes back to its guest and is written, and then evict frees it: the write is gone.",
  variants: {
    "touch-ignored": { text: "evict takes a page that was touched", knobs: { "paging.pages": 3 }, expect: "untouched" },
    unlocked: { text: "evict does not take the p2m lock", knobs: { "paging.pages": 2 }, expect: "own-write" },
    fixed: { text: "both under the lock; a touch stops evict", knobs: {}, expect: "clean" },
  },
  setup(module, knobs, variant) {
    const guest = eventGuest(module, knobs, [[store32(DATA, WRITTEN), load32(DATA)]]);
    const { world, programs } = guest;
    const ring = openRing(world, VM_EVENT_MODE_PAGING);
    pageOut(world, false);
    const pager = listenerActor(world, { name: "pager", index: 1, ring, prep: () => "with contents" });
    const toolstack = toolstackActor(world, {
      name: "evictor",
      index: 2,
      program: [pagingStep(PAGING_EVICT, [-EBUSY])],
    });
    // Without the lock this is broken at once; what it leads to is the lesson.
    const untouched: Invariant = {
      name: "untouched",
      text: "a page that was evicted had not been touched since it was nominated",
      atEnd() {
        const wasTouched = pager.log().some((r) => (r.pagingFlags & MEM_PAGING_EVICT_FAIL) !== 0);
        return wasTouched && toolstack.resultOf(0) === 0
          ? "evict succeeded, and the pager was told that it could not"
          : undefined;
      },
    };
    return {
      ...guest,
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }), pager, toolstack],
      invariants: [
        {
          name: "own-write",
          text: "the guest reads what it wrote",
          always: () =>
            hasRetired(guest, 0, 1) && registerOf(world, 0, 0) !== WRITTEN
              ? `the guest wrote ${WRITTEN} and read 0x${registerOf(world, 0, 0).toString(16)}`
              : undefined,
        },
        ...(variant === "unlocked" ? [] : [untouched]),
      ],
    };
  },
});
