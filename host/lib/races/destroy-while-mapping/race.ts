/** a domain is destroyed while its device model maps a device into it. */
import { EINVAL, EPERM, ESRCH } from "../../../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN } from "../../../../hv-core/abi/hypercalls.ts";
import { program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { iomemPermission } from "../../toolstack/io-rights.ts";
import { CODE, describeDevice, domctlStep, ioRaceWorld, M, mapStep } from "../io-world.ts";

export const destroyWhileMapping = defineRace({
  name: "destroy-while-mapping",
  id: "R-8",
  title: "A domain is destroyed while a device is mapped into it",
  lesson:
    "As long as every domctl runs under one lock, a domain does not die in the middle of a mapping. When device models' mappings run without that lock, the " +
    "tables that one is writing to may be given back under its hands: the entry goes into a frame that is free, and its count stays for ever. The tables of a " +
    "dying domain must go under its p2m lock; whoever has waited for that lock finds none. Found here, in vmexit itself.",
  variants: {
    unlocked: {
      text: "the domctl lock is not taken by mappings, and the tables go without the p2m lock",
      knobs: { "iomem.account": 3, "domctl.lock": 1, "io.race": 9 },
      expect: "O-3",
    },
    "domctl-lock": {
      text: "every domctl under the domctl lock",
      knobs: { "iomem.account": 3, "io.race": 9 },
      expect: "clean",
    },
    fixed: {
      text: "the tables go under the p2m lock",
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
