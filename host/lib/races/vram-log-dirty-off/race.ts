/** C-20 (XSA-397): dirty video memory switches log-dirty mode on while the toolstack frees its bitmap. */
import { DOMCTL_SHADOW_OP, SHADOW_OP_OFF } from "../../../../hv-core/abi/hypercalls.ts";
import { store32 } from "../../explore/code.ts";
import { domctlStep, modifiedPage, trackVram } from "../../explore/hypercall-steps.ts";
import { bitmapFrames, hasBitmap } from "../../explore/log-dirty.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { logDirtyEnable, modifiedMemory } from "../../toolstack/log-dirty.ts";
import { DATA, PAGE, watchedGuest } from "../watched-guest.ts";

export const vramLogDirtyOff = defineRace({
  name: "vram-log-dirty-off",
  id: "C-20",
  title: "Frames of a bitmap that nobody will ever free",
  lesson:
    "The bitmap of dirty pages is freed piece by piece, so that a big one does not hold up the machine. A display's device model asks " +
    "for dirty video memory, and that used to switch log-dirty mode on as a side effect, with no lock against the freeing. Pages that " +
    "are marked now get new pieces in slots that were swept already; the root goes, and they are lost for good (XSA-397). The repair: " +
    "tracking video memory has nothing to do with the mode.",
  variants: {
    shared: {
      text: "asking for dirty video memory switches the mode on",
      knobs: { "vram.mode": 1 },
      expect: "no-leak",
    },
    fixed: { text: "video memory is tracked for itself", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const guest = watchedGuest(module, knobs, [[store32(DATA, 1)]], false);
    const { world, programs } = guest;
    logDirtyEnable(world.dom0, world.domid);
    modifiedMemory(world.dom0, world.domid, PAGE / 4096, 1);
    const frames = (): string => `bitmap of ${bitmapFrames(world)} frames${hasBitmap(world) ? "" : ", no root"}`;
    return {
      world,
      describeState: frames,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            domctlStep("ends log-dirty mode: the migration is over", DOMCTL_SHADOW_OP, (view, at) =>
              view.setUint32(at, SHADOW_OP_OFF, true),
            ),
          ],
        }),
        toolstackActor(world, { name: "display", index: 2, program: [trackVram(DATA, 1), modifiedPage(PAGE)] }),
      ],
      invariants: [
        {
          name: "no-leak",
          text: "a bitmap without a root has no frames",
          atEnd: () => (!hasBitmap(world) && bitmapFrames(world) > 0 ? `at the end: ${frames()}` : undefined),
        },
      ],
    };
  },
});
