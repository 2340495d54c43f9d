/** C-2: a page becomes RAM between the answer to a write and the instruction that waits for it. */
import { DMOP_MEM_ACCESS_WRITE, DMOP_SET_MEM_TYPE } from "../../../../hv-core/abi/hypercalls.ts";
import { HVMMEM_IOREQ_SERVER, HVMMEM_RAM_RW } from "../../../../hv-core/abi/p2m-types.ts";
import { add32, store32 } from "../../explore/code.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { everyWriteOnce } from "../../explore/invariants.ts";
import { defineRace } from "../../explore/race.ts";
import { describeDomain } from "../../explore/state-text.ts";
import { dmOpStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { mapMemType, setMemType } from "../../toolstack/dm-op.ts";
import { mmioGuest } from "../mmio-guest.ts";

const PAGE = 0x2000;

export const completionAfterTypeFlip = defineRace({
  name: "completion-after-type-flip",
  id: "C-2",
  title: "An answered write is made a second time",
  lesson:
    "A device model that has seen enough writes to a page turns it back into RAM, and only then answers the request. The vCPU runs the " +
    "instruction again to end it. If the page type decides where the write goes, it now goes to RAM: the write has happened twice, and " +
    "the request stays latched, so that the next I/O crashes the domain. The repair: an access that is in the cache of the emulation " +
    "takes the MMIO path whatever the page is by now (522a2f3c5c).",
  variants: {
    "by-type": {
      text: "the page type decides again when the answer is in",
      knobs: { "ioreq.resume": 1 },
      expect: "every-write-once",
    },
    fixed: { text: "the answer ends the request", knobs: {}, expect: "clean" },
    "rmw-by-rights": {
      text: "an instruction that reads first; its write goes to RAM as soon as the EPT allows it (this explorer found it in vmexit)",
      knobs: { "replay.answers": 1 },
      expect: "every-write-once",
    },
    "fixed-rmw": {
      text: "the same instruction: an access that has an answer takes it, whatever the page is by now",
      knobs: {},
      expect: "clean",
    },
  },
  setup(module, knobs, variant) {
    const body = variant.includes("rmw") ? [add32(PAGE, 1)] : [store32(PAGE, 1), store32(PAGE + 4, 2)];
    const guest = mmioGuest(module, knobs, body);
    const { world, end, programs } = guest;
    mapMemType(world.dom0, world.domid, end.server, DMOP_MEM_ACCESS_WRITE);
    setMemType(world.dom0, world.domid, PAGE / 4096, 1, HVMMEM_IOREQ_SERVER);
    const device = deviceActor(world, { name: "emulator", index: 2, end });
    return {
      ...guest,
      describeState: () => describeDomain(world, end, PAGE),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            dmOpStep("turns the page back into RAM", DMOP_SET_MEM_TYPE, (view, at) => {
              view.setUint32(at, 1, true);
              view.setUint16(at + 4, HVMMEM_RAM_RW, true);
              view.setUint32(at + 8, PAGE / 4096, true);
            }),
          ],
        }),
        device,
      ],
      invariants: [
        everyWriteOnce(
          world,
          programs,
          [device],
          [
            { vcpu: 0, index: 0, address: PAGE, value: 1 },
            { vcpu: 0, index: 1, address: PAGE + 4, value: 2 },
          ].filter((write) => write.index < body.length),
        ),
      ],
    };
  },
});
