/** C-42: the granter is told that its page is free while the grantee still has it (XSA-218). */
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { describeGrant, dom0Frame, grantWorld, isMarked, MAPPED, mapped, unmapStep } from "../grant-world.ts";

export const grantEarlyReport = defineRace({
  name: "grant-early-report",
  id: "C-42",
  title: "A page is given back, and still mapped",
  background:
    "The granter may use its page for something else when the marks reading and writing in its entry are gone. The hypervisor clears them when " +
    "the last mapping is. Here one page is mapped twice, and both mappings are undone at the same time.",
  lesson:
    "Each unmap took its use off the count first, removed its mapping afterwards, and reported what the count said then. The one that came first to its end found the count at nothing and reported for both: the other " +
    "mapping was still there, and the grantee wrote into a page that had become something else. Count and report belong into one critical section, behind the removal and its flush.",
  variants: {
    early: {
      text: "the use is taken off the count before the mapping is removed",
      knobs: { "grant.race": 6 },
      expect: "reported-free",
    },
    fixed: { text: "mapping, flush, count, marks: in this order, under one lock", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const made = grantWorld(module, knobs);
    const { world, entries } = made;
    const first = mapped(world, MAPPED, false);
    const second = mapped(world, MAPPED + 1, false);
    const gfns = [MAPPED, MAPPED + 1];
    return {
      world,
      describeState: () => describeGrant(made, gfns),
      actors: [
        toolstackActor(world, { name: "back0", index: 0, program: [unmapStep("undoes the first mapping", first)] }),
        toolstackActor(world, { name: "back1", index: 1, program: [unmapStep("undoes the second mapping", second)] }),
      ],
      invariants: [
        {
          name: "reported-free",
          text: "an entry without marks is mapped nowhere",
          always() {
            const still = gfns.filter((gfn) => dom0Frame(world, gfn) !== 0);
            return still.length > 0 && !isMarked(world, entries)
              ? `the entry says that nobody uses its page, and dom0 has it at gfn 0x${still[0]!.toString(16)}`
              : undefined;
          },
        },
      ],
    };
  },
});
