/** S-8: a failed add_to_physmap counts a saved page. */
import { EINVAL } from "../../../../hv-core/abi/errno.ts";
import { SHARING_OP_ADD_PHYSMAP } from "../../../../hv-core/abi/hypercalls.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { nominated, PAGE, pageLocksFree, sharingStep, sharingWorld, sumOfPages } from "../sharing-world.ts";

export const countedWithoutSaving = defineRace({
  name: "counted-without-saving",
  id: "S-8",
  title: "A failed call saves a page, says the counter",
  lesson:
    "add_to_physmap counts one saved page at its end, also when the entry could not be made and everything else was undone. The counter of freed pages " +
    "grows with every failure and never comes down: the published equality (the domains' shared pages together are freed + used) is wrong from then " +
    "on. Suspected from the source of Xen 4.17, confirmed here. It needs no second processor; the explorer checks the equality wherever nobody is in an operation.",
  variants: {
    "4.17": {
      text: "the page counts as saved whatever came out",
      knobs: { "sharing.addCount": 0 },
      expect: "sum-of-pages",
    },
    fixed: { text: "it counts after success", knobs: { "sharing.addCount": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, others, describeState } = sharingWorld(module, knobs, [[]], 1);
    const source = { domid: world.domid, gfn: PAGE / 4096 };
    const handle = nominated(world, source);
    return {
      world,
      describeState,
      actors: [
        toolstackActor(world, {
          name: "toolstack",
          index: 0,
          program: [
            sharingStep(
              "adds the page at a gfn beyond the address width",
              SHARING_OP_ADD_PHYSMAP,
              source.domid,
              (view, at) => {
                view.setBigUint64(at, BigInt(source.gfn), true);
                view.setBigUint64(at + 8, handle, true);
                view.setBigUint64(at + 16, 1n << 36n, true);
                view.setUint16(at + 32, others[0]!, true);
              },
              [-EINVAL],
            ),
          ],
        }),
      ],
      invariants: [sumOfPages(world), pageLocksFree(world)],
    };
  },
});
