/** C-51: an unshare that fails has counted already. */
import {
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_INTERFACE_VERSION_4_17,
  HC_DOMCTL,
  HC_MEMORY_OP,
  XENMEM_INCREASE_RESERVATION,
} from "../../../../hv-core/abi/hypercalls.ts";
import { MACHINE_BASE, SHARING_STATE_BASE } from "../../../../hv-core/abi/layout.ts";
import { hypercall, withBuffer } from "../../dom0.ts";
import { word } from "../../explore/actors.ts";
import { store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import type { World } from "../../explore/world.ts";
import type { DomId } from "../../ids.ts";
import { domainCreate, domainMaxMem } from "../../toolstack/domctl.ts";
import { OTHER, PAGE, pageLocksFree, shared, sharingWorld, sumOfPages } from "../sharing-world.ts";

/** The counter of saved pages (hv-core/hv/sharing/state.ts). */
const SAVED = SHARING_STATE_BASE + 4;

/** A domain that has all frames that were left. */
function hog(world: World): DomId {
  const { dom0, core } = world;
  const domid = domainCreate(dom0, 1);
  domainMaxMem(dom0, domid, 1 << 20);
  const at = MACHINE_BASE >> 2;
  const left = core.u32[at + 3]! + core.u32[at]! - core.u32[at + 1]!;
  withBuffer(dom0, 32, (buffer) => {
    core.view.setUint32(buffer.at + 8, left, true);
    core.view.setUint16(buffer.at + 24, domid, true);
    hypercall(dom0, HC_MEMORY_OP, XENMEM_INCREASE_RESERVATION, buffer.gpa);
  });
  return domid;
}

export const savedCountedTwice = defineRace({
  name: "saved-counted-twice",
  id: "C-51",
  title: "A failed unshare counts a saved page that was not lost",
  lesson:
    "Unsharing takes one from the saved pages before it asks for a frame. When there is none the guest's write is made again later, and " +
    "counts again; with each attempt the counter sinks, below zero in the end. The write may succeed as soon as somebody gives memory back. Whatever " +
    "a step has done before it can fail, it must undo.",
  variants: {
    "no-undo": { text: "the counter is not put back", knobs: { "sharing.defects": 2 }, expect: "assert" },
    fixed: { text: "it is put back under the same locks", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, programs, describeState } = sharingWorld(module, knobs, [[store32(PAGE, 1)]]);
    shared(world, { domid: world.domid, gfn: OTHER / 4096 }, { domid: world.domid, gfn: PAGE / 4096 });
    const eater = hog(world);
    return {
      world,
      describeState,
      mayCrash: true, // nobody listens on the sharing ring
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "helper",
          index: 1,
          program: [
            {
              text: "destroys a domain that has all the memory",
              prepare(_, at, gpa) {
                world.core.view.setUint32(at, DOMCTL_DESTROYDOMAIN, true);
                world.core.view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
                world.core.view.setUint16(at + 8, eater, true);
                return [HC_DOMCTL, gpa];
              },
            },
          ],
        }),
      ],
      invariants: [
        {
          name: "saved-pages",
          text: "the saved pages are never fewer than none",
          always: () => ((word(world, SAVED) | 0) < 0 ? "less than no page is saved" : undefined),
        },
        sumOfPages(world),
        pageLocksFree(world),
      ],
    };
  },
});
