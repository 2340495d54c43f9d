/** C-14: a vCPU takes an event that a device model has not finished filling in. */
import { type Instruction, program, setRegister } from "../../explore/code.ts";
import { injectException } from "../../explore/hypercall-steps.ts";
import { ramValue } from "../../explore/invariants.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld, type World } from "../../explore/world.ts";
import { CODE } from "../mmio-guest.ts";

const VECTOR_PF = 14;
const ERROR_CODE = 5;
/** In the guest's data page: descriptors, gates, pointers to both, and where the handler puts the error code. */
const GDT = 0x3000;
const IDT = 0x3100;
const GDT_POINTER = 0x3200;
const IDT_POINTER = 0x3208;
const SEEN = 0x3300;
const STACK = 0x3f00;
/** Flat code, 32 bits. */
const CODE_SEGMENT = 0x00cf_9a00_0000_ffffn;
const INTERRUPT_GATE = 0x8e00;
/** No event has this error code. */
const NOTHING_YET = 0xffff_ffff;

const at = (opcode: readonly number[], address: number): number[] => [
  ...opcode,
  ...[0, 8, 16, 24].map((shift) => (address >>> shift) & 255),
];
const PREPARATION: readonly Instruction[] = [
  setRegister("esp", STACK),
  { bytes: at([0x0f, 0x01, 0x15], GDT_POINTER), text: "lgdt" },
  { bytes: at([0x0f, 0x01, 0x1d], IDT_POINTER), text: "lidt" },
];
const WAIT: Instruction = { bytes: [0xeb, 0xfe], text: "jmp $ (waits)" };
const HANDLER: Instruction = { bytes: at([0x8f, 0x05], SEEN), text: "pop the error code (handler of #PF)" };

function writeTables(world: World, handler: number): void {
  const { view } = world.core;
  const ram = (address: number): number => world.guestAddress(address);
  view.setBigUint64(ram(GDT + 8), CODE_SEGMENT, true);
  view.setUint16(ram(IDT + VECTOR_PF * 8), handler, true);
  view.setUint16(ram(IDT + VECTOR_PF * 8 + 2), 8, true);
  view.setUint16(ram(IDT + VECTOR_PF * 8 + 4), INTERRUPT_GATE, true);
  for (const [pointer, table] of [
    [GDT_POINTER, GDT],
    [IDT_POINTER, IDT],
  ] as const) {
    view.setUint16(ram(pointer), 0xff, true);
    view.setUint32(ram(pointer + 2), table, true);
  }
  view.setUint32(ram(SEEN), NOTHING_YET, true);
}

export const eventHalfFilled = defineRace({
  name: "event-half-filled",
  id: "C-14",
  title: "An exception with somebody else's error code",
  lesson:
    "A device model may inject an exception into a vCPU: a vector, an error code, an address. The hypercall wrote the vector first, and " +
    "the vector is what the vCPU looks at before it enters the guest. A vCPU that looks in between takes the new vector with the old " +
    "error code: the guest handles a page fault that nobody meant. The repair (9b7c0ce583) makes the vector the gate: taken by one " +
    "caller, filled in, and opened last.",
  variants: {
    "vector-first": {
      text: "the vector is written first, then the rest",
      knobs: { "inject.gate": 1 },
      expect: "whole-event",
    },
    fixed: { text: "the event becomes valid when all of it is there", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const code = program(CODE, [...PREPARATION, WAIT, HANDLER]);
    const world = createWorld(module, { pages: 4, programs: [code], knobs });
    writeTables(world, code.instructions[PREPARATION.length + 1]![0]);
    for (const _ of PREPARATION) world.exports.exploreRun(world.vcpus[0]!);
    const seen = (): number => ramValue(world, SEEN);
    return {
      world,
      describeState: () => (seen() === NOTHING_YET ? "no exception yet" : `error code ${seen()}`),
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...code }),
        toolstackActor(world, {
          name: "emulator",
          index: 1,
          program: [injectException(VECTOR_PF, ERROR_CODE, `injects #PF with error code ${ERROR_CODE}`)],
        }),
      ],
      invariants: [
        {
          name: "whole-event",
          text: "the guest's handler finds the error code that was sent with the vector",
          always: () =>
            seen() === NOTHING_YET || seen() === ERROR_CODE
              ? undefined
              : `the handler of #PF found error code ${seen()}, and ${ERROR_CODE} was sent`,
          atEnd: () => (seen() === NOTHING_YET ? "the exception has not arrived" : undefined),
        },
      ],
    };
  },
});
