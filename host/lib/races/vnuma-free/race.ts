/** C-72 (XSA-502): a domain is destroyed while another looks at its virtual NUMA topology. */
import { DOMCTL_SETVNUMAINFO } from "../../../../hv-core/abi/domctl.ts";
import { EOPNOTSUPP, ESRCH } from "../../../../hv-core/abi/errno.ts";
import {
  DOMCTL_DESTROYDOMAIN,
  HC_DOMCTL,
  HC_MEMORY_OP,
  XENMEM_GET_VNUMAINFO,
} from "../../../../hv-core/abi/hypercalls.ts";
import { hypercall } from "../../dom0.ts";
import { check } from "../../errors.ts";
import { program, store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { createWorld, type World } from "../../explore/world.ts";
import { describeDomctls } from "../domctl-state.ts";
import { domctlStep } from "../domctl-step.ts";

/** A page of dom0 for the set-up, and where the lists are in it and in the reader's page. */
const SETUP_PAGE = 2;
const LISTS = 0x200;

/** One node, one vCPU, one range. */
function giveTopology(world: World): void {
  const gpa = SETUP_PAGE * 4096;
  const at = world.dom0.ramAt + gpa;
  const step = domctlStep("", DOMCTL_SETVNUMAINFO, (view, u) => {
    for (const count of [0, 4, 8]) view.setUint32(u + count, 1, true);
    for (const handle of [16, 24, 32, 40]) view.setUint32(u + handle, gpa + LISTS, true);
  });
  step.prepare(world, at, gpa);
  world.core.u8.fill(0, at + LISTS, at + LISTS + 64);
  check(hypercall(world.dom0, HC_DOMCTL, gpa), "setvnumainfo");
  world.core.u8.fill(0, at, at + LISTS + 64);
}

const getTopology: HypercallStep = {
  text: "asks for the topology of the domain",
  mayFail: [-ESRCH, -EOPNOTSUPP],
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint16(at, world.domid, true);
    for (const count of [4, 8, 12]) view.setUint32(at + count, 1, true);
    for (const handle of [16, 24, 32]) view.setUint32(at + handle, gpa + LISTS, true);
    return [HC_MEMORY_OP, XENMEM_GET_VNUMAINFO, gpa];
  },
};

export const vnumaFree = defineRace({
  name: "vnuma-free",
  id: "C-72",
  title: "A topology is copied after it was freed",
  lesson:
    "get_vnumainfo looks at the size of the tables under a lock, lets the lock go to find memory for a copy, takes it again and copies. In between the domain can be destroyed, and its tables with it. What was true under a " +
    "lock is true as long as the lock is held; whoever takes it again begins again.",
  variants: {
    "xsa-502": {
      text: "the tables are not looked for again",
      knobs: { "domctl.defects": 16 },
      expect: "assert",
    },
    fixed: { text: "under the lock again it asks whether there is a topology", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const code = program(0x1000, [store32(0x2000, 1)]);
    const world = createWorld(module, { pages: 4, programs: [code], knobs });
    giveTopology(world);
    return {
      world,
      describeState: () => describeDomctls(world),
      actors: [
        toolstackActor(world, { name: "reader", index: 0, program: [getTopology] }),
        toolstackActor(world, {
          name: "destroyer",
          index: 1,
          program: [domctlStep("destroys the domain", DOMCTL_DESTROYDOMAIN)],
        }),
      ],
      invariants: [],
    };
  },
});
