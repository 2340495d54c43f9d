/** C-71 (XSA-492): a device model's domain calls without a pause, and the control domain never gets the lock. */
import { DOMCTL_GETPAGEFRAMEINFO3, XSM_TARGET_ANY } from "../../../../hv-core/abi/domctl.ts";
import { DOMCTL_MAX_MEM, HC_DOMCTL } from "../../../../hv-core/abi/hypercalls.ts";
import { KNOB_XSM, XSM_POLICY } from "../../../../hv-core/abi/knobs.ts";
import { hypercall, jump, program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { xsmLoadPolicy } from "../../toolstack/xsm.ts";
import { describeDomctls } from "../domctl-state.ts";
import { domctlStep, guestDomctl } from "../domctl-step.ts";

const CODE = 0x1000;
const OP = 0x2000;

export const domctlStarvation = defineRace({
  name: "domctl-starvation",
  id: "C-71",
  title: "A device model's domain keeps the control domain out",
  lesson:
    "The domctl lock is tried, not waited for: who finds it held makes the hypercall again. That is no queue, and nothing bounds how often one caller passes another. A domain that may make one harmless domctl can make it " +
    "again and again, and the control domain, which wants to do something about it, comes each time when the lock is held. The rule: bounded bypass; or, as Xen does it, no global lock around what others than the " +
    "control domain may do.",
  variants: {
    "one-lock": {
      text: "every domctl takes the one lock",
      knobs: {},
      expect: "livelock",
    },
    fixed: {
      text: "the operations of a device model's domain do not take it",
      knobs: { "domctl.lock": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const call = hypercall(HC_DOMCTL, OP);
    const length = call.reduce((sum, i) => sum + i.bytes.length, 0);
    const code = program(CODE, [...call, jump(CODE + length, CODE)]);
    const world = createWorld(module, { pages: 4, programs: [code], knobs: [[KNOB_XSM, XSM_POLICY], ...knobs] });
    xsmLoadPolicy(world.dom0, [
      { subject: world.domid, target: XSM_TARGET_ANY, domctl: DOMCTL_GETPAGEFRAMEINFO3, limitKib: 0 },
    ]);
    guestDomctl(world, OP, DOMCTL_GETPAGEFRAMEINFO3);
    return {
      world,
      describeState: () => describeDomctls(world),
      actors: [
        vcpuActor(world, { name: "stub", index: 0, vcpu: 0, loops: true, ...code }),
        toolstackActor(world, {
          name: "dom0",
          index: 1,
          program: [
            domctlStep("limits the memory of the domain", DOMCTL_MAX_MEM, (view, at) => view.setUint32(at, 4096, true)),
          ],
        }),
      ],
      invariants: [],
    };
  },
});
