/** C-63, C-64: a ring with fewer slots than the domain has vCPUs. */
import { P2M_ACCESS_N2RWX } from "../../../../hv-core/abi/p2m-types.ts";
import { VM_EVENT_MODE_MONITOR } from "../../../../hv-core/abi/vm-event.ts";
import { load32 } from "../../explore/code.ts";
import { listenerActor } from "../../explore/listener-actor.ts";
import { defineRace } from "../../explore/race.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { memAccessSet } from "../../toolstack/vm-event.ts";
import { DATA, DATA_GFN, eventGuest, openRing } from "../event-guest.ts";

export const fullRing = defineRace({
  name: "full-ring",
  id: "C-63",
  title: "More vCPUs than slots: events are lost, or everybody waits for ever",
  lesson:
    "Every vCPU may have an event at the same time, and a ring has eight slots. Dropping what does not fit loses events of the guest (C-64, before 3643a96119). Stopping vCPUs until there is a slot for " +
    "each of them stops them for ever when there are more vCPUs than slots (C-63, before 7f8445d967). Now a vCPU that finds no slot sleeps on a wait queue, and one whose event nearly fills the ring is stopped after it. " +
    "The explorer found a case that is left: an answer lets only as many stopped vCPUs go on as there are free slots, so with more vCPUs than slots one may stay stopped beside an empty ring. Nothing is lost when all of them go on, because the wait queue catches those for whom there is no slot.",
  variants: {
    "needs-all": {
      text: "stopped vCPUs go on when there are as many free slots as vCPUs",
      knobs: { "vmEvent.slots": 1, "vmEvent.full": 1 },
      expect: "deadlock",
    },
    lost: {
      text: "an event that finds no slot is dropped",
      knobs: { "vmEvent.slots": 1, "vmEvent.full": 2 },
      expect: "every-event",
    },
    "4.17": {
      text: "who finds no slot sleeps until one is free; a free slot lets one stopped vCPU go on",
      knobs: { "vmEvent.slots": 1 },
      expect: "deadlock",
    },
    fixed: {
      text: "a free slot lets all stopped vCPUs go on",
      knobs: { "vmEvent.slots": 1, "vmEvent.full": 3 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const pages = [DATA, DATA + 0x1000];
    const guest = eventGuest(
      module,
      knobs,
      pages.map((page) => [load32(page), load32(page)]),
    );
    const { world, programs } = guest;
    const ring = openRing(world, VM_EVENT_MODE_MONITOR);
    memAccessSet(world.dom0, world.domid, P2M_ACCESS_N2RWX, DATA_GFN, 2);
    const monitor = listenerActor(world, { name: "monitor", index: 2, ring });
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        vcpuActor(world, { name: "guest1", index: 1, vcpu: 1, ...programs[1]! }),
        monitor,
      ],
      invariants: [
        {
          name: "every-event",
          text: "the listener hears of every page that was touched",
          atEnd() {
            const missed = pages.filter((page) => !monitor.log().some((r) => r.gfn === page / 4096));
            return missed.length > 0
              ? `page 0x${missed[0]!.toString(16)} was touched and the listener never heard of it`
              : undefined;
          },
        },
      ],
    };
  },
});
