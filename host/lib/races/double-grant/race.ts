/** two tools give the same device to two domains. */
import { EBUSY } from "../../../../hv-core/abi/errno.ts";
import { program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { accountsBalance, CODE, describeDevice, iomemStep, ioRaceWorld } from "../io-world.ts";

export const doubleGrant = defineRace({
  name: "double-grant",
  id: "R-2",
  title: "Two tools give one device to two domains",
  lesson:
    "A grant asks whether anybody else holds the device, and then writes down who does. When these are two steps, two grants that run at once both find it " +
    "free. As long as every domctl runs under the one domctl lock that cannot happen; today these run without it, so the accountant needs one lock over all " +
    "units, held from the question to the answer.",
  variants: {
    "two-steps": {
      text: "the question and the entry are two steps, outside the domctl lock",
      knobs: { "iomem.account": 3, "domctl.lock": 1, "io.race": 2 },
      expect: "one-holder",
    },
    "domctl-lock": {
      text: "two steps, but under the domctl lock",
      knobs: { "iomem.account": 3, "io.race": 2 },
      expect: "clean",
    },
    fixed: { text: "one lock over all units", knobs: { "iomem.account": 3, "domctl.lock": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, programs, v } = ioRaceWorld(module, knobs, [program(CODE, [])]);
    const tools = [world.domid, v].map((domid, i) =>
      toolstackActor(world, {
        name: `tool${i}`,
        index: i + 1,
        program: [iomemStep(`gives the device to domain ${domid}`, domid, true, [-EBUSY])],
      }),
    );
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }), ...tools],
      invariants: [
        accountsBalance(world),
        {
          name: "one-holder",
          text: "of two grants of one device one succeeds",
          always: () =>
            tools.every((t) => t.done() === 1 && t.resultOf(0) === 0)
              ? "both grants of the device have succeeded"
              : undefined,
          atEnd: () => (tools.every((t) => t.resultOf(0) !== 0) ? "neither grant has succeeded" : undefined),
        },
      ],
    };
  },
});
