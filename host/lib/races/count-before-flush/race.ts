/** the count of mappings falls before the processors have flushed them. */
import { EBUSY } from "../../../../hv-core/abi/errno.ts";
import { program, store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { iomemPermission, memoryMapping } from "../../toolstack/io-rights.ts";
import {
  accesses,
  accessesBy,
  accountsBalance,
  CODE,
  describeDevice,
  GFN,
  GPA,
  iomemStep,
  ioRaceWorld,
  M,
  marking,
} from "../io-world.ts";

export const countBeforeFlush = defineRace({
  name: "count-before-flush",
  id: "R-4",
  title: "A device changes hands while a TLB still knows the way to it",
  lesson:
    "A forced revocation clears the guest's page table entry, but the guest's processor goes on with the translation that it has cached until it is told to " +
    "flush, and has done so. If the count of mappings falls before that, another tool sees the device free, gives it to somebody else, and both use it. The " +
    "count may fall only when every processor has acknowledged.",
  variants: {
    early: {
      text: "the entry is cleared, the count falls, and the flush comes when the p2m lock is let go",
      knobs: { "iomem.account": 3, "iomem.revoke": 2, "domctl.lock": 1, "io.race": 3 },
      expect: "O-7",
    },
    fixed: {
      text: "the entry is cleared, the processors acknowledge, the count falls",
      knobs: { "iomem.account": 3, "iomem.revoke": 2, "domctl.lock": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, programs, v } = ioRaceWorld(module, knobs, [program(CODE, [store32(GPA, 1), store32(GPA, 2)])]);
    iomemPermission(world.dom0, world.domid, M, 1, true);
    memoryMapping(world.dom0, world.domid, GFN, M, 1, true);
    const giver = marking(
      world,
      toolstackActor(world, {
        name: "giver",
        index: 2,
        program: [iomemStep("gives the device to another domain", v, true, [-EBUSY])],
      }),
      0,
      () => accesses(world),
    );
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "taker",
          index: 1,
          program: [iomemStep("takes the device away from the guest, with its mapping", world.domid, false)],
        }),
        giver,
      ],
      invariants: [
        accountsBalance(world),
        {
          name: "O-7",
          text: "when the device has been given to somebody else, no access of the former holder reaches it",
          always() {
            const mark = giver.mark();
            if (mark === undefined || accessesBy(world, world.domid, mark) === 0) return undefined;
            return "the device is another domain's, and the guest still writes to it through its TLB";
          },
        },
      ],
    };
  },
});
