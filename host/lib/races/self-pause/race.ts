/** C-70 (XSA-127): a domain that may use gettscinfo asks about itself. */
import { DOMCTL_GETTSCINFO, XSM_TARGET_ANY } from "../../../../hv-core/abi/domctl.ts";
import { DOMCTL_MAX_MEM, HC_DOMCTL } from "../../../../hv-core/abi/hypercalls.ts";
import { KNOB_XSM, XSM_POLICY } from "../../../../hv-core/abi/knobs.ts";
import { hypercall, program } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { xsmLoadPolicy } from "../../toolstack/xsm.ts";
import { describeDomctls } from "../domctl-state.ts";
import { domctlStep, guestDomctl } from "../domctl-step.ts";

const CODE = 0x1000;
const OP = 0x2000;

export const selfPause = defineRace({
  name: "self-pause",
  id: "C-70",
  title: "A toolstack domain waits for itself",
  lesson:
    "Several domctls pause the domain they are about: they wait until each of its vCPUs has left the hypervisor. The vCPU that makes the call is in the hypervisor, so a domain that asks about itself waits " +
    "for ever, and it holds the domctl lock: nobody's domctl goes on any more. As long as only the control domain made such calls nobody noticed; the list of 2014 handed them to others. The rule: no path may wait for " +
    "a pause that includes the running vCPU.",
  variants: {
    "xsa-127": {
      text: "gettscinfo does not ask whether the domain is the caller's own",
      knobs: { "domctl.defects": 1 },
      expect: "deadlock",
    },
    fixed: { text: "a domain that is the caller's own is refused", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const code = program(CODE, hypercall(HC_DOMCTL, OP));
    const world = createWorld(module, { pages: 4, programs: [code], knobs: [[KNOB_XSM, XSM_POLICY], ...knobs] });
    xsmLoadPolicy(world.dom0, [
      { subject: world.domid, target: XSM_TARGET_ANY, domctl: DOMCTL_GETTSCINFO, limitKib: 0 },
    ]);
    guestDomctl(world, OP, DOMCTL_GETTSCINFO);
    return {
      world,
      describeState: () => describeDomctls(world),
      actors: [
        vcpuActor(world, { name: "builder", index: 0, vcpu: 0, ...code }),
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
