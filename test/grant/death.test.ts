/** Domains that die with grants: of others, and to others (spec 08 section 8.6, spec 05 section 5.3). Every frame comes back. */
import { beforeEach, expect, it } from "vitest";
import * as g from "../../hv-core/abi/grant.ts";
import { DOMCTL_DESTROYDOMAIN, DOMCTL_GETDOMAININFO, DOMINF_DYING } from "../../hv-core/abi/hypercalls.ts";
import { FREE_GFN, type Granter, openWorld, type World } from "./world.ts";

const RO = g.GNTMAP_HOST_MAP | g.GNTMAP_READONLY;
let world: World;
let free: number;

beforeEach(() => {
  world = openWorld();
  const first = world.guest(); // dom0's page tables for the mappings exist from now on
  first.flags(8);
  destroy(first);
  free = world.door.freeFrames();
});

const destroy = (p: Granter) => {
  p.release();
  p.caller!.release();
  expect(world.door.domctl(DOMCTL_DESTROYDOMAIN, p.domid)).toBe(0);
};
const state = (domid: number) => {
  const rc = world.door.domctl(DOMCTL_GETDOMAININFO, domid);
  if (rc !== 0 || world.door.u16(0x1010) !== domid) return "gone";
  return (world.door.result32(4) & DOMINF_DYING) !== 0 ? "dying" : "alive";
};

it("the grantee dies: its mappings go, the granter reads that its pages are free, and can be destroyed", () => {
  const a = world.guest();
  const b = world.guest();
  const mfn = world.entry(a.domid, 5).mfn;
  a.grant(8, b.domid, 5);
  a.grant(9, b.domid, 6);
  b.map({ ref: 8, domid: a.domid });
  b.map({ ref: 8, domid: a.domid, gfn: FREE_GFN + 1, flags: RO });
  b.map({ ref: 9, domid: a.domid, gfn: FREE_GFN + 2 });
  expect(world.refs(mfn)).toBe(3);
  destroy(b);
  expect([a.flags(8), a.flags(9)]).toEqual([g.GTF_PERMIT_ACCESS, g.GTF_PERMIT_ACCESS]);
  expect([world.refs(mfn), state(b.domid)]).toEqual([1, "gone"]);
  destroy(a);
  expect([state(a.domid), world.door.freeFrames()]).toEqual(["gone", free]);
});

it("the granter dies: its page stays with the grantee, nothing more of it can be had, and it is gone with the last unmap", () => {
  const a = world.guest();
  const b = world.guest();
  a.page(5).set([1, 2, 3]);
  a.grant(8, b.domid, 5);
  a.grant(9, b.domid, 6);
  const first = b.map({ ref: 8, domid: a.domid }).handle;
  const second = b.map({ ref: 8, domid: a.domid, gfn: FREE_GFN + 1, flags: RO }).handle;
  const mfn = world.entry(b.domid, FREE_GFN).mfn;
  destroy(a);
  expect(state(a.domid)).toBe("dying");
  expect([...b.page(FREE_GFN).subarray(0, 3)]).toEqual([1, 2, 3]);
  expect(b.map({ ref: 9, domid: a.domid, gfn: 0x500 }).status).toBe(g.GNTST_GENERAL_ERROR);
  expect(b.copy({ ref: 9, domid: a.domid }, { gfn: 7 }, 4)).toBe(g.GNTST_GENERAL_ERROR);
  // What it has mapped it may map again, or copy from.
  expect(b.copy({ ref: 8, domid: a.domid }, { gfn: 7 }, 3)).toBe(0);
  expect([...b.page(7).subarray(0, 3)]).toEqual([1, 2, 3]);
  expect([b.unmap(first), world.refs(mfn)]).toEqual([0, 1]);
  expect(state(a.domid)).toBe("dying");
  expect(b.unmap(second, FREE_GFN + 1)).toBe(0);
  expect(state(a.domid)).toBe("gone");
});

it("two domains that have mapped each other, and one that has mapped itself, leave nothing behind", () => {
  const made = [world.guest(), world.guest(), world.guest()];
  for (const [i, p] of made.entries()) {
    const next = made[(i + 1) % 3]!;
    p.grant(8, next.domid, 5);
    p.grant(9, p.domid, 6);
    expect(next.map({ ref: 8, domid: p.domid, gfn: 0x500 }).status).toBe(0);
    expect(p.map({ ref: 9, domid: p.domid, gfn: 0x501 }).status).toBe(0);
  }
  for (const p of made) destroy(p);
  expect(made.map((p) => state(p.domid))).toEqual(["gone", "gone", "gone"]);
  expect(world.door.freeFrames()).toBe(free);
});

it("a domain that never used grants has no table, and costs nothing", () => {
  const was = world.door.freeFrames();
  const id = world.door.createDomain();
  const cost = was - world.door.freeFrames();
  expect(world.door.domctl(DOMCTL_DESTROYDOMAIN, id)).toBe(0);
  expect(world.door.freeFrames()).toBe(was);
  expect(cost).toBeLessThan(4); // root table, shared info, event channels
});
