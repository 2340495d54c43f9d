/** S-3: a page gets the type ioreq_server while the type loses its server. */
import { EINVAL } from "../../../../hv-core/abi/errno.ts";
import {
  DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
  DMOP_MEM_ACCESS_WRITE,
  DMOP_SET_MEM_TYPE,
} from "../../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER } from "../../../../hv-core/abi/p2m-types.ts";
import { store32 } from "../../explore/code.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { everyWriteOnce } from "../../explore/invariants.ts";
import { defineRace } from "../../explore/race.ts";
import { describeDomain } from "../../explore/state-text.ts";
import { dmOpStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { mapMemType } from "../../toolstack/dm-op.ts";
import { mmioGuest } from "../mmio-guest.ts";

const PAGE = 0x2000;

export const setTypeWindow = defineRace({
  name: "set-type-window",
  id: "S-3",
  title: "A page gets a type that nobody answers for any more",
  lesson:
    "set_mem_type looks once whether the type has a server, and then changes the pages. An unmap that runs in between has no page to " +
    "turn back yet; afterwards the page has the type and nobody answers: writes to it run again for ever. Read in the source of Xen " +
    "4.17. To look again for each page under the p2m lock is only half of the repair: the unmap asks first whether there are such pages at all, " +
    "without that lock, and finds none because the page is not counted yet. Automatic windows found that half (--windows all). The smallest repair that " +
    "holds looks at both under the p2m lock.",
  variants: {
    "4.17": { text: "the server is looked up once, before the pages are changed", knobs: {}, expect: "I-7" },
    "per-page": {
      text: "the server is looked up for each page, under the p2m lock; the unmap counts the pages without it",
      knobs: { "setType.check": 2 },
      expect: "I-7",
    },
    fixed: {
      text: "the server is looked up for each page, and the pages are counted, under the p2m lock",
      knobs: { "setType.check": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs, [store32(PAGE, 1)]);
    const { world, end, programs } = guest;
    mapMemType(world.dom0, world.domid, end.server, DMOP_MEM_ACCESS_WRITE);
    const device = deviceActor(world, { name: "emulator", index: 3, end });
    return {
      ...guest,
      describeState: () => describeDomain(world, end, PAGE),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "setter",
          index: 1,
          program: [
            dmOpStep(
              "gives the page the type ioreq_server",
              DMOP_SET_MEM_TYPE,
              (view, at) => {
                view.setUint32(at, 1, true);
                view.setUint16(at + 4, HVMMEM_IOREQ_SERVER, true);
                view.setUint32(at + 8, PAGE / 4096, true);
              },
              [-EINVAL],
            ),
          ],
        }),
        toolstackActor(world, {
          name: "unmapper",
          index: 2,
          program: [
            dmOpStep("unmaps the page type from the server", DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER, (view, at) => {
              view.setUint16(at, end.server, true);
              view.setUint16(at + 2, HVMMEM_IOREQ_SERVER, true);
            }),
          ],
        }),
        device,
      ],
      invariants: [everyWriteOnce(world, programs, [device], [{ vcpu: 0, index: 0, address: PAGE, value: 1 }])],
    };
  },
});
