/** C-90, IO-2: a right is withdrawn while the page is mapped. */
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

export const revokeWhileMapped = defineRace({
  name: "revoke-while-mapped",
  id: "C-90",
  title: "A right is withdrawn while the page is mapped",
  lesson:
    "Xen checks a right when a page is mapped, and never again. The toolstack takes the right to a device's frame away from a domain, the call " +
    "returns 0, and the domain goes on writing to the device through its page table entry and its TLB. The accountant counts mappings: it can " +
    "refuse (the toolstack then knows), or take the mapping away first and wait until every processor has flushed it.",
  variants: {
    "4.17": { text: "nobody knows what is mapped", knobs: {}, expect: "O-7" },
    refuse: { text: "the accountant refuses while the page is mapped", knobs: { "iomem.account": 3 }, expect: "clean" },
    forced: {
      text: "the accountant takes the mapping away, and the processors acknowledge the flush before the call returns",
      knobs: { "iomem.account": 3, "iomem.revoke": 2 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, programs } = ioRaceWorld(module, knobs, [program(CODE, [store32(GPA, 1), store32(GPA, 2)])]);
    iomemPermission(world.dom0, world.domid, M, 1, true);
    memoryMapping(world.dom0, world.domid, GFN, M, 1, true);
    const toolstack = marking(
      world,
      toolstackActor(world, {
        name: "toolstack",
        index: 1,
        program: [iomemStep("takes the right to the device away from the guest", world.domid, false, [-EBUSY])],
      }),
      0,
      () => accesses(world),
    );
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }), toolstack],
      invariants: [
        accountsBalance(world),
        {
          name: "O-7",
          text: "when a revocation has succeeded, no access of that domain reaches the device any more",
          always() {
            const mark = toolstack.mark();
            if (mark === undefined || accessesBy(world, world.domid, mark) === 0) return undefined;
            return "the guest has lost the right to the device and still writes to it";
          },
        },
      ],
    };
  },
});
