/** ring-front and ring-back together: one page shared by grant, an event channel, a grant copy. Alone each says that nobody came. */
import { expect, it } from "vitest";
import { openGuest } from "../../host/cli/guest-source.ts";
import { runPair } from "../../host/lib/pair.ts";
import { compileBuild } from "../../host/node/wasm.ts";

const TEXT =
  "every byte of this text went through one page that two domains share, and round a ring of sixty-four places twice";

it.each(["release", "debug"] as const)(
  "bytes flow through the granted ring, a letter is copied, the pages come back (%s)",
  async (build) => {
    const [front, back] = [await openGuest("ring-front", false), await openGuest("ring-back", false)];
    const run = () => runPair(compileBuild(build), front, back, { maxInstructions: 50_000_000 });
    const first = run();
    expect(first.console.split("\n")).toEqual([
      "front: a ring is granted as reference 8, a letter as reference 9",
      "back: the ring is mapped",
      `back: ${TEXT}`,
      "back: this line was never mapped: the hypervisor copied it",
      "front: nobody uses my pages any more; they are mine again",
      "",
    ]);
    expect(first.outcomes).toEqual(["poweroff", "poweroff"]);
    expect([first.grantMaps, first.grantCopies]).toEqual([1, 1]);
    expect(run().traceHash).toBe(first.traceHash);
  },
);
