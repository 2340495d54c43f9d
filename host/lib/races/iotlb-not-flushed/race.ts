/** C-94, XSA-442: a page goes back, and a device's translation cache still has it. */
import { BUS_DMA_ADDR, BUS_DMA_GO, BUS_DMA_VALUE } from "../../../../hv-core/abi/bus.ts";
import { HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION } from "../../../../hv-core/abi/hypercalls.ts";
import { KNOB_IO_IOMMU } from "../../../../hv-core/abi/knobs.ts";
import { word } from "../../explore/actors.ts";
import { program, store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { assignDevice, iomemPermission, memoryMapping } from "../../toolstack/io-rights.ts";
import { accountsOf, CODE, describeDevice, dmaActor, GFN, GPA, ioRaceWorld, M, marking } from "../io-world.ts";

/** The page that the device writes to, and that the guest gives back. */
const PAGE = 0x3000;
const VALUE = 0xd0a;

export const iotlbNotFlushed = defineRace({
  name: "iotlb-not-flushed",
  id: "C-94",
  title: "A device writes to a page that has gone back",
  lesson:
    "A device that belongs to a guest translates its addresses with the guest's own map, and keeps the translations in a cache, as a processor does. A page is " +
    "taken out of the map and given back to the hypervisor. When the flush that follows reaches the processors but not the device, the device writes to a " +
    "frame that may be somebody else's by then. Freed frames are filled with a pattern here, and looked at when they are handed out again.",
  variants: {
    "no-flush": { text: "only the processors are told to flush", knobs: { "io.race": 5 }, expect: "assert" },
    fixed: {
      text: "the devices' caches are flushed too, and writes under way are waited for",
      knobs: {},
      expect: "clean",
    },
    accountant: {
      text: "the same with the accountant, and its accounts looked at after every step",
      knobs: { "iomem.account": 3 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, programs } = ioRaceWorld(
      module,
      [[KNOB_IO_IOMMU, 1], ...knobs],
      [
        program(CODE, [
          store32(GPA + BUS_DMA_ADDR, PAGE),
          store32(GPA + BUS_DMA_VALUE, VALUE),
          store32(GPA + BUS_DMA_GO, 1),
        ]),
      ],
    );
    iomemPermission(world.dom0, world.domid, M, 1, true);
    memoryMapping(world.dom0, world.domid, GFN, M, 1, true);
    assignDevice(world.dom0, world.domid, 0, true);
    const frame = world.guestAddress(PAGE);
    const toolstack = marking(
      world,
      toolstackActor(world, {
        name: "toolstack",
        index: 1,
        program: [
          {
            text: "gives a page of the guest back",
            prepare({ core: { view }, domid }, at, gpa) {
              view.setBigUint64(at, BigInt(gpa + 64), true);
              view.setBigUint64(at + 8, 1n, true);
              view.setUint32(at + 16, 0, true);
              view.setUint16(at + 24, domid, true);
              view.setBigUint64(at + 64, BigInt(PAGE / 4096), true);
              return [HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, gpa];
            },
          },
        ],
      }),
      0,
      () => word(world, frame),
    );
    return {
      world,
      describeState: () => describeDevice(world),
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }), toolstack, dmaActor(world, 2)],
      invariants: [
        ...accountsOf(world, knobs),
        {
          name: "freed-frame",
          text: "a frame that has been given back is written by nobody",
          always() {
            const mark = toolstack.mark();
            return mark !== undefined && word(world, frame) !== mark
              ? "the device has written to a frame that is free"
              : undefined;
          },
        },
      ],
    };
  },
});
