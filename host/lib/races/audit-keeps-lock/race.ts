/** S-9: the audit finds a broken page and leaves it locked. */
import { SHARING_OP_AUDIT } from "../../../../hv-core/abi/hypercalls.ts";
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE } from "../../../../hv-core/abi/layout.ts";
import { frameOf } from "../../dedup/pages.ts";
import { word } from "../../explore/actors.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { nominated, nominateStep, PAGE, pageLocksFree, sharingStep, sharingWorld } from "../sharing-world.ts";

/** Frame.sharing and ShareInfo.rmap (hv-core/mem/frame-table.ts, hv-core/hv/sharing/info.ts). */
const FRAME_SHARING = 28;
const INFO_RMAP = 8;

export const auditKeepsLock = defineRace({
  name: "audit-keeps-lock",
  id: "S-9",
  title: "The search for damage does more of it",
  lesson:
    "The audit locks each shared page and looks at it. When a page has another type than it should, or nobody in its reverse map, it notes the error and " +
    "goes on to the next page, without unlocking this one. Whoever needs the page afterwards waits for ever, in a hypervisor that could have lived " +
    "with the damage. Suspected from the source of Xen 4.17, confirmed here: the set-up empties a reverse map, as some other bug might.",
  variants: {
    "4.17": { text: "two ways out keep the lock", knobs: { "sharing.audit": 0 }, expect: "deadlock" },
    fixed: { text: "they let go of it", knobs: { "sharing.audit": 1 }, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, describeState } = sharingWorld(module, knobs, [[]]);
    const page = { domid: world.domid, gfn: PAGE / 4096 };
    nominated(world, page);
    const mfn = frameOf(world.core, page.domid, page.gfn);
    const info = word(world, FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + FRAME_SHARING);
    world.core.u32[(info + INFO_RMAP) >> 2] = 0;
    return {
      world,
      describeState,
      actors: [
        toolstackActor(world, {
          name: "auditor",
          index: 0,
          program: [sharingStep("audits the shared pages", SHARING_OP_AUDIT, 0, () => {})],
        }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [nominateStep("asks for the page's handle", page)],
        }),
      ],
      invariants: [pageLocksFree(world)],
    };
  },
});
