/** Found here: a fork takes its own p2m lock and then its parent's; sharing takes them in the order of the ids. */
import {
  DOMID_SELF,
  HC_MEMORY_OP,
  SHARING_C_HANDLE_INVALID,
  SHARING_S_HANDLE_INVALID,
  XENMAPSPACE_GMFN_FOREIGN,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
} from "../../../../hv-core/abi/hypercalls.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import type { DomId } from "../../ids.ts";
import { domainCreate } from "../../toolstack/domctl.ts";
import { domainFork, sharingControl } from "../../toolstack/sharing.ts";
import { nominated, PAGE, pageLocksFree, shareStep, sharingWorld, sumOfPages } from "../sharing-world.ts";

/** dom0's gfn for the mapping. */
const WINDOW = 0x180;

const mapStep = (domid: DomId): HypercallStep => ({
  text: "maps a page of the fork, which it does not have yet",
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint16(at, DOMID_SELF, true);
    view.setUint16(at + 2, XENMAPSPACE_GMFN_FOREIGN, true);
    view.setUint16(at + 4, 1, true);
    view.setUint16(at + 6, domid, true);
    view.setUint32(at + 8, gpa + 128, true);
    view.setUint32(at + 16, gpa + 136, true);
    view.setUint32(at + 24, gpa + 144, true);
    view.setUint32(at + 128, PAGE / 4096, true);
    view.setUint32(at + 136, WINDOW, true);
    return [HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, gpa];
  },
});

export const forkAgainstShare = defineRace({
  name: "fork-against-share",
  id: "found here",
  title: "A fork and its parent wait for each other's p2m lock",
  lesson:
    "A fork that touches a page it does not have holds its own p2m lock and takes its parent's, to copy or nominate the page there. A toolstack that " +
    "shares a page of the parent with one of the fork takes both in the order of the domain ids, the parent's first because it is older. All of " +
    "them are of one level, so the check of lock levels has nothing to say. Derived from the calls of Xen 4.17, not seen on a real one. The fault handler " +
    "cannot let its lock go first, but the sharer can take its two locks the other way round: a fork's before that of anything it is a fork of, and by " +
    "the ids only where neither comes from the other. Every path then goes from forks to parents, and there is no circle.",
  variants: {
    "4.17": { text: "the parent's lock is taken on top of the fork's", knobs: {}, expect: "deadlock" },
    fixed: {
      text: "sharing takes a fork's lock before its parent's",
      knobs: { "sharing.forkOrder": 1 },
      expect: "clean",
    },
  },
  setup(module, knobs) {
    const { world, others, describeState } = sharingWorld(module, knobs, [[]], 1);
    const { dom0 } = world;
    const parent = others[0]!;
    const source = { domid: parent, gfn: PAGE / 4096 };
    const sh = nominated(world, source);
    const child = domainCreate(dom0, 1);
    sharingControl(dom0, child, true);
    domainFork(dom0, parent, child);
    const mayFail = [SHARING_S_HANDLE_INVALID, SHARING_C_HANDLE_INVALID];
    return {
      world,
      describeState,
      actors: [
        toolstackActor(world, { name: "mapper", index: 0, program: [mapStep(child)] }),
        toolstackActor(world, {
          name: "sharer",
          index: 1,
          program: [
            shareStep("shares a page of the parent with the fork", source, sh, { domid: child, gfn: 3 }, 99n, mayFail),
          ],
        }),
      ],
      invariants: [sumOfPages(world), pageLocksFree(world)],
    };
  },
});
