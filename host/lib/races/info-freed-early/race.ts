/** C-52: the sharing info goes before the page stops being a shared one. */
import { EINVAL } from "../../../../hv-core/abi/errno.ts";
import { SHARING_OP_DEBUG_MFN } from "../../../../hv-core/abi/hypercalls.ts";
import { frameOf } from "../../dedup/pages.ts";
import { store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { nominated, PAGE, pageLocksFree, sharingStep, sharingWorld, sumOfPages } from "../sharing-world.ts";

export const infoFreedEarly = defineRace({
  name: "info-freed-early",
  id: "C-52",
  title: "A shared page without its sharing info",
  lesson:
    "The last sharer of a page writes to it: the info that hangs off the frame is freed, and the frame becomes private. If the page " +
    "lock is let go between the two, somebody who comes by the frame's number and not by the p2m (a debug call) finds a page that says " +
    "'shared' and has nothing behind it. State that belongs together changes under one lock.",
  variants: {
    early: {
      text: "the page lock is let go after the info is freed",
      knobs: { "sharing.defects": 4 },
      expect: "assert",
    },
    fixed: { text: "it is held until the page is private", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, programs, describeState } = sharingWorld(module, knobs, [[store32(PAGE, 1)]]);
    nominated(world, { domid: world.domid, gfn: PAGE / 4096 });
    const mfn = BigInt(frameOf(world.core, world.domid, PAGE / 4096));
    return {
      world,
      describeState,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            sharingStep(
              "asks how often the frame is shared",
              SHARING_OP_DEBUG_MFN,
              world.domid,
              (view, at) => view.setBigUint64(at, mfn, true),
              [-EINVAL],
            ),
          ],
        }),
      ],
      invariants: [sumOfPages(world), pageLocksFree(world)],
    };
  },
});
