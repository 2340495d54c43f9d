/** C-25: a lookup without the lock reads an entry twice, and a page gets its memory in between. */
import {
  HC_MEMORY_OP,
  HC_XEN_VERSION,
  XENMEM_POPULATE_PHYSMAP,
  XENMEM_SET_POD_TARGET,
} from "../../../../hv-core/abi/hypercalls.ts";
import { hypercall, withBuffer } from "../../dom0.ts";
import { check } from "../../errors.ts";
import { program, setRegister, store32, vmcall } from "../../explore/code.ts";
import { ramValue } from "../../explore/invariants.ts";
import { defineRace } from "../../explore/race.ts";
import { pageTypeOf } from "../../explore/state-text.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld, type World } from "../../explore/world.ts";

const CODES = [0x1000, 0x2000] as const;
const RAM_PAGES = 4;
/** The page whose memory comes when it is touched. */
const PROMISED = 0x5000;
const ANSWER = PROMISED + 0x40;
const ON_DEMAND = 1 << 16;
const XENVER_EXTRAVERSION = 1;

/** Promises a page, and puts one page of memory aside for it. */
function promisePage(world: World): void {
  const { dom0, domid } = world;
  withBuffer(dom0, 48, ({ gpa, at }) => {
    const { view } = world.core;
    view.setUint32(at, gpa + 40, true);
    view.setUint32(at + 8, 1, true);
    view.setUint32(at + 20, ON_DEMAND, true);
    view.setUint16(at + 24, domid, true);
    view.setUint32(at + 40, PROMISED / 4096, true);
    check(hypercall(dom0, HC_MEMORY_OP, XENMEM_POPULATE_PHYSMAP, gpa), "XENMEM_populate_physmap(on demand)");
  });
  withBuffer(dom0, 40, ({ gpa, at }) => {
    world.core.view.setUint32(at, RAM_PAGES + 1, true);
    world.core.view.setUint16(at + 32, domid, true);
    check(hypercall(dom0, HC_MEMORY_OP, XENMEM_SET_POD_TARGET, gpa), "XENMEM_set_pod_target");
  });
}

export const entryReadTwice = defineRace({
  name: "entry-read-twice",
  id: "C-25",
  title: "A lookup without the lock takes RAM for a hole",
  lesson:
    "A page that is populated on demand has an entry that is not present and says so in its type. A reader without the lock asked two " +
    "questions, each with a read of its own: is it present? No. Is its memory still to come? If another vCPU touches the page between " +
    "the two, the memory has come: the second answer is no as well, and the reader concludes that nothing is there. A hypercall whose " +
    "answer goes to that page fails although the page is RAM. The first repair, a lock, closed a cycle of locks; the second one " +
    "(e28218a339) reads the entry once and asks that value.",
  variants: {
    twice: { text: "the entry is read once for each question", knobs: { "p2m.leafRead": 1 }, expect: "answer-arrives" },
    fixed: { text: "the entry is read once", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const programs = [
      program(CODES[0], [store32(PROMISED, 1)]),
      program(CODES[1], [
        setRegister("eax", HC_XEN_VERSION),
        setRegister("ebx", XENVER_EXTRAVERSION),
        setRegister("ecx", ANSWER),
        vmcall("asks for Xen's version as text, into the same page"),
      ]),
    ];
    const world = createWorld(module, { pages: RAM_PAGES, programs, knobs });
    promisePage(world);
    return {
      world,
      describeState: () => `page ${pageTypeOf(world, PROMISED)}`,
      actors: programs.map((p, vcpu) => vcpuActor(world, { name: `guest${vcpu}`, index: vcpu, vcpu, ...p })),
      invariants: [
        {
          name: "answer-arrives",
          text: "a hypercall's answer arrives in a page that is, or is going to be, RAM",
          atEnd: () =>
            ramValue(world, ANSWER) === 0 ? "the hypercall has ended and its answer is not in the page" : undefined,
        },
      ],
    };
  },
});
