/** Poison: a freed frame holds Xen's scrub pattern, and whoever wrote to it is found out when it is handed out again. */
import { expect, it } from "vitest";
import { explainTrap, trapSite } from "../../host/lib/assert-sites.ts";
import { search } from "../../host/lib/explore/search.ts";
import { createWorld, type World } from "../../host/lib/explore/world.ts";
import { populatePhysmap } from "../../host/lib/toolstack/memory.ts";
import { HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION } from "../../hv-core/abi/hypercalls.ts";
import { BUDGET, raceBuild } from "./support.ts";
import { cell, put, toy } from "./toy.ts";

const GFN = 3;
const SITE_USED_AFTER_FREE = 13;

function world(): World {
  return createWorld(raceBuild, {
    pages: 4,
    programs: [{ gpa: 0x1000, code: new Uint8Array([0xeb, 0xfe]) }],
    knobs: [],
  });
}

/** Takes the page away from the guest. @returns where its frame is. */
function free({ core, dom0, domid, exports, guestAddress }: World, gfn = GFN): number {
  const frame = guestAddress(gfn * 4096);
  const gpa = (dom0.pages - 1) * 4096;
  const at = dom0.ramAt + gpa;
  core.view.setUint32(at, gpa + 64, true);
  core.view.setUint32(at + 8, 1, true);
  core.view.setUint16(at + 24, domid, true);
  core.view.setUint32(at + 64, gfn, true);
  expect(exports.hypercall(HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, gpa, 0, 0, 0)).toBe(1);
  return frame;
}

it("a freed frame is filled with the pattern, and given out again zeroed", () => {
  const w = world();
  const frame = free(w);
  expect(w.core.u8.subarray(frame, frame + 4096).every((byte) => byte === 0xc2)).toBe(true);
  expect(populatePhysmap(w.dom0, w.domid, [GFN], 0)).toBe(1);
  expect(w.guestAddress(GFN * 4096)).toBe(frame);
  expect(w.core.u8.subarray(frame, frame + 4096).every((byte) => byte === 0)).toBe(true);
});

it.each([0, 2000, 4095])("a write at byte %i of a freed frame is found when it is handed out", (offset) => {
  const w = world();
  w.core.u8[free(w) + offset] = 1;
  let trap: unknown;
  try {
    populatePhysmap(w.dom0, w.domid, [GFN], 0);
  } catch (error) {
    trap = error;
  }
  expect(trap).toBeInstanceOf(WebAssembly.RuntimeError);
  expect(trapSite(w.core, trap as WebAssembly.RuntimeError)).toBe(SITE_USED_AFTER_FREE);
  expect(explainTrap(w.core, trap as WebAssembly.RuntimeError)).toContain("written to after it was freed");
});

it("a write to a freed page is seen although both orders end alike in everything else", () => {
  let frame = 0;
  const late = { text: "writes late", run: (w: World) => void (cell(w) === 1 && w.core.u8.fill(1, frame, frame + 1)) };
  const flag = { text: "sets the flag", run: (w: World) => put(w, 0, 1) };
  const instance = toy(raceBuild, [{ steps: [late] }, { steps: [flag] }], (w) => {
    frame = free(w, 0);
    return [];
  });
  const { violation } = search(instance, { budget: BUDGET });
  expect(violation?.invariant).toBe("balance");
  expect(violation?.message).toContain("was written to after it was freed");
});
