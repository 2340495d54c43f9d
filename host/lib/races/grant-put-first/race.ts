/** C-43: a copy gives its reference back before its pin (XSA-236). */

import { removePage } from "../../explore/hypercall-steps.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { copyStep, describeGrant, GRANTED, grantWorld, pinnedFrameLives } from "../grant-world.ts";

const OWN = 9;

export const grantPutFirst = defineRace({
  name: "grant-put-first",
  id: "C-43",
  title: "A pinned entry without a page",
  background:
    "A copy pins the entry and holds the frame. A second copy of a pinned entry does not look at the guest's page again: it relies on the pin, " +
    "which says that the frame is alive.",
  lesson:
    "At its end a copy gave the reference back first and unpinned then. In between the granter can lose the page; the pin stands for a frame that is free, and the next copy takes it. What is taken last is given back " +
    "first: the pin, then the reference that it vouches for.",
  variants: {
    "put-first": { text: "reference first, pin second", knobs: { "grant.race": 7 }, expect: "pinned-frame" },
    fixed: { text: "pin first", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const made = grantWorld(module, knobs);
    const { world } = made;
    return {
      world,
      describeState: () => describeGrant(made),
      actors: [
        toolstackActor(world, {
          name: "copier0",
          index: 0,
          program: [copyStep("copies from the granted page", OWN, "from")],
        }),
        toolstackActor(world, {
          name: "copier1",
          index: 1,
          program: [copyStep("copies from it as well", OWN, "from")],
        }),
        toolstackActor(world, { name: "balloon", index: 2, program: [removePage(GRANTED * 4096)] }),
      ],
      invariants: [pinnedFrameLives(world)],
    };
  },
});
