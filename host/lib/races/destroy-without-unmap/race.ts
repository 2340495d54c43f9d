/** S-1 (C-17): the server of a page type is destroyed, and its pages keep the type. */
import { DMOP_DESTROY_IOREQ_SERVER, DMOP_MEM_ACCESS_WRITE } from "../../../../hv-core/abi/hypercalls.ts";
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

export const destroyWithoutUnmap = defineRace({
  name: "destroy-without-unmap",
  id: "S-1",
  title: "The pages of a destroyed server can never be written again",
  lesson:
    "Unmapping a page type turns its pages back into RAM; destroying the server does not (read in the source of Xen 4.17 and seen on " +
    "a real machine). The pages stay write-protected with no server behind them: each write runs again, for ever, and no other server " +
    "can have the type. The smallest repair is to turn the pages into RAM on the way of destruction as well.",
  variants: {
    "4.17": {
      text: "pages keep the type when its server is destroyed",
      knobs: { "destroy.pending": 1 },
      expect: "I-7",
    },
    fixed: {
      text: "pages become RAM when their server is destroyed, while the domain is paused",
      knobs: { "destroy.pending": 1, "destroy.type": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs, [store32(PAGE, 1), store32(PAGE + 4, 2)]);
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
            dmOpStep("destroys the server", DMOP_DESTROY_IOREQ_SERVER, (view, at) =>
              view.setUint16(at, end.server, true),
            ),
          ],
        }),
        deviceActor(world, { name: "emulator", index: 2, end }),
      ],
      invariants: [],
    };
  },
});
