/** C-75: the toolstack asks how large a vCPU's extended state is, and the vCPU makes it larger before it is read. */
import { DOMCTL_GETVCPUEXTSTATE, DOMCTL_UNION } from "../../../../hv-core/abi/domctl.ts";
import { VCPU_SIZE, VCPU_XSTATE_OFFSET, VCPUS_BASE } from "../../../../hv-core/abi/layout.ts";
import { XSTATE_ALL } from "../../../../hv-core/abi/xstate.ts";
import { word } from "../../explore/actors.ts";
import { program, setRegister, xsetbv } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { domctlStep } from "../domctl-step.ts";

/** In the toolstack's page: the domctl's structure, which stays there from call to call, and the buffer for the state. */
const OP = 0x400;
const BUFFER = 0x800;
/** In the structure: mask, size, handle. */
const MASK = OP + DOMCTL_UNION + 8;
const SIZE = OP + DOMCTL_UNION + 16;
const HANDLE = OP + DOMCTL_UNION + 24;

/** A call whose structure is not at the beginning of the page, because the answer is needed for the next call. */
function extState(text: string, fill: (view: DataView, at: number, gpa: number) => void): HypercallStep {
  const step = domctlStep(text, DOMCTL_GETVCPUEXTSTATE);
  return {
    text,
    mayFail: [],
    prepare(world, at, gpa) {
      const { view } = world.core;
      const size = view.getBigUint64(at + SIZE, true);
      const mask = view.getBigUint64(at + MASK, true);
      const [nr] = step.prepare(world, at + OP, gpa + OP);
      view.setBigUint64(at + SIZE, size, true);
      view.setBigUint64(at + MASK, mask, true);
      fill(view, at, gpa);
      return [nr!, gpa + OP];
    },
  };
}

export const extStateSize = defineRace({
  name: "ext-state-size",
  id: "C-75",
  title: "A migration fails because the guest uses its processor",
  lesson:
    "The size of a vCPU's extended state depends on XCR0, which the guest may set at any time. The toolstack asks for the size, finds a buffer, and asks for the data: when the guest has enabled more state in between, the buffer " +
    "is too small, the call fails, and the migration with it. A size that is told in one call and relied upon in the next must be an upper bound of all that can happen in between.",
  variants: {
    current: {
      text: "the size is that of the state the vCPU has used so far",
      knobs: { "cpu.xsetbv": 1, "domctl.extState": 1 },
      expect: "hypercall",
    },
    fixed: {
      text: "the size is the largest one there can be",
      knobs: { "cpu.xsetbv": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const code = program(0x1000, [
      setRegister("eax", XSTATE_ALL),
      setRegister("ecx", 0),
      setRegister("edx", 0),
      xsetbv,
    ]);
    const world = createWorld(module, { pages: 4, programs: [code], knobs });
    return {
      world,
      describeState() {
        const at = VCPUS_BASE + world.vcpus[0]! * VCPU_SIZE + VCPU_XSTATE_OFFSET;
        return `XCR0 ${word(world, at)}, used so far ${word(world, at + 8)}`;
      },
      actors: [
        vcpuActor(world, { name: "guest", index: 0, vcpu: 0, ...code }),
        toolstackActor(world, {
          name: "migration",
          index: 1,
          program: [
            extState("asks how large the extended state of vCPU 0 is", () => {}),
            extState("reads it into a buffer of that size", (view, at, gpa) =>
              view.setUint32(at + HANDLE, gpa + BUFFER, true),
            ),
          ],
        }),
      ],
      invariants: [],
    };
  },
});
