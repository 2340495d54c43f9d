/** C-54: an error path leaves two pages locked. */
import { SHARING_C_HANDLE_INVALID } from "../../../../hv-core/abi/hypercalls.ts";
import { store32 } from "../../explore/code.ts";
import { defineRace } from "../../explore/race.ts";
import { toolstackActor } from "../../explore/toolstack-actor.ts";
import { vcpuActor } from "../../explore/vcpu-actor.ts";
import { nominated, OTHER, PAGE, pageLocksFree, shareStep, sharingWorld, sumOfPages } from "../sharing-world.ts";

export const lockLeftBehind = defineRace({
  name: "lock-left-behind",
  id: "C-54",
  title: "A refused call keeps what it locked",
  lesson:
    "Share locks two pages, finds that the client's handle is void, and returns the error: on one of its ways out it did not let go. The call " +
    "has failed as it should, everything looks well, and the next one who needs the page waits for ever. Errors are paths like any other; have " +
    "one way out.",
  variants: {
    kept: { text: "a bad client handle leaves the pages locked", knobs: { "sharing.defects": 16 }, expect: "deadlock" },
    fixed: { text: "one way out unlocks them", knobs: {}, expect: "clean" },
  },
  setup(module, knobs) {
    const { world, programs, describeState } = sharingWorld(module, knobs, [[store32(PAGE, 1)]]);
    const source = { domid: world.domid, gfn: OTHER / 4096 };
    const client = { domid: world.domid, gfn: PAGE / 4096 };
    const sh = nominated(world, source);
    nominated(world, client);
    return {
      world,
      describeState,
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        toolstackActor(world, {
          name: "toolstack",
          index: 1,
          program: [
            shareStep("shares with a handle that is void", source, sh, client, 999n, [SHARING_C_HANDLE_INVALID]),
          ],
        }),
      ],
      invariants: [sumOfPages(world), pageLocksFree(world)],
    };
  },
});
