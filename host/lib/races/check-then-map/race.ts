/** R-1, C-91: the right to a frame is checked, and the entry that uses it is made later. */
import { EBUSY } from "../../../../hv-core/abi/errno.ts";
import { program, store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { DOM0 } from "../../ids.ts";
import { readP2m } from "../../p2m-map.ts";
import { accountsOf, CODE, DOM0_CODE, describeDevice, iomemStep, ioRaceWorld, M, M_GPA, marking } from "../io-world.ts";

export const checkThenMap = defineRace({
  name: "check-then-map",
  id: "C-91",
  title: "A right is checked, and used after it has gone",
  lesson:
    "dom0 touches a device for the first time: the fault handler looks whether dom0 holds the frame, and then makes the entry. In between a toolstack " +
    "gives the frame to a guest and takes it away from dom0, and both calls succeed. Then the entry is made. The lookup was right when it was made. The " +
    "accountant checks and counts in one step, under one lock, at the moment when the entry is made.",
  variants: {
    "4.17": {
      text: "the right is looked up, the entry is made later, with nothing held in between",
      knobs: {},
      expect: "O-7",
    },
    counted: {
      text: "the accountant, but its check stands apart from its count",
      knobs: { "iomem.account": 3, "io.race": 1 },
      expect: "O-7",
    },
    fixed: {
      text: "the accountant checks and counts when the entry is made",
      knobs: { "iomem.account": 3 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const dom0 = program(DOM0_CODE, [store32(M_GPA, 1)]);
    const { world, programs } = ioRaceWorld(module, knobs, [program(CODE, [])], dom0);
    const isMapped = (domid: number): boolean =>
      readP2m(world.core, domid as typeof DOM0)?.ranges.some((r) => r.type === "mmio_direct" && r.mfn === M) === true;
    const busy = [-EBUSY];
    const toolstack = marking(
      world,
      toolstackActor(world, {
        name: "toolstack",
        index: 2,
        program: [
          iomemStep("gives the device to the guest", world.domid, true, busy),
          iomemStep("takes the right to the device away from dom0", DOM0, false, busy),
        ],
      }),
      1,
      () => (isMapped(DOM0) ? 1 : 0),
    );
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        vcpuActor(world, { name: "dom0", index: 1, vcpu: 1, ...dom0 }),
        toolstack,
      ],
      invariants: [
        ...accountsOf(world, knobs),
        {
          name: "O-7",
          text: "a domain maps nothing that it has lost the right to",
          always: () =>
            toolstack.mark() === 0 && isMapped(DOM0)
              ? "dom0 has mapped the device after its right was taken away"
              : undefined,
        },
      ],
    };
  },
});
