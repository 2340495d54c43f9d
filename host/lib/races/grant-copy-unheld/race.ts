/** C-45: a copy does not hold the page that it has looked up. */
import { DOMID_SELF, HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION } from "../../../../hv-core/abi/hypercalls.ts";
import { frameAddress } from "../../core.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { copyStep, describeGrant, dom0Frame, grantWorld, isFree } from "../grant-world.ts";

/** Freed memory is filled with this (hv-core/base/poison.ts). */
const POISON = 0xc2c2_c2c2;
/** A page of dom0 that nothing else uses. */
const OWN = 7;

const giveBack: HypercallStep = {
  text: "gives the page that is copied to back",
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint32(at, gpa + 64, true);
    view.setUint32(at + 8, 1, true);
    view.setUint16(at + 24, DOMID_SELF, true);
    view.setUint32(at + 64, OWN, true);
    return [HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, gpa];
  },
};

export const grantCopyUnheld = defineRace({
  name: "grant-copy-unheld",
  id: "C-45",
  title: "A copy into a page that is gone",
  background:
    "A copy names its own side by gfn. The hypervisor looks the gfn up, and copies; in between the page can be paged out, or given back, by another processor of the same domain.",
  lesson:
    "The look-up gave its reference back at once, and the bytes went to a frame that was free by then, or somebody else's. A translation is only as good as what keeps it from changing: lookup and reference are one " +
    "step, and the reference lasts until the last byte.",
  variants: {
    unheld: { text: "the page is looked up and not held", knobs: { "grant.race": 9 }, expect: "freed-page" },
    fixed: { text: "a reference is held over the copy", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const made = grantWorld(module, knobs);
    const { world } = made;
    const frame = dom0Frame(world, OWN);
    return {
      world,
      describeState: () => describeGrant(made, [OWN]),
      actors: [
        toolstackActor(world, {
          name: "copier",
          index: 0,
          program: [copyStep("copies from the granted page", OWN, "from")],
        }),
        toolstackActor(world, { name: "balloon", index: 1, program: [giveBack] }),
      ],
      invariants: [
        {
          name: "freed-page",
          text: "nobody writes to a page that is free",
          always() {
            if (!isFree(world, frame)) return undefined;
            const first = frameAddress(frame) >> 2;
            const isWritten = world.core.u32.subarray(first, first + 1024).some((at) => at !== POISON);
            return isWritten ? `the copy has written to frame ${frame}, which is free` : undefined;
          },
        },
      ],
    };
  },
});
