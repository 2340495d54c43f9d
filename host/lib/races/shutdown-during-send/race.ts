/** C-7: a domain begins to shut down while one of its vCPUs sends a request. */
import { DOM_IS_SHUT_DOWN } from "../../../../hv-core/abi/domain.ts";
import { DOMCTL_RESUMEDOMAIN, SHUTDOWN_SUSPEND } from "../../../../hv-core/abi/hypercalls.ts";
import { load32 } from "../../explore/code.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { domctlStep, shutDown } from "../../explore/hypercall-steps.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { MMIO, mmioGuest } from "../mmio-guest.ts";

export const shutdownDuringSend = defineRace({
  name: "shutdown-during-send",
  id: "C-7",
  title: "A read with a side effect is made twice",
  lesson:
    "A request is not sent when the domain shuts down; the instruction is then run again when the domain is resumed. The caller of the " +
    "sender used to find out by asking the domain, after the sender had returned. If the shutdown begins between the two, the request " +
    "is on its way, and the caller believes that it is not: after the resume the device sees the same read again. A read can pop a " +
    "FIFO. The repair (b7e0d89788): only the sender knows, so the sender says it.",
  variants: {
    "by-domain": {
      text: "the caller asks whether the domain is shutting down",
      knobs: { "send.suspended": 1 },
      expect: "read-once",
    },
    fixed: { text: "the sender says whether the request went out", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs, [load32(MMIO)]);
    const { world, end, programs } = guest;
    const device = deviceActor(world, { name: "fifo", index: 2, end });
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            shutDown(SHUTDOWN_SUSPEND, "suspends the domain"),
            {
              ...domctlStep("resumes the domain", DOMCTL_RESUMEDOMAIN, () => {}),
              when: ({ domainAt, core }) => core.u32[(domainAt + DOM_IS_SHUT_DOWN) >> 2] !== 0,
            },
          ],
        }),
        device,
      ],
      invariants: [
        {
          name: "read-once",
          text: "one load of the guest is one read of the device",
          always: () =>
            device.reads() > 1 ? `the device has answered ${device.reads()} reads for one load` : undefined,
          atEnd: () => (device.reads() === 1 ? undefined : "the load has retired and the device has answered no read"),
        },
      ],
    };
  },
});
