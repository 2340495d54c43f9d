/** C-65 (XSA-99): the guest writes the ring page while it is being set up. */

import { DOMCTL_VM_EVENT_OP } from "../../../../hv-core/abi/domctl.ts";
import {
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_PAUSEDOMAIN,
  DOMCTL_UNPAUSEDOMAIN,
  HC_DOMCTL,
  HC_MEMORY_OP,
  HVM_PARAM_MONITOR_RING_PFN,
  XENMEM_DECREASE_RESERVATION,
} from "../../../../hv-core/abi/hypercalls.ts";
import {
  RING_ENTRIES,
  RING_REQ_PROD,
  VM_EVENT_ENABLE,
  VM_EVENT_MODE_MONITOR,
} from "../../../../hv-core/abi/vm-event.ts";
import { word } from "../../explore/actors.ts";
import { store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { hvmSetParam } from "../../toolstack/hvm.ts";
import { DATA, DATA_GFN, eventGuest } from "../event-guest.ts";

/** A domctl; the page is cleared before it when the toolstack owns it. */
const domctlStep = (
  text: string,
  cmd: number,
  fill: (view: DataView, at: number) => void = () => {},
): HypercallStep => ({
  text,
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint32(at, cmd, true);
    view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
    view.setUint16(at + 8, world.domid, true);
    fill(view, at + 16);
    return [HC_DOMCTL, gpa];
  },
});

const hide: HypercallStep = {
  text: "takes the ring page out of the guest's memory",
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint32(at, gpa + 32, true);
    view.setUint32(at + 8, 1, true);
    view.setUint16(at + 24, world.domid, true);
    view.setUint32(at + 32, DATA_GFN, true);
    return [HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, gpa];
  },
};

export const ringPageWindow = defineRace({
  name: "ring-page-window",
  id: "C-65",
  title: "The guest writes the ring page while it is set up",
  lesson:
    "The ring is a page of the guest. Between enabling it and taking it out of the guest's memory, a guest that runs can write it, and forge requests for a listener that runs in dom0 with all its rights (XSA-99). " +
    "No check in the hypervisor helps; the order of the toolstack does: pause, enable, clear, take the page away, unpause.",
  variants: {
    "xsa-99": { text: "the guest runs while its ring page is set up", knobs: {}, expect: "own-requests" },
    fixed: { text: "the guest stands still meanwhile", knobs: {}, expect: "clean" },
  },
  setup(module, knobs, variant) {
    const guest = eventGuest(module, knobs, [[store32(DATA + RING_REQ_PROD, 1)]]);
    const { world, programs } = guest;
    hvmSetParam(world.dom0, world.domid, HVM_PARAM_MONITOR_RING_PFN, DATA_GFN);
    const page = world.guestAddress(DATA);
    const clear = (): void => void world.core.u8.fill(0, page, page + RING_ENTRIES);
    clear();
    const enable = domctlStep("clears the page and enables the ring", DOMCTL_VM_EVENT_OP, (view, at) => {
      clear();
      view.setUint32(at, VM_EVENT_ENABLE, true);
      view.setUint32(at + 4, VM_EVENT_MODE_MONITOR, true);
    });
    const pause = domctlStep("pauses the domain", DOMCTL_PAUSEDOMAIN);
    const unpause = domctlStep("unpauses the domain", DOMCTL_UNPAUSEDOMAIN);
    const toolstack = toolstackActor(world, {
      name: "toolstack",
      index: 1,
      program: variant === "fixed" ? [pause, enable, hide, unpause] : [enable, hide],
    });
    return {
      ...guest,
      actors: [vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }), toolstack],
      invariants: [
        {
          name: "own-requests",
          text: "the listener finds only requests that the hypervisor made",
          atEnd: () =>
            word(world, page + RING_REQ_PROD) !== 0
              ? "the ring has a request that the hypervisor never made: the guest wrote it"
              : undefined,
        },
      ],
    };
  },
});
