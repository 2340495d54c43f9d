/** C-74: a domain that is being destroyed becomes the handler of a global VIRQ. */

import { DOM_STATE } from "../../../../hv-core/abi/domain.ts";
import { DOMCTL_SET_VIRQ_HANDLER } from "../../../../hv-core/abi/domctl.ts";
import { EINVAL, ESRCH } from "../../../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN } from "../../../../hv-core/abi/hypercalls.ts";
import { word } from "../../explore/actors.ts";
import { program, store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { createWorld } from "../../explore/world.ts";
import { describeDomctls } from "../domctl-state.ts";
import { domctlStep } from "../domctl-step.ts";

/** A global VIRQ that nobody raises here. */
const VIRQ_ENOMEM = 12;

export const zombieHandler = defineRace({
  name: "zombie-handler",
  id: "C-74",
  title: "A dying domain is told of everybody's events",
  lesson:
    "The first thing destroydomain does is to take the domain out of the table of VIRQ handlers; then it is preempted many times while memory comes back. A set_virq_handler in one of these gaps puts the dying domain " +
    "into the table again. The table's reference is never dropped: the domain stays a zombie for ever, and the event goes to nobody. Undoing something early in a long operation needs a check that it is not redone " +
    "before the end.",
  variants: {
    xen: { text: "any domain can become the handler (Xen 4.17)", knobs: {}, expect: "no-zombie" },
    fixed: { text: "a dying domain is refused", knobs: { "domctl.virqHandler": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const code = program(0x1000, [store32(0x2000, 1)]);
    const world = createWorld(module, { pages: 4, programs: [code], knobs });
    const destroyer = toolstackActor(world, {
      name: "destroyer",
      index: 0,
      program: [domctlStep("destroys the domain", DOMCTL_DESTROYDOMAIN)],
    });
    const manager = toolstackActor(world, {
      name: "manager",
      index: 1,
      program: [
        domctlStep(
          "makes it the handler of VIRQ_ENOMEM",
          DOMCTL_SET_VIRQ_HANDLER,
          (view, at) => view.setUint32(at, VIRQ_ENOMEM, true),
          [-ESRCH, -EINVAL],
        ),
      ],
    });
    return {
      world,
      describeState: () => describeDomctls(world),
      actors: [destroyer, manager],
      invariants: [
        {
          name: "no-zombie",
          text: "a destroyed domain whose frames are back is gone",
          always() {
            if (destroyer.done() + manager.done() < 2 || word(world, world.domainAt + DOM_STATE) === 0)
              return undefined;
            return "the domain is destroyed, its frames are back, and it never goes away";
          },
        },
      ],
    };
  },
});
