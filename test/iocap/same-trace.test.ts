/**
 * "Should not change the way Xen works for anyone else": every guest that comes with vmexit, and every scenario step that is not dangerous, has
 * the same trace bit for bit with the accountant on and off.
 */
import { describe, expect, it } from "vitest";
import { createIoWorld, GFN, M, P, type Scenario } from "../../host/lib/iocap/scenario.ts";
import { iomemPermission, ioportMapping, ioportPermission, memoryMapping } from "../../host/lib/toolstack/io-rights.ts";
import { guestNames, loadGuest } from "../../host/node/guests.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { runGuest } from "../guests/run-guest.ts";

const names = guestNames();
const guests = await Promise.all(names.map(async (name) => ({ name, isProbe: (await loadGuest(name)).isProbe })));
const METHODS = { headers: 1, slab: 2, radix: 3, ranges: 4 };

describe("with the accountant as without it", () => {
  it.each(guests.filter((g) => !g.isProbe).map((g) => g.name))("%s", async (name) => {
    const off = await runGuest(name);
    const on = await runGuest(name, { knobs: { "iomem.account": 3, "iomem.revoke": 2 } });
    expect({ trace: on.traceHash, console: on.console, exits: on.exits, instructions: on.instructions }).toEqual({
      trace: off.traceHash,
      console: off.console,
      exits: off.exits,
      instructions: off.instructions,
    });
  });

  it.each(Object.entries(METHODS))("a driver domain that is set up properly, counts in %s", (_, method) => {
    const quiet: Scenario = {
      id: "quiet",
      title: "nobody does anything dangerous",
      without: "works",
      with: "works",
      isBroken: () => false,
      play: () => null,
    };
    const traces = [0, method].map((account) => {
      const world = createIoWorld(compileBuild("release"), quiet, {
        accountant: false,
        knobs: { "iomem.account": account, "trace.mask": 0x27a }, // everything but the p2m's own frames, which counts may move
      });
      using machine = world.machine;
      const { dom0 } = machine;
      iomemPermission(dom0, world.u.domid, M, 4, true);
      ioportPermission(dom0, world.u.domid, P, 8, true);
      memoryMapping(dom0, world.u.domid, GFN, M, 4, true);
      ioportMapping(dom0, world.u.domid, 0x1000, P, 8, true);
      for (let i = 0; i < 4; i++) {
        expect(world.access(world.u, "write", GFN * 4096, i)).toBe("device");
        expect(world.access(world.u, "out", 0x1004, i)).toBe("device");
      }
      memoryMapping(dom0, world.u.domid, GFN, M, 4, false);
      iomemPermission(dom0, world.u.domid, M, 4, false);
      expect(world.access(world.dom0, "write", M * 4096, 1)).toBe("device");
      const { exits, counters } = machine.stats();
      const { busAccesses, tlbMisses, tlbFlushes, eptWalks, p2mFlushes, shootdownsSent } = counters;
      return {
        trace: machine.traceHash(),
        exits,
        busAccesses,
        tlbMisses,
        tlbFlushes,
        eptWalks,
        p2mFlushes,
        shootdownsSent,
      };
    });
    expect(traces[1]).toEqual(traces[0]);
  });
});
