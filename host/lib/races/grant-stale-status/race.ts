/** C-41: a change of version while a map is under way (XSA-501). */
import { GNTTABOP_SET_VERSION } from "../../../../hv-core/abi/grant.ts";
import { HC_GRANT_TABLE_OP } from "../../../../hv-core/abi/hypercalls.ts";
import { hypercall } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { writeGuest } from "../../toolstack/foreign.ts";
import { describeGrant, grantWorld, isMarked, mapStep, versionOf } from "../grant-world.ts";

const TWO = 0x2000;
const ONE = 0x2010;
/** A reserved entry: it may be in use while the version changes. */
const CONSOLE = 0;
const NOWHERE = 1n << 50n;

export const grantStaleStatus = defineRace({
  name: "grant-stale-status",
  id: "C-41",
  title: "The marks of use are taken off where they were",
  background:
    "A map pins the entry, lets the table's lock go to change the mapper's memory map, and takes the lock again when that failed. Meanwhile the " +
    "granter may change the table's version: the reserved entries, 0 to 7, may be in use then, because a toolstack keeps them mapped.",
  lesson:
    "Version 2 has its marks in frames of their own, and these are freed with it. A pointer that was computed before the lock was let go points into a frame that may be anybody's by now: the hypervisor clears bits " +
    "there, and the marks that are there in truth stay for ever. Whatever was looked up under a lock is looked up again under the next one.",
  variants: {
    stale: {
      text: "the place of the marks is remembered over the gap",
      knobs: { "grant.race": 5 },
      expect: "marks-follow",
    },
    fixed: { text: "it is looked up again", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const body = [
      ...hypercall(HC_GRANT_TABLE_OP, GNTTABOP_SET_VERSION, TWO),
      ...hypercall(HC_GRANT_TABLE_OP, GNTTABOP_SET_VERSION, ONE),
    ];
    const made = grantWorld(module, knobs, body, CONSOLE);
    const { world, program, entries } = made;
    writeGuest(world.dom0, world.window, world.domid, TWO, new Uint8Array([2, 0, 0, 0]));
    writeGuest(world.dom0, world.window, world.domid, ONE, new Uint8Array([1, 0, 0, 0]));
    const mapper = toolstackActor(world, {
      name: "mapper",
      index: 1,
      program: [
        {
          ...mapStep("maps entry 0 where no memory map reaches", CONSOLE, NOWHERE),
          when: (w) => w.rip(0) >= program.retiredAt[3]!,
        },
      ],
    });
    return {
      world,
      describeState: () => `version ${versionOf(world)}, ${describeGrant(made)}`,
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...program }), mapper],
      invariants: [
        {
          name: "marks-follow",
          text: "when nothing is mapped, the entry does not say that it is in use",
          always() {
            const isOver = mapper.done() === 1 && versionOf(world) === 1 && world.rip(0) === program.end;
            return isOver && isMarked(world, entries, CONSOLE)
              ? "entry 0 says that its page is in use, and nobody uses it"
              : undefined;
          },
        },
      ],
    };
  },
});
