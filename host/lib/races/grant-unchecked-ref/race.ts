/** C-55: nominate by reference takes the gfn of an entry that grants nothing. */
import { ENXIO } from "../../../../hv-core/abi/errno.ts";
import { SHARING_OP_NOMINATE_GREF } from "../../../../hv-core/abi/hypercalls.ts";
import { setWord, word } from "../../explore/actors.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { writerActor } from "../../explore/writer-actor.ts";
import { sharingControl } from "../../toolstack/sharing.ts";
import { describeGrant, grantWorld, MAPPED, mapped, OTHER, REF } from "../grant-world.ts";
import { sharingStep } from "../sharing-world.ts";

/** Uses of the page that nominate_gref expects. */
const USES = 3;

export const grantUncheckedRef = defineRace({
  name: "grant-unchecked-ref",
  id: "C-55",
  title: "A page is shared by a reference that was taken back",
  background:
    "A deduplicator names pages by grant reference. The guest owns the entries: it may take a grant back, or fill the entry for something else, at any time.",
  lesson:
    "The gfn was read from the entry whatever its flags said, and whether the table had such an entry at all. An invalid entry's gfn is left-over bytes, and the page they happen to name was shared. Flags and range are " +
    "part of what a reference means; nothing else in the entry may be believed before them.",
  variants: {
    unchecked: { text: "the entry's type is not looked at", knobs: { "grant.race": 10 }, expect: "granted" },
    fixed: { text: "-ENXIO for an entry that grants nothing", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const made = grantWorld(module, knobs);
    const { world, entries } = made;
    sharingControl(world.dom0, world.domid, true);
    for (let i = 0; i < USES; i++) mapped(world, MAPPED + i, true);
    /** A word of the guest's memory in which the oracle notes that the grant was taken back before the call began. */
    const noteAt = world.guestAddress(OTHER * 4096);
    const isTakenBack = (): boolean => world.core.view.getUint32(entries + REF * 8, true) === 0;
    const toolstack = toolstackActor(world, {
      name: "toolstack",
      index: 0,
      program: [
        sharingStep(
          "nominates the page of the reference",
          SHARING_OP_NOMINATE_GREF,
          world.domid,
          (view, at) => {
            view.setUint32(at, REF, true);
            setWord(world, noteAt, isTakenBack() ? 1 : 0);
          },
          [-ENXIO],
        ),
      ],
    });
    return {
      world,
      describeState: () => describeGrant(made),
      actors: [
        toolstack,
        writerActor(world, {
          name: "guest",
          index: 1,
          loops: false,
          program: [
            {
              text: "takes the grant back",
              run: (w) => w.core.view.setUint32(entries + REF * 8, 0, true),
            },
          ],
        }),
      ],
      invariants: [
        {
          name: "granted",
          text: "a page is nominated by reference only while the entry grants it",
          always() {
            if (toolstack.done() === 0 || toolstack.resultOf(0) !== 0 || word(world, noteAt) === 0) return undefined;
            return "the grant was taken back before the call, and the page was nominated all the same";
          },
        },
      ],
    };
  },
});
