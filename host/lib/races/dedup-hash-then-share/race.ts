/** A deduplicator that compares first and nominates afterwards, against one that does it the other way round. */
import {
  HC_MEMORY_OP,
  SHARING_C_HANDLE_INVALID,
  SHARING_OP_NOMINATE_GFN,
  SHARING_OP_SHARE,
  SHARING_S_HANDLE_INVALID,
  XENMEM_GET_SHARING_FREED_PAGES,
  XENMEM_SHARING_OP,
} from "../../../../hv-core/abi/hypercalls.ts";
import { frameOf, isEqualFrame } from "../../dedup/pages.ts";
import { store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import type { World } from "../../explore/world.ts";
import { OTHER, PAGE, pageLocksFree, sharingWorld, sumOfPages } from "../sharing-world.ts";

const SOURCE = OTHER / 4096;
const CLIENT = PAGE / 4096;
/** Places in the program's page, behind the arguments of a call, which are cleared after it. */
const SOURCE_OP = 512;
const CLIENT_OP = 576;
const SHARE_OP = 640;
const IS_EQUAL = 704;

/** A call that changes nothing: a step of the deduplicator's own. */
const NOTHING = [HC_MEMORY_OP, XENMEM_GET_SHARING_FREED_PAGES];

const compare: HypercallStep = {
  text: "compares the two pages",
  prepare(world, at) {
    const frame = (gfn: number): number => frameOf(world.core, world.domid, gfn);
    const isEqual = isEqualFrame(world.core, frame(SOURCE), frame(CLIENT));
    world.core.view.setUint32(at + IS_EQUAL, isEqual ? 1 : 0, true);
    return NOTHING;
  },
};

const nominate = (text: string, place: number, gfn: number): HypercallStep => ({
  text,
  prepare(world, at, gpa) {
    const { view } = world.core;
    view.setUint8(at + place, SHARING_OP_NOMINATE_GFN);
    view.setUint16(at + place + 2, world.domid, true);
    view.setBigUint64(at + place + 8, BigInt(gfn), true);
    return [HC_MEMORY_OP, XENMEM_SHARING_OP, gpa + place];
  },
});

const share: HypercallStep = {
  text: "shares them by their handles, if they were equal",
  mayFail: [SHARING_S_HANDLE_INVALID, SHARING_C_HANDLE_INVALID],
  prepare(world, at, gpa) {
    const { view } = world.core;
    if (view.getUint32(at + IS_EQUAL, true) === 0) return NOTHING;
    view.setUint8(at + SHARE_OP, SHARING_OP_SHARE);
    view.setUint16(at + SHARE_OP + 2, world.domid, true);
    view.setBigUint64(at + SHARE_OP + 8, BigInt(SOURCE), true);
    view.setBigUint64(at + SHARE_OP + 16, view.getBigUint64(at + SOURCE_OP + 16, true), true);
    view.setBigUint64(at + SHARE_OP + 24, BigInt(CLIENT), true);
    view.setBigUint64(at + SHARE_OP + 32, view.getBigUint64(at + CLIENT_OP + 16, true), true);
    view.setUint16(at + SHARE_OP + 40, world.domid, true);
    return [HC_MEMORY_OP, XENMEM_SHARING_OP, gpa + SHARE_OP];
  },
};

const nominateBoth = [
  nominate("nominates the source", SOURCE_OP, SOURCE),
  nominate("nominates the client", CLIENT_OP, CLIENT),
];

/** What the guest sees in its page after its store has retired. */
function lostWrite(world: World, retiredAt: number): string | undefined {
  const hasRetired = world.rip(0) >= retiredAt;
  const seen = world.core.u32[world.guestAddress(PAGE) >> 2];
  return hasRetired && seen !== 1 ? `the guest wrote 1 to 0x${PAGE.toString(16)} and finds ${seen}` : undefined;
}

export const dedupHashThenShare = defineRace({
  name: "dedup-hash-then-share",
  id: "C-50 ff., a deduplicator's own",
  title: "Pages are compared, written, and shared",
  lesson:
    "A deduplicator finds two equal pages and shares them; share does not look at the contents. If it compares before it nominates, a " +
    "guest may write in between: the handles are good, because they are younger than the write, and the page that was written is replaced by the " +
    "other one. Nominate first: from then on a write makes the handle void, and what was compared is what is shared.",
  varies: "the deduplicator",
  variants: {
    "compare-first": { text: "compare, nominate both, share", knobs: {}, expect: "no-lost-write" },
    fixed: { text: "nominate both, compare, share", knobs: {}, expect: "clean" },
  },
  setup(module, knobs, variant) {
    const { world, programs, describeState } = sharingWorld(module, knobs, [[store32(PAGE, 1)]]);
    const order = variant === "fixed" ? [...nominateBoth, compare, share] : [compare, ...nominateBoth, share];
    return {
      world,
      describeState,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, { name: "dedup", index: 1, program: order }),
      ],
      invariants: [
        {
          name: "no-lost-write",
          text: "what the guest has written is what it finds",
          always: () => lostWrite(world, programs[0]!.retiredAt[0]!),
        },
        sumOfPages(world),
        pageLocksFree(world),
      ],
    };
  },
});
