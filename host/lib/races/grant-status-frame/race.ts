/** C-40: frames of a grant table appear in the guest's memory map while its version changes (XSA-255, 379, 384, 387, 486). */
import { EBUSY, EINVAL } from "../../../../hv-core/abi/errno.ts";
import { GNTTABOP_SET_VERSION } from "../../../../hv-core/abi/grant.ts";
import {
  HC_GRANT_TABLE_OP,
  HC_MEMORY_OP,
  XENMAPSPACE_GRANT_TABLE,
  XENMEM_ADD_TO_PHYSMAP,
} from "../../../../hv-core/abi/hypercalls.ts";
import { frameOf } from "../../dedup/pages.ts";
import { hypercall } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { type HypercallStep, toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import type { World } from "../../explore/world.ts";
import { writeGuest } from "../../toolstack/foreign.ts";
import { grantWorld, isFree, versionOf } from "../grant-world.ts";

const STATUS_0 = 0x8000_0000;
/** Where the words with the two versions are. */
const TWO = 0x2000;
const ONE = 0x2010;
const GFNS = [0x20, 0x21, 0x22];

export const grantStatusFrame = defineRace({
  name: "grant-status-frame",
  id: "C-40",
  title: "A status frame stays mapped after it was freed",
  background:
    "A grant table of version 2 has status frames, which its guest may map with add_to_physmap. Going back to version 1 frees them; first " +
    "they are taken out of the guest's memory map, and where they are there is known from one word for each frame, the M2P.",
  lesson:
    "Five advisories tell one story. Freed wherever it was (255). Two requests move the frame at once, each from where it was, and one word cannot name two places (379; 387 is the same with the removal " +
    "done in another place). The frame is found under the table's lock and mapped without it (384). A reference keeps it from being freed, but not the look at the map from coming too early (486). " +
    "What one lock must hold together is the whole way from the index to the entry of the memory map.",
  variants: {
    "blind-free": {
      text: "the frames are freed wherever they are mapped (XSA-255)",
      knobs: { "grant.race": 4 },
      expect: "no-stale-mapping",
    },
    unlocked: {
      text: "where the frame was is read before the p2m lock is taken (XSA-379)",
      knobs: { "grant.race": 1 },
      expect: "no-stale-mapping",
    },
    "removed-early": {
      text: "the old mapping is removed under the grant lock only (XSA-387)",
      knobs: { "grant.race": 11 },
      expect: "no-stale-mapping",
    },
    dropped: {
      text: "the frame is found under the grant lock and mapped without it (XSA-384)",
      knobs: { "grant.race": 2 },
      expect: "no-stale-mapping",
    },
    reference: {
      text: "the same with a reference to the frame (XSA-486)",
      knobs: { "grant.race": 3 },
      expect: "no-stale-mapping",
    },
    fixed: { text: "grant lock and p2m lock are held over all of it", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const body = [
      ...hypercall(HC_GRANT_TABLE_OP, GNTTABOP_SET_VERSION, TWO),
      ...hypercall(HC_GRANT_TABLE_OP, GNTTABOP_SET_VERSION, ONE),
    ];
    const { world, program } = grantWorld(module, knobs, body);
    writeGuest(world.dom0, world.window, world.domid, TWO, new Uint8Array([2, 0, 0, 0]));
    writeGuest(world.dom0, world.window, world.domid, ONE, new Uint8Array([1, 0, 0, 0]));
    const hasVersion2 = (w: World): boolean => w.rip(0) >= program.retiredAt[3]!;
    const mapAt = (gfn: number): HypercallStep => ({
      text: `maps status frame 0 at gfn 0x${gfn.toString(16)} of the guest`,
      mayFail: [-EINVAL, -EBUSY],
      when: hasVersion2,
      prepare(w, at, gpa) {
        const { view } = w.core;
        view.setUint16(at, w.domid, true);
        view.setUint32(at + 4, XENMAPSPACE_GRANT_TABLE, true);
        view.setUint32(at + 8, STATUS_0, true);
        view.setUint32(at + 16, gfn, true);
        return [HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, gpa];
      },
    });
    const places = (): string[] =>
      GFNS.flatMap((gfn) => {
        const mfn = frameOf(world.core, world.domid, gfn);
        return mfn === 0 ? [] : [`0x${gfn.toString(16)}->${mfn}${isFree(world, mfn) ? " (free)" : ""}`];
      });
    return {
      world,
      mayCrash: true, // a frame that is referenced cannot go, and then the guest crashes
      describeState: () => `version ${versionOf(world)}, status frame at ${places().join(" ") || "no gfn"}`,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...program }),
        toolstackActor(world, { name: "first", index: 1, program: [mapAt(GFNS[0]!), mapAt(GFNS[1]!)] }),
        toolstackActor(world, { name: "second", index: 2, program: [mapAt(GFNS[2]!)] }),
      ],
      invariants: [
        {
          name: "no-stale-mapping",
          text: "no gfn of the guest shows a frame that is free",
          always() {
            const stale = GFNS.find((gfn) => {
              const mfn = frameOf(world.core, world.domid, gfn);
              return mfn !== 0 && isFree(world, mfn);
            });
            return stale === undefined
              ? undefined
              : `gfn 0x${stale.toString(16)} still shows the status frame, which was freed`;
          },
        },
      ],
    };
  },
});
