/** C-50: two vCPUs fault on one shared page, and the type was looked at before the lock. */
import { store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { OTHER, PAGE, pageLocksFree, shared, sharingWorld, sumOfPages, wordAt } from "../sharing-world.ts";

export const cowTypeUnlocked = defineRace({
  name: "cow-type-unlocked",
  id: "C-50",
  title: "A page is unshared twice",
  lesson:
    "Two vCPUs of a domain write to a shared page at the same time; both leave the guest, both see the type ram_shared, and both go to " +
    "unshare it. The second one finds a page that is private by then and has no sharing record: the hypervisor stopped there. What is seen " +
    "before the lock is a hint. Look again under the lock, and take 'private already' for success.",
  variants: {
    unlocked: {
      text: "the type is read before the p2m lock is taken, and not again",
      knobs: { "sharing.defects": 1 },
      expect: "assert",
    },
    fixed: { text: "it is read again under the lock", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, programs, describeState } = sharingWorld(module, knobs, [
      [store32(PAGE, 1)],
      [store32(PAGE + 4, 2)],
    ]);
    shared(world, { domid: world.domid, gfn: OTHER / 4096 }, { domid: world.domid, gfn: PAGE / 4096 });
    return {
      world,
      describeState,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        vcpuActor(world, { name: "guest1", index: 1, vcpu: 1, ...programs[1]! }),
      ],
      invariants: [
        {
          name: "copy-on-write",
          text: "both writes are in the writer's page, and none is in the other one",
          atEnd() {
            const at = (gpa: number): number => world.core.u32[world.guestAddress(gpa) >> 2]!;
            if (at(PAGE) !== 1 || at(PAGE + 4) !== 2) return "a write is lost";
            return wordAt(world, world.domid, OTHER) === 0 ? undefined : "the other page was written";
          },
        },
        sumOfPages(world),
        pageLocksFree(world),
      ],
    };
  },
});
