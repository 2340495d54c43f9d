/** a count falls to nothing while another mapping of the frame is counted. */
import { EBUSY } from "../../../../hv-core/abi/errno.ts";
import { program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { iomemPermission, memoryMapping } from "../../toolstack/io-rights.ts";
import { accountsBalance, CODE, describeDevice, GFN, iomemStep, ioRaceWorld, M, mapStep } from "../io-world.ts";

export const resurrectedCount = defineRace({
  name: "resurrected-count",
  id: "R-3",
  title: "A count that was about to fall to nothing forgets a new mapping",
  lesson:
    "A device is mapped once into a domain. One tool unmaps it, another maps it again elsewhere in the same domain. Lowering a count is a look and a store: when neither the p2m " +
    "lock nor the accountant's own is held between the two, the new mapping is counted there, and then the old sum is written back. The frame is mapped and its count is " +
    "zero, so the device counts as free and may be given to somebody else. Here the count falls before the p2m lock is let go, and under the accountant's lock.",
  variants: {
    lost: {
      text: "the count falls with nothing held, mappings do not take the domctl lock",
      knobs: { "iomem.account": 3, "domctl.lock": 1, "io.race": 8 },
      expect: "O-1..O-8",
    },
    "domctl-lock": {
      text: "the count falls with nothing held, but every domctl runs under the domctl lock",
      knobs: { "iomem.account": 3, "io.race": 8 },
      expect: "clean",
    },
    fixed: {
      text: "the count falls under the p2m lock and the accountant's",
      knobs: { "iomem.account": 3, "domctl.lock": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, programs, v } = ioRaceWorld(module, knobs, [program(CODE, [])]);
    iomemPermission(world.dom0, world.domid, M, 1, true);
    memoryMapping(world.dom0, world.domid, GFN, M, 1, true);
    const tools = [
      mapStep("unmaps the device", world.domid, false),
      mapStep("maps the device at another page of the guest", world.domid, true, [], GFN + 1),
      iomemStep(`gives the device to domain ${v}`, v, true, [-EBUSY]),
    ];
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, { name: "unmapper", index: 1, program: [tools[0]!] }),
        toolstackActor(world, { name: "mapper", index: 2, program: [tools[1]!, tools[2]!] }),
      ],
      invariants: [accountsBalance(world)],
    };
  },
});
