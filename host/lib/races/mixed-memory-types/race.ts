/** C-93, XSA-154: two mappings of one device with different memory types. */
import { DEV_MIXED } from "../../../../hv-core/abi/bus.ts";
import { IO_DEVICES_BASE } from "../../../../hv-core/abi/layout.ts";
import { word } from "../../explore/actors.ts";
import { type Instruction, program, store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { iomemPermission, memoryMapping } from "../../toolstack/io-rights.ts";
import { accountsOf, CODE, DOM0_CODE, describeDevice, GFN, GPA, ioRaceWorld, M, M_GPA } from "../io-world.ts";

/** MTRRs on, everything uncached. */
const UNCACHED: readonly Instruction[] = [
  { bytes: [0xb9, 0xff, 0x02, 0, 0], text: "mov ecx, MTRRdefType" },
  { bytes: [0xb8, 0x00, 0x08, 0, 0], text: "mov eax, enabled | uncached" },
  { bytes: [0x31, 0xd2], text: "xor edx, edx" },
  { bytes: [0x0f, 0x30], text: "wrmsr" },
];

export const mixedMemoryTypes = defineRace({
  name: "mixed-memory-types",
  id: "C-93",
  title: "Two mappings of one device with different memory types",
  lesson:
    "A domain that may choose the memory type of a device's page maps it write-back, as everything else: its stores stay in a cache line, and the device sees none " +
    "of them. Another domain has the same page uncached. When an uncached access meets the cached line, a processor may answer with a machine check, which " +
    "stops the whole machine. Xen makes every direct mapping of MMIO uncached, whatever the guest says.",
  variants: {
    "guest-type": {
      text: "each domain's MTRRs decide: dom0's say write-back",
      knobs: { "io.race": 7 },
      expect: "one-type",
    },
    fixed: { text: "direct MMIO is uncached", knobs: {}, expect: "clean" },
    accountant: {
      text: "the same with the accountant, and its accounts looked at after every step",
      knobs: { "iomem.account": 3 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const dom0 = program(DOM0_CODE, [store32(M_GPA, 2)]);
    const { world, programs } = ioRaceWorld(module, knobs, [program(CODE, [...UNCACHED, store32(GPA, 1)])], dom0);
    iomemPermission(world.dom0, world.domid, M, 1, true);
    memoryMapping(world.dom0, world.domid, GFN, M, 1, true);
    const mixed = (): number => word(world, IO_DEVICES_BASE + DEV_MIXED);
    return {
      world,
      describeState: () => `${describeDevice(world)}, ${mixed()} mixed`,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        vcpuActor(world, { name: "dom0", index: 1, vcpu: 1, ...dom0 }),
      ],
      invariants: [
        ...accountsOf(world, knobs),
        {
          name: "one-type",
          text: "a frame of a device is accessed with one memory type",
          always: () =>
            mixed() > 0 ? "the guest's uncached store has met dom0's cache line of the same register" : undefined,
        },
      ],
    };
  },
});
