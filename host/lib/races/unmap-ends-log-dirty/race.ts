/** S-2 (C-18): unmapping a page type ends the tracking of writes for a migration that is under way. */
import { EINVAL } from "../../../../hv-core/abi/errno.ts";
import { store32 } from "../../explore/code.ts";
import { deviceActor } from "../../explore/device-actor.ts";
import { unmapType, watchPage } from "../../explore/hypercall-steps.ts";
import { ramValue } from "../../explore/invariants.ts";
import { isMarkedDirty } from "../../explore/log-dirty.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { logDirtyEnable } from "../../toolstack/log-dirty.ts";
import { DATA, PAGE, watchedGuest } from "../watched-guest.ts";

export const unmapEndsLogDirty = defineRace({
  name: "unmap-ends-log-dirty",
  id: "S-2",
  title: "A migration loses pages that were written",
  lesson:
    "While a guest is migrated, its RAM is write-protected page by page and each first write is noted. A device model that watches a page " +
    "and then lets the type go makes the hypervisor recompute all entries, and the call that does this also says what RAM is from now " +
    "on: writable, not tracked. The mode is still on, nobody is told, and writes are no longer noted until the next CLEAN (read in the " +
    "source of Xen 4.17 and seen on a real machine). The guard is that log-dirty mode refuses to start while pages have the type; a page " +
    "that gets it afterwards goes round the guard. The smallest repair: recompute the entries, and leave alone what RAM is.",
  variants: {
    "4.17": { text: "the unmap also says that RAM is not tracked", knobs: {}, expect: "writes-are-noted" },
    fixed: { text: "the unmap only recomputes", knobs: { "unmap.logDirty": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = watchedGuest(module, knobs, [[store32(PAGE, 1), store32(DATA, 2)]], false);
    const { world, end, programs } = guest;
    logDirtyEnable(world.dom0, world.domid);
    return {
      ...guest,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          // Only a page that was written since the last CLEAN is plain RAM and can get the type.
          program: [watchPage(PAGE, [-EINVAL]), unmapType(end)],
        }),
        deviceActor(world, { name: "emulator", index: 2, end }),
      ],
      invariants: [
        {
          name: "writes-are-noted",
          text: "while log-dirty mode is on, a page that the guest has written is noted",
          always() {
            const isLost = ramValue(world, DATA) === 2 && !isMarkedDirty(world, DATA / 4096);
            return isLost ? `page ${DATA / 4096} has been written and the bitmap does not have it` : undefined;
          },
        },
      ],
    };
  },
});
