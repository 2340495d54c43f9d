/** C-56: two calls lock the same two gfns, each in its own order. */
import { SHARING_C_HANDLE_INVALID, SHARING_S_HANDLE_INVALID } from "../../../../hv-core/abi/hypercalls.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { nominated, PAGE, pageLocksFree, shareStep, sharingWorld, sumOfPages } from "../sharing-world.ts";

export const crossedShares = defineRace({
  name: "crossed-shares",
  id: "C-56",
  title: "Share A with B while B is shared with A",
  lesson:
    "To share a page of one domain with a page of another both p2m locks are needed. A caller that takes the source's first and one that " +
    "names the same two the other way round wait for each other. There must be one order for everybody, whatever the call says: ascending domain " +
    "id, then gfn.",
  variants: {
    named: { text: "source first, then client", knobs: { "sharing.defects": 64 }, expect: "deadlock" },
    fixed: { text: "ascending domain id, then gfn", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, others, describeState } = sharingWorld(module, knobs, [[]], 1);
    const a = { domid: world.domid, gfn: PAGE / 4096 };
    const b = { domid: others[0]!, gfn: PAGE / 4096 };
    const ah = nominated(world, a);
    const bh = nominated(world, b);
    const mayFail = [SHARING_S_HANDLE_INVALID, SHARING_C_HANDLE_INVALID];
    return {
      world,
      describeState,
      actors: [
        toolstackActor(world, {
          name: "one",
          index: 0,
          program: [shareStep("shares the guest's page with the other domain", a, ah, b, bh, mayFail)],
        }),
        toolstackActor(world, {
          name: "other",
          index: 1,
          program: [shareStep("shares the other domain's page with the guest", b, bh, a, ah, mayFail)],
        }),
      ],
      invariants: [sumOfPages(world), pageLocksFree(world)],
    };
  },
});
