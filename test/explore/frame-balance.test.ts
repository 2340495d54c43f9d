/** The balance of frames at the end: shared frames and small objects of the hypervisor. Each oracle is seen to fail. */
import { describe, expect, it } from "vitest";
import { explainTrap } from "../../host/lib/assert-sites.ts";
import { frameAddress } from "../../host/lib/core.ts";
import { program } from "../../host/lib/explore/code.ts";
import { checkFrames } from "../../host/lib/explore/frames.ts";
import { checkEntries, checkSharedFrame, sharedEntries } from "../../host/lib/explore/shared-frames.ts";
import { variantSettings } from "../../host/lib/explore/variants.ts";
import type { World } from "../../host/lib/explore/world.ts";
import { CODE, GFN, ioRaceWorld, M } from "../../host/lib/races/io-world.ts";
import { iomemPermission, memoryMapping } from "../../host/lib/toolstack/io-rights.ts";
import { FRAME_RECORD_SIZE, FRAME_TABLE_BASE } from "../../hv-core/abi/layout.ts";
import { open, raceBuild } from "./support.ts";

const REFS = 4;
const TYPES = 8;
const POISON = 0xc2c2_c2c2;

describe("shared frames", () => {
  /** Two domains have one page in this race from the start. */
  function shared(): { world: World; mfn: number; record: (offset: number) => number } {
    const { world } = open("cow-type-unlocked", "fixed").setup;
    const mfn = [...sharedEntries(world.core).keys()][0]!;
    return { world, mfn, record: (offset) => FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE + offset };
  }

  it("balance as they are", () => {
    const { world, mfn } = shared();
    expect(mfn).toBeGreaterThan(0);
    expect(checkFrames(world)).toBeUndefined();
  });

  it.each([
    [TYPES, 1, "type reference(s)"],
    [TYPES, -1, "type reference(s)"],
    [REFS, 1, "can be accounted for"],
    [REFS, -1, "can be accounted for"],
  ])("a count at offset %i that is off by %i is found", (offset, by, message) => {
    const { world, mfn, record } = shared();
    const { view } = world.core;
    view.setUint32(record(offset), view.getUint32(record(offset), true) + by, true);
    expect(checkFrames(world)).toContain(`frame ${mfn}`);
    expect(checkFrames(world)).toContain(message);
  });

  it("a shared frame that nobody has, and a page of type ram_shared that names another frame", () => {
    const counts = { refs: 1, types: 0, isAllocated: true, held: 0 };
    expect(checkSharedFrame(7, counts, new Map())).toBe("frame 7 is shared, and no domain has it");
    expect(checkEntries(new Map([[7, 2]]), () => true)).toBeUndefined();
    expect(checkEntries(new Map([[7, 2]]), () => false)).toContain("names frame 7, which is not shared");
  });
});

describe("small objects", () => {
  /** The accountant counts in small objects: of two, one has been freed. @returns where it is. */
  function freed(): { world: World; object: number } {
    const knobs = variantSettings({ "iomem.account": 2 });
    const { world } = ioRaceWorld(raceBuild, knobs, [program(CODE, [])]);
    iomemPermission(world.dom0, world.domid, M, 2, true);
    memoryMapping(world.dom0, world.domid, GFN, M, 2, true);
    const object = objectOf(world, M);
    memoryMapping(world.dom0, world.domid, GFN, M, 1, false);
    return { world, object };
  }

  /** The object that names frame `mfn`: 16 bytes, its number first (account/counts-slab.ts). */
  function objectOf({ core }: World, mfn: number): number {
    for (let frame = 1; frame < core.frameCount; frame++) {
      if (core.view.getUint16(FRAME_TABLE_BASE + frame * FRAME_RECORD_SIZE, true) !== 0xfffe) continue;
      for (let at = frameAddress(frame); at < frameAddress(frame) + 4096; at += 16)
        if (core.u32[at >> 2] === mfn && core.u32[(at + 4) >> 2] === 0 && core.u32[(at + 12) >> 2]! >>> 16 !== 0)
          return at;
    }
    throw new Error("no object names the frame");
  }

  it("a free one is poison behind its link, and given out again zeroed", () => {
    const { world, object } = freed();
    expect(world.core.u32[(object + 8) >> 2]).toBe(POISON);
    expect(world.core.u32[(object + 12) >> 2]).toBe(POISON);
    expect(checkFrames(world)).toBeUndefined();
    memoryMapping(world.dom0, world.domid, GFN, M, 1, true);
    expect(objectOf(world, M)).toBe(object);
  });

  it("a write after it was freed is found when it is handed out", () => {
    const { world, object } = freed();
    world.core.u32[(object + 12) >> 2] = 1;
    let trap: unknown;
    try {
      memoryMapping(world.dom0, world.domid, GFN, M, 1, true);
    } catch (error) {
      trap = error;
    }
    expect(trap).toBeInstanceOf(WebAssembly.RuntimeError);
    expect(explainTrap(world.core, trap as WebAssembly.RuntimeError)).toContain(
      "small objects was written to after it was freed",
    );
  });

  it("and at the end, when nobody asks for it", () => {
    const { world, object } = freed();
    world.core.u32[(object + 12) >> 2] = 1;
    expect(checkFrames(world)).toContain("was written to after it was freed");
  });
});
