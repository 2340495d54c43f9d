/**
 * A domain that pauses itself by a domctl (XSA-127, put back by a knob): the caller waits for the other vCPUs and not for itself. Before,
 * the race build waited for the caller's own vCPU for ever.
 */
import { expect, it } from "vitest";
import { type Instruction, program, store32 } from "../../host/lib/explore/code.ts";
import { openRace } from "../../host/lib/explore/instance.ts";
import { defineRace } from "../../host/lib/explore/race.ts";
import { search } from "../../host/lib/explore/search.ts";
import { vcpuActor } from "../../host/lib/explore/vcpu-actor.ts";
import { createWorld } from "../../host/lib/explore/world.ts";
import { CPU_REGS } from "../../hv-core/abi/cpu.ts";
import { DOMCTL_GETTSCINFO } from "../../hv-core/abi/domctl.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../hv-core/abi/hypercalls.ts";
import { DEFECT_SELF_PAUSE, KNOB_DOMCTL_DEFECTS } from "../../hv-core/abi/knobs.ts";
import { VCPU_SIZE, VCPUS_BASE } from "../../hv-core/abi/layout.ts";
import { BUDGET, raceBuild } from "./support.ts";

const OP = 0x2000;
const WRITTEN = 0x3000;
/** Domain.isPrivileged. */
const IS_PRIVILEGED = 12;

const u32 = (value: number): number[] => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);
const mov = (register: number, value: number): Instruction => ({
  bytes: [0xb8 + register, ...u32(value)],
  text: `mov register ${register}, ${value}`,
});
const vmcall: Instruction = { bytes: [0x0f, 0x01, 0xc1], text: "vmcall" };

const selfPause = defineRace({
  name: "self-pause",
  id: "test",
  title: "A domain asks for its own TSC",
  lesson: "-",
  variants: { only: { text: "-", knobs: {}, expect: "clean" } },
  setup(module, knobs) {
    const programs = [
      program(0x1000, [mov(0, HC_DOMCTL), mov(3, OP), vmcall]),
      program(0x1800, [store32(WRITTEN, 1), store32(WRITTEN + 4, 2)]),
    ];
    const world = createWorld(module, { pages: 4, programs, knobs });
    const { view } = world.core;
    view.setUint32(world.domainAt + IS_PRIVILEGED, 1, true);
    const op = world.guestAddress(OP);
    view.setUint32(op, DOMCTL_GETTSCINFO, true);
    view.setUint32(op + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
    view.setUint16(op + 8, world.domid, true);
    return {
      world,
      actors: programs.map((p, vcpu) => vcpuActor(world, { name: `guest${vcpu}`, index: vcpu, vcpu, ...p })),
      invariants: [
        {
          name: "answered",
          text: "the domctl succeeds",
          atEnd() {
            const result = world.core.u32[(VCPUS_BASE + world.vcpus[0]! * VCPU_SIZE + CPU_REGS) >> 2]! | 0;
            return result === 0 ? undefined : `it returned ${result}`;
          },
        },
      ],
      describeState: () => "",
    };
  },
});

it("is answered, whatever the other vCPU does meanwhile", () => {
  const instance = openRace(raceBuild, selfPause, "only", {}, [[KNOB_DOMCTL_DEFECTS, DEFECT_SELF_PAUSE]]);
  const result = search(instance, { budget: BUDGET });
  expect(result.violation).toBeUndefined();
  expect(result).toMatchObject({ verdict: "clean", exhaustive: true });
});

it("without the defect it is refused before anything is paused", () => {
  const { violation } = search(openRace(raceBuild, selfPause, "only"), { budget: BUDGET });
  expect(violation).toMatchObject({ invariant: "answered", message: "it returned -22" });
});
