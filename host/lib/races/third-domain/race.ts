/** S-10: the client's frame is shown by a domain that the call does not name. */
import { SHARING_C_HANDLE_INVALID, SHARING_S_HANDLE_INVALID } from "../../../../hv-core/abi/hypercalls.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import {
  nominated,
  OTHER,
  PAGE,
  pageLocksFree,
  shared,
  shareStep,
  sharingWorld,
  sumOfPages,
} from "../sharing-world.ts";

export const thirdDomain = defineRace({
  name: "third-domain",
  id: "S-10",
  title: "Sharing moves pages of a domain that nobody named",
  lesson:
    "Share moves every gfn of the client's reverse map to the source, also those of other domains. Their p2m locks are of a lower level than " +
    "the page locks that are held by then: Xen's check of lock levels, which every build has, stops the machine, although nothing is wrong " +
    "but the order. Without the check another call that has that p2m and wants the page completes a circle. The repair here looks at the reverse map, lets go, takes " +
    "all p2m locks in ascending order, and looks again. Suspected from the source of Xen, confirmed here.",
  variants: {
    "4.17": {
      text: "the third p2m lock is taken under the page locks",
      knobs: { "sharing.thirdDomain": 0 },
      expect: "assert",
    },
    fixed: {
      text: "all p2m locks come first, and the map is looked at again",
      knobs: { "sharing.thirdDomain": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, others, describeState } = sharingWorld(module, knobs, [[]], 2);
    const [second, third] = others as [(typeof others)[0], (typeof others)[0]];
    const source = { domid: world.domid, gfn: PAGE / 4096 };
    const client = { domid: second, gfn: PAGE / 4096 };
    const stranger = { domid: third, gfn: PAGE / 4096 };
    shared(world, client, stranger);
    const sh = nominated(world, source);
    const ch = nominated(world, client);
    const spare = { domid: third, gfn: OTHER / 4096 };
    const spareHandle = nominated(world, spare);
    const mayFail = [SHARING_S_HANDLE_INVALID, SHARING_C_HANDLE_INVALID];
    return {
      world,
      describeState,
      actors: [
        toolstackActor(world, {
          name: "one",
          index: 0,
          program: [shareStep("shares the guest's page with the second domain", source, sh, client, ch, mayFail)],
        }),
        toolstackActor(world, {
          name: "other",
          index: 1,
          program: [
            shareStep("shares the third domain's pages with each other", stranger, ch, spare, spareHandle, mayFail),
          ],
        }),
      ],
      invariants: [sumOfPages(world), pageLocksFree(world)],
    };
  },
});
