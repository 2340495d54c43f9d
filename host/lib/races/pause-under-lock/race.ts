/** Spec 03 section 3.7, B: the domain is paused under a lock that one of its vCPUs needs before it can stop. */
import { DMOP_MEM_ACCESS_WRITE, DMOP_SET_IOREQ_SERVER_STATE } from "../../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../../hv-core/abi/p2m-types.ts";
import { store32 } from "../../explore/code.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { describeDomain } from "../../explore/state-text.ts";
import { dmOpStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { mapMemType, setMemType } from "../../toolstack/dm-op.ts";
import { mmioGuest } from "../mmio-guest.ts";

const PAGE = 0x2000;

export const pauseUnderLock = defineRace({
  name: "pause-under-lock",
  id: "C-13",
  title: "A vCPU and the toolstack wait for each other",
  lesson:
    "Changing the state of an ioreq server takes the server lock and then pauses the domain, that is, waits until every vCPU has left " +
    "the hypervisor. If a vCPU takes the same lock on its way through the emulation, the two wait for each other. So the lock under " +
    "which a domain is paused must be one that its vCPUs never take: they read the servers without it, and pausing makes that safe.",
  variants: {
    "vcpu-takes-lock": {
      text: "the write path of a vCPU takes the server lock",
      knobs: { "send.lock": 1, "locks.order": 1 },
      expect: "deadlock",
    },
    "order-checked": {
      text: "the same, and the order of locks is checked: p2m before ioreq servers is the wrong way round",
      knobs: { "send.lock": 1 },
      expect: "lock-order",
    },
    fixed: { text: "the write path of a vCPU does not take the server lock", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs, [store32(PAGE, 1)]);
    const { world, end, programs } = guest;
    mapMemType(world.dom0, world.domid, end.server, DMOP_MEM_ACCESS_WRITE);
    setMemType(world.dom0, world.domid, PAGE / 4096, 1, HVMMEM_IOREQ_SERVER);
    return {
      ...guest,
      describeState: () => describeDomain(world, end, PAGE),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            dmOpStep("enables the server", DMOP_SET_IOREQ_SERVER_STATE, (view, at) => {
              view.setUint16(at, end.server, true);
              view.setUint8(at + 2, 1);
            }),
          ],
        }),
        deviceActor(world, { name: "emulator", index: 2, end }),
      ],
      invariants: [],
    };
  },
});
