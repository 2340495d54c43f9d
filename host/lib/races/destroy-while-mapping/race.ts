/** a domain is destroyed while its device model maps a device into it. */
import { EINVAL, EPERM, ESRCH } from "../../../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN } from "../../../../hv-core/abi/hypercalls.ts";
import { program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { iomemPermission } from "../../toolstack/io-rights.ts";
import { accountsOf, CODE, describeDevice, domctlStep, ioRaceWorld, M, mapStep } from "../io-world.ts";

export const destroyWhileMapping = defineRace({
  name: "destroy-while-mapping",
  id: "R-8",
  title: "A domain is destroyed while a device is mapped into it",
  lesson:
    "As long as every domctl runs under one lock, a domain does not die in the middle of a mapping. When device models' mappings run without that lock, the " +
    "other party may be anywhere in between: before the right was looked at, while it waits for the p2m lock, or with the entry made and the count to come. The " +
    "tables of a dying domain go under its p2m lock, its rights go under the lock of the I/O resources, and a mapping looks at both when it has them. Where the teardown " +
    "leaves the p2m lock alone, because nobody runs in the domain any more, the domain is gone before the mapping that holds the lock has got on.",
  variants: {
    teardown: {
      text: "mappings do not take the domctl lock, and the tables of a dying domain go without its p2m lock",
      knobs: { "iomem.account": 3, "domctl.lock": 1, "io.race": 9 },
      expect: "assert",
    },
    "domctl-lock": {
      text: "every domctl under the domctl lock, as in 4.17",
      knobs: { "iomem.account": 3 },
      expect: "clean",
    },
    unlocked: {
      text: "mappings do not take the domctl lock",
      knobs: { "iomem.account": 3, "domctl.lock": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, programs, v } = ioRaceWorld(module, knobs, [program(CODE, [])]);
    iomemPermission(world.dom0, v, M, 1, true);
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "stub",
          index: 1,
          program: [mapStep(`maps the device into domain ${v}`, v, true, [-EINVAL, -EPERM, -ESRCH])],
        }),
        toolstackActor(world, {
          name: "toolstack",
          index: 2,
          program: [domctlStep(`destroys domain ${v}`, DOMCTL_DESTROYDOMAIN, v, () => {})],
        }),
      ],
      invariants: [
        ...accountsOf(world, knobs),
        {
          name: "O-3",
          text: "every count is an entry of a living domain",
          atEnd: () =>
            world.exports.ioInvariants() !== 0
              ? "the domain is gone, and the device is still counted as mapped by it"
              : undefined,
        },
      ],
    };
  },
});
