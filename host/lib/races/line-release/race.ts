/** an interrupt line is released while somebody else binds it. */
import { EVTCHNOP_BIND_PIRQ, EVTCHNOP_CLOSE, HC_EVENT_CHANNEL_OP } from "../../../../hv-core/abi/hypercalls.ts";
import { IO_LINE_SIZE, IO_LINES_BASE } from "../../../../hv-core/abi/layout.ts";
import { IRQ_ALLOW_SHARED } from "../../../../hv-core/abi/physdev.ts";
import { word } from "../../explore/actors.ts";
import { type Instruction, program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { writeGuest } from "../../toolstack/foreign.ts";
import { evtchnBindPirq, irqPermission } from "../../toolstack/io-rights.ts";
import { accountsOf, CODE, describeDevice, ioRaceWorld } from "../io-world.ts";

const LINE = 5;
/** The guest's structure {pirq, flags, port}. */
const ARGUMENT = 0x2000;
const RESULT = 0x3000;

const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

/** The guest binds the line with its own hypercall and keeps the answer. */
const BIND: readonly Instruction[] = [
  { bytes: [0xb8, ...u32(HC_EVENT_CHANNEL_OP)], text: "mov eax, event_channel_op" },
  { bytes: [0xbb, ...u32(EVTCHNOP_BIND_PIRQ)], text: "mov ebx, bind_pirq" },
  { bytes: [0xb9, ...u32(ARGUMENT)], text: "mov ecx, argument" },
  { bytes: [0x0f, 0x01, 0xc1], text: "vmcall" },
  { bytes: [0xa3, ...u32(RESULT)], text: `mov [0x${RESULT.toString(16)}], eax` },
];

export const lineRelease = defineRace({
  name: "line-release",
  id: "R-7",
  title: "An interrupt line is released while it is bound again",
  lesson:
    "The last guest of a line lets go: it is taken out of the list, and then the line is released. In between another domain binds the line, and is the first " +
    "in the list. The release does not look again and clears the line: the new guest believes that it is bound, and never gets an interrupt.",
  variants: {
    "no-second-look": {
      text: "the line is released because its list was empty",
      knobs: { "io.race": 6 },
      expect: "bound",
    },
    fixed: { text: "the release looks whether the list is still empty", knobs: {}, expect: "clean" },
    accountant: {
      text: "the same with the accountant, and its accounts looked at after every step",
      knobs: { "iomem.account": 3 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, programs } = ioRaceWorld(module, knobs, [program(CODE, BIND)]);
    writeGuest(world.dom0, world.window, world.domid, ARGUMENT, new Uint8Array([LINE, 0, 0, 0, 1, 0, 0, 0]));
    writeGuest(world.dom0, world.window, world.domid, RESULT, new Uint8Array([255, 255, 255, 255]));
    irqPermission(world.dom0, world.domid, LINE, 1 | IRQ_ALLOW_SHARED);
    const port = evtchnBindPirq(world.dom0, LINE, true);
    const guests = (): number => word(world, IO_LINES_BASE + LINE * IO_LINE_SIZE + 4);
    const result = (): number => word(world, world.guestAddress(RESULT)) | 0;
    return {
      world,
      describeState: () => `${describeDevice(world)}, line ${LINE} has ${guests()} guest(s)`,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "dom0",
          index: 1,
          program: [
            {
              text: "closes its port of the line",
              prepare({ core: { view } }, at, gpa) {
                view.setUint32(at, port, true);
                return [HC_EVENT_CHANNEL_OP, EVTCHNOP_CLOSE, gpa];
              },
            },
          ],
        }),
      ],
      invariants: [
        ...accountsOf(world, knobs),
        {
          name: "bound",
          text: "a guest whose binding has succeeded is bound",
          atEnd: () =>
            result() === 0 && guests() === 0
              ? "the guest's binding has succeeded, and the line has no guest"
              : undefined,
        },
      ],
    };
  },
});
