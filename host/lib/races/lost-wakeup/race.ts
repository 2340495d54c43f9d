/** C-76: a vCPU goes to sleep for an answer that has just come (wait_on_xen_event_channel without its second look). */
import { deviceActor } from "../../explore/device-actor.ts";
import { everyWriteOnce } from "../../explore/invariants.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { notifyStep } from "../hostile-emulator.ts";
import { MMIO, mmioGuest } from "../mmio-guest.ts";

export const lostWakeup = defineRace({
  name: "lost-wakeup",
  id: "C-76",
  title: "A vCPU sleeps although its answer is in",
  lesson:
    "An event that has nothing to do with the answer can wake a vCPU that waits. It looks at its slot, sees no answer, and marks itself asleep. If the device model answers and notifies between " +
    "the look and the mark, the notification finds nobody asleep and the vCPU then sleeps for ever. The rule: say that you sleep " +
    "first, then look again.",
  variants: {
    "no-retest": {
      text: "the vCPU marks itself asleep and does not look again",
      knobs: { "ioreq.wait": 1 },
      expect: "deadlock",
    },
    fixed: { text: "it looks again after it said that it sleeps", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = mmioGuest(module, knobs);
    const { world, end, programs } = guest;
    const device = deviceActor(world, { name: "emulator", index: 1, end });
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        device,
        // An event too many: a notification that comes late, or twice.
        toolstackActor(world, { name: "stray", index: 2, program: [notifyStep(end)] }),
      ],
      invariants: [
        everyWriteOnce(
          world,
          programs,
          [device],
          [
            { vcpu: 0, index: 0, address: MMIO, value: 1 },
            { vcpu: 0, index: 1, address: MMIO + 4, value: 2 },
          ],
        ),
      ],
    };
  },
});
