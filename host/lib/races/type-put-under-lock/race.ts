/** C-53: the last type reference of a page is dropped while its lock is held. */
import { EINVAL, ESRCH } from "../../../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN, DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../../hv-core/abi/hypercalls.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { nominated, nominateStep, PAGE, pageLocksFree, sharingWorld, sumOfPages } from "../sharing-world.ts";

export const typePutUnderLock = defineRace({
  name: "type-put-under-lock",
  id: "C-53",
  title: "A processor waits for a lock that it holds itself",
  lesson:
    "A locked page counts one type reference more, so that its type cannot end under the lock's holder: who drops the last but one reference " +
    "waits until the page is unlocked. A domain that dies drops the references of its shared pages; done under the page lock, the wait is for " +
    "oneself. Unlock first, then drop: nobody else can find the page any more.",
  variants: {
    "under-lock": {
      text: "the reference is dropped under the page lock",
      knobs: { "sharing.defects": 8 },
      expect: "livelock",
    },
    fixed: { text: "the page is unlocked before", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, others, describeState } = sharingWorld(module, knobs, [[]], 1);
    const page = { domid: others[0]!, gfn: PAGE / 4096 };
    nominated(world, page);
    return {
      world,
      describeState,
      actors: [
        toolstackActor(world, {
          name: "destroyer",
          index: 0,
          program: [
            {
              text: "destroys the domain",
              prepare(_, at, gpa) {
                world.core.view.setUint32(at, DOMCTL_DESTROYDOMAIN, true);
                world.core.view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
                world.core.view.setUint16(at + 8, page.domid, true);
                return [HC_DOMCTL, gpa];
              },
            },
          ],
        }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [nominateStep("nominates the page again", page, [-EINVAL, -ESRCH])],
        }),
      ],
      invariants: [sumOfPages(world), pageLocksFree(world)],
    };
  },
});
