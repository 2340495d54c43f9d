/** C-44: a copy to a pinned entry holds one frame and writes to another (XSA-500). */

import { removePage } from "../../explore/hypercall-steps.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { DOM0 } from "../../ids.ts";
import { grantSeed } from "../../toolstack/grants.ts";
import {
  copyStep,
  describeGrant,
  GRANTED,
  grantWorld,
  MAPPED,
  mapped,
  OTHER,
  pinnedFrameLives,
  REF,
  unmapStep,
} from "../grant-world.ts";

const OWN = 9;

export const grantEntryFrame = defineRace({
  name: "grant-entry-frame",
  id: "C-44",
  title: "A reference on one page, a write to another",
  background:
    "An entry is mapped read-only; then its guest puts another gfn into it. A copy to that entry needs to write, which nobody did before, so " +
    "the hypervisor looks at the entry again.",
  lesson:
    "It took a reference on the page that the entry names by now, and wrote to the one that the entry was pinned with. When the mapping goes during the copy, and the guest gives that page back, nothing holds it any " +
    "more. Once an entry is in use, what was found then is the truth; what the guest has written since must not be mixed with it.",
  variants: {
    entry: { text: "the frame to hold is looked up in the entry", knobs: { "grant.race": 8 }, expect: "pinned-frame" },
    fixed: { text: "a pinned entry's own frame is held", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const made = grantWorld(module, knobs);
    const { world, entries } = made;
    const mapping = mapped(world, MAPPED, true);
    const marks = world.core.view.getUint16(entries + REF * 8, true) & 24;
    grantSeed(world.dom0, entries, REF, DOM0, OTHER, marks);
    return {
      world,
      describeState: () => describeGrant(made, [MAPPED]),
      actors: [
        toolstackActor(world, { name: "copier", index: 0, program: [copyStep("copies to the entry", OWN, "to")] }),
        toolstackActor(world, {
          name: "other",
          index: 1,
          program: [unmapStep("undoes the mapping", mapping), removePage(GRANTED * 4096)],
        }),
      ],
      invariants: [pinnedFrameLives(world)],
    };
  },
});
