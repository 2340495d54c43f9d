/** C-16, R-6, XSA-491: a mapping of ports goes while a vCPU uses it. */

import { BUS_FIRST_PORT, BUS_PORT_STEP } from "../../../../hv-core/abi/bus.ts";
import { EBUSY } from "../../../../hv-core/abi/errno.ts";
import { out32, program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { ioportMapping } from "../../toolstack/io-rights.ts";
import { accesses, accountsOf, CODE, describeDevice, domctlStep, ioRaceWorld } from "../io-world.ts";

/** The guest's port for the first device is the machine's port of the second one. */
const GPORT = BUS_FIRST_PORT + BUS_PORT_STEP;

export const portList = defineRace({
  name: "port-list",
  id: "C-16",
  title: "A mapping of ports is freed while a vCPU uses it",
  lesson:
    "A guest's access to a port finds the entry that says which port of the machine it is. Before it is used, the guest's device model, in another domain, " +
    "removes the mapping, and its memory is given back: what the vCPU reads from it now is something else. Here it is zeroes, and the access goes to the " +
    "machine's port of the same number, which is another device's. The fix looks again, and runs the instruction once more when the entry has gone.",
  variants: {
    "no-second-look": { text: "the entry that was found is used", knobs: { "io.race": 4 }, expect: "own-device" },
    fixed: { text: "a second look, and the instruction runs again", knobs: {}, expect: "clean" },
    accountant: {
      text: "the same with the accountant, and its accounts looked at after every step",
      knobs: { "iomem.account": 3 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, programs } = ioRaceWorld(module, knobs, [program(CODE, out32(GPORT, 7))]);
    ioportMapping(world.dom0, world.domid, GPORT, BUS_FIRST_PORT, 8, true);
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            domctlStep(
              "takes the mapping of the ports away",
              40,
              world.domid,
              (view, at) => {
                view.setUint32(at, GPORT, true);
                view.setUint32(at + 4, BUS_FIRST_PORT, true);
                view.setUint32(at + 8, 8, true);
              },
              [-EBUSY],
            ),
          ],
        }),
      ],
      invariants: [
        ...accountsOf(world, knobs),
        {
          name: "own-device",
          text: "the guest reaches no device but the one that was mapped for it",
          always: () =>
            accesses(world, 1) > 0
              ? "the guest has written to the second device, which was never given to it"
              : undefined,
        },
      ],
    };
  },
});
