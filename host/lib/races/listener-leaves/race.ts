/** V-5: the listener goes between the check for one and the event. */
import { DOMCTL_VM_EVENT_OP } from "../../../../hv-core/abi/domctl.ts";
import { EBUSY } from "../../../../hv-core/abi/errno.ts";
import { DOMCTL_INTERFACE_VERSION_4_17, HC_DOMCTL } from "../../../../hv-core/abi/hypercalls.ts";
import { P2M_ACCESS_N2RWX, P2M_ACCESS_R } from "../../../../hv-core/abi/p2m-types.ts";
import { VM_EVENT_DISABLE, VM_EVENT_MODE_MONITOR } from "../../../../hv-core/abi/vm-event.ts";
import { load32, store32 } from "../../explore/code.ts";
import { listenerActor } from "../../explore/listener-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { memAccessSet } from "../../toolstack/vm-event.ts";
import { DATA, DATA_GFN, eventGuest, openRing } from "../event-guest.ts";

const disable: HypercallStep = {
  text: "disables the monitor ring",
  mayFail: [-EBUSY],
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint32(at, DOMCTL_VM_EVENT_OP, true);
    view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
    view.setUint16(at + 8, world.domid, true);
    view.setUint32(at + 16, VM_EVENT_DISABLE, true);
    view.setUint32(at + 20, VM_EVENT_MODE_MONITOR, true);
    return [HC_DOMCTL, gpa];
  },
};

export const listenerLeaves = defineRace({
  name: "listener-leaves",
  id: "V-5",
  title: "The listener goes after the vCPU has seen it and before it is told",
  lesson:
    "A violated page access is checked under the p2m lock: there is a listener, so an event is made. It is sent when the lock is free again. Disabling the ring pauses the domain, and a pause waits until every vCPU has left the " +
    "hypervisor, so no vCPU is on the way from the one to the other. One is all the same: a vCPU that found the ring full sleeps in between. An answer makes room and wakes it, the ring is disabled before it runs, and then " +
    "nobody can be told: the domain is crashed (spec 02, exit c). Nothing has happened to the guest's page, so the access can simply be made again; it then finds that nobody listens. Without the pause one vCPU is enough.",
  variants: {
    unpaused: {
      text: "disable does not pause the domain: the ring goes while its slot is being filled",
      knobs: { "vmEvent.disable": 2, "vmEvent.slots": 2 },
      expect: "assert",
    },
    crash: { text: "an event that cannot be sent crashes the domain", knobs: { "vmEvent.slots": 1 }, expect: "crash" },
    fixed: {
      text: "the access is made again without a listener",
      knobs: { "vmEvent.slots": 1, "vmEvent.unsent": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs, variant) {
    const second = DATA + 0x1000;
    // vCPU 0 fills the only slot with an event that it need not wait for; vCPU 1 finds none. Unpaused: there is room, and one vCPU.
    const bodies = variant === "unpaused" ? [[store32(second, 1)]] : [[load32(DATA)], [store32(second, 1)]];
    const guest = eventGuest(module, knobs, bodies);
    const { world, programs } = guest;
    const ring = openRing(world, VM_EVENT_MODE_MONITOR);
    memAccessSet(world.dom0, world.domid, P2M_ACCESS_N2RWX, DATA_GFN, 1);
    memAccessSet(world.dom0, world.domid, P2M_ACCESS_R, DATA_GFN + 1, 1);
    return {
      ...guest,
      mayWaitForEver: true, // an event that was sent and is never answered
      actors: [
        ...programs.map((program, vcpu) => vcpuActor(world, { name: `guest${vcpu}`, index: vcpu, vcpu, ...program })),
        // It lets nobody go on: else the access is made again, and again.
        listenerActor(world, { name: "monitor", index: programs.length, ring, answer: () => 0 }),
        toolstackActor(world, { name: "toolstack", index: programs.length + 1, program: [disable] }),
      ],
      invariants: [],
    };
  },
});
