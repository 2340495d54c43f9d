/** map_grant_ref and unmap_grant_ref between domains (spec 08 section 8.6). What a guest sees that grants to itself is in the probe. */
import { beforeEach, describe, expect, it } from "vitest";
import { EFAULT } from "../../hv-core/abi/errno.ts";
import * as g from "../../hv-core/abi/grant.ts";
import { DOMCTL_GETDOMAININFO, DOMINF_SHUTDOWN, HC_GRANT_TABLE_OP } from "../../hv-core/abi/hypercalls.ts";
import { P2M_GRANT_MAP_RO, P2M_GRANT_MAP_RW } from "../../hv-core/abi/p2m-types.ts";
import { FREE_GFN, type Granter, openWorld, type World } from "./world.ts";

const RO = g.GNTMAP_HOST_MAP | g.GNTMAP_READONLY;
const IN_USE = g.GTF_READING | g.GTF_WRITING;
let world: World;
let a: Granter;
let b: Granter;

beforeEach(() => {
  world = openWorld();
  a = world.guest();
  b = world.guest();
});

const isShutDown = (domid: number) => {
  world.door.domctl(DOMCTL_GETDOMAININFO, domid);
  return (world.door.result32(4) & DOMINF_SHUTDOWN) !== 0;
};
const mfnOf = (p: Granter, gfn: number) => world.entry(p.domid, gfn).mfn;

describe("map", () => {
  it("shows the granter's frame in the grantee's p2m, writable or not, marks the entry and holds the frame", () => {
    a.grant(8, b.domid, 5);
    const mfn = mfnOf(a, 5);
    const { status, handle, machine } = b.map({ ref: 8, domid: a.domid });
    expect([status, handle, machine]).toEqual([0, 0, mfn * 4096]);
    expect(world.entry(b.domid, FREE_GFN)).toEqual({ mfn, type: P2M_GRANT_MAP_RW, rights: 3 });
    expect(a.flags(8)).toBe(g.GTF_PERMIT_ACCESS | IN_USE);
    expect([world.refs(mfn), world.typeCount(mfn)]).toEqual([2, 0]);
    b.page(FREE_GFN)[7] = 99;
    expect(a.page(5)[7]).toBe(99);
    expect(b.unmap(handle)).toBe(0);
    expect(world.entry(b.domid, FREE_GFN).rights).toBe(0);
    expect(a.flags(8)).toBe(g.GTF_PERMIT_ACCESS);
    expect(world.refs(mfn)).toBe(1);

    expect(b.map({ ref: 8, domid: a.domid, flags: RO }).status).toBe(0);
    expect(world.entry(b.domid, FREE_GFN)).toEqual({ mfn, type: P2M_GRANT_MAP_RO, rights: 1 });
    expect(a.flags(8)).toBe(g.GTF_PERMIT_ACCESS | g.GTF_READING);
  });

  it.each([
    ["no flags", { flags: 0 }, g.GNTST_BAD_GNTREF],
    ["a device mapping", { flags: g.GNTMAP_DEVICE_MAP }, g.GNTST_GENERAL_ERROR],
    ["an application's mapping", { flags: 2 | g.GNTMAP_APPLICATION_MAP }, g.GNTST_GENERAL_ERROR],
    ["a page-table entry", { flags: 2 | g.GNTMAP_CONTAINS_PTE }, g.GNTST_GENERAL_ERROR],
    ["an unknown flag", { flags: 2 | 0x100 }, g.GNTST_GENERAL_ERROR],
    ["an absent domain", { domid: 4000 }, g.GNTST_BAD_DOMAIN],
    ["DOMID_SELF", { domid: 0x7ff0 }, g.GNTST_BAD_DOMAIN],
    ["a reference out of range", { ref: 512 }, g.GNTST_BAD_GNTREF],
    ["an entry nobody filled", { ref: 9 }, g.GNTST_GENERAL_ERROR],
    ["an entry for another domain", { ref: 10 }, g.GNTST_GENERAL_ERROR],
    ["an entry that wants a transfer", { ref: 11 }, g.GNTST_GENERAL_ERROR],
    ["a read-only entry, writable", { ref: 12 }, g.GNTST_GENERAL_ERROR],
    ["a part of a page", { ref: 13 }, g.GNTST_GENERAL_ERROR],
    ["an entry with a memory type", { ref: 14 }, g.GNTST_GENERAL_ERROR],
    ["no RAM behind the entry", { ref: 15 }, g.GNTST_BAD_PAGE],
    ["a gfn beyond the address width", { ref: 8, gfn: 2 ** 36 }, g.GNTST_GENERAL_ERROR],
  ])("%s", (_, args, expected) => {
    a.grant(8, b.domid, 5);
    a.grant(10, 1234, 5);
    a.grant(11, b.domid, 5, g.GTF_ACCEPT_TRANSFER);
    a.grant(12, b.domid, 5, g.GTF_PERMIT_ACCESS | g.GTF_READONLY);
    a.grant(13, b.domid, 5, g.GTF_PERMIT_ACCESS | g.GTF_SUB_PAGE);
    a.grant(14, b.domid, 5, g.GTF_PERMIT_ACCESS | 0x20);
    a.grant(15, b.domid, 0x999);
    const before = Array.from({ length: 16 }, (__, ref) => a.flags(ref));
    const { status, handle } = b.map({ ref: 8, domid: a.domid, ...args });
    expect(status).toBe(expected);
    expect(handle).toBe(0xffff_ffff);
    // Nothing else has changed: no mark, no reference, no mapping; and the handle is free again.
    expect(Array.from({ length: 16 }, (__, ref) => a.flags(ref))).toEqual(before);
    expect(world.refs(mfnOf(a, 5))).toBe(1);
    expect(world.entry(b.domid, FREE_GFN).rights).toBe(0);
    const again = Array.from(
      { length: 255 },
      (__, i) => b.map({ ref: 8, domid: a.domid, gfn: FREE_GFN + i, flags: RO }).status,
    );
    expect(again.filter((s) => s === 0)).toHaveLength(128); // as many as a counter takes
  });

  it("a pinned entry: another domain is refused, the same one 128 times of each kind is not", () => {
    const c = world.guest();
    a.grant(8, b.domid, 5);
    for (let i = 0; i < 128; i++)
      expect(b.map({ ref: 8, domid: a.domid, gfn: FREE_GFN + i, flags: RO }).status).toBe(0);
    expect(b.map({ ref: 8, domid: a.domid, gfn: 0x600, flags: RO }).status).toBe(g.GNTST_GENERAL_ERROR);
    expect(b.map({ ref: 8, domid: a.domid, gfn: 0x600 }).status).toBe(0);
    a.grant(8, c.domid, 6); // the entry says something else now: it does not count while it is in use
    expect(c.map({ ref: 8, domid: a.domid }).status).toBe(g.GNTST_GENERAL_ERROR);
    expect(world.refs(mfnOf(a, 5))).toBe(130);
  });

  it("what the granter writes into a pinned entry does not move the mapping", () => {
    a.grant(8, b.domid, 5);
    b.map({ ref: 8, domid: a.domid, flags: RO });
    a.grant(8, b.domid, 6, g.GTF_INVALID);
    expect(b.map({ ref: 8, domid: a.domid, gfn: 0x600, flags: RO }).status).toBe(0);
    expect(mfnOf(b, 0x600)).toBe(mfnOf(a, 5));
    // A first writable use looks at the entry again.
    expect(b.map({ ref: 8, domid: a.domid, gfn: 0x601 }).status).toBe(g.GNTST_GENERAL_ERROR);
  });

  it("a granted page that is mapped cannot be granted on, nor given back by the grantee", () => {
    a.grant(8, b.domid, 5);
    b.map({ ref: 8, domid: a.domid });
    b.grant(8, a.domid, FREE_GFN);
    expect(a.map({ ref: 8, domid: b.domid, gfn: 0x700 }).status).toBe(g.GNTST_BAD_PAGE);
    expect(a.map({ ref: 8, domid: b.domid, gfn: 0x700, flags: RO }).status).toBe(g.GNTST_BAD_PAGE);
  });

  it("over RAM hides the page; over another grant the domain crashes, and the grant stays what it was", () => {
    a.grant(8, b.domid, 5);
    a.grant(9, b.domid, 6);
    const hidden = mfnOf(b, 7);
    const { handle } = b.map({ ref: 8, domid: a.domid, gfn: 7 });
    expect(mfnOf(b, 7)).toBe(mfnOf(a, 5));
    expect(world.refs(hidden)).toBe(1);
    expect(() => b.map({ ref: 9, domid: a.domid, gfn: 7 })).toThrow(); // it never comes back from the call
    expect(isShutDown(b.domid)).toBe(true);
    expect(mfnOf(b, 7)).toBe(mfnOf(a, 5));
    expect([a.flags(9), world.refs(mfnOf(a, 6))]).toEqual([g.GTF_PERMIT_ACCESS, 1]);
    expect(handle).toBe(0);
  });

  it("handles: as many as the maptrack has but one, and none for a domain without", () => {
    a.grant(8, b.domid, 5);
    const few = world.guest([[40, 4, 1]]);
    a.grant(9, few.domid, 6);
    const refs = [9, 10, 11];
    for (const ref of refs) a.grant(ref, few.domid, 6);
    const got = Array.from(
      { length: 257 },
      (_, i) => few.map({ ref: refs[i >> 7]!, domid: a.domid, gfn: FREE_GFN + i, flags: RO }).status,
    );
    expect(got.filter((s) => s === 0)).toHaveLength(255);
    expect(got.at(-1)).toBe(g.GNTST_NO_DEVICE_SPACE);
    expect(few.unmap(3, FREE_GFN + 3)).toBe(0);
    // The one that came back is the last to be used: a stale handle names nothing for as long as possible.
    expect(few.map({ ref: 9, domid: a.domid, gfn: FREE_GFN + 3, flags: RO })).toMatchObject({ status: 0, handle: 255 });
    const none = world.guest([[40, 4, 0]]);
    a.grant(12, none.domid, 6);
    expect(none.map({ ref: 12, domid: a.domid }).status).toBe(g.GNTST_NO_DEVICE_SPACE);
  });

  it("in version 2 the marks are in the status frames, and parts and transitive entries are refused", () => {
    expect(a.setVersion(2)).toBe(0);
    a.grant2(8, b.domid, g.GTF_PERMIT_ACCESS, 0, 5);
    const { handle } = b.map({ ref: 8, domid: a.domid });
    expect([a.status(8), world.entry(b.domid, FREE_GFN).mfn]).toEqual([IN_USE, mfnOf(a, 5)]);
    expect(b.unmap(handle)).toBe(0);
    expect(a.status(8)).toBe(0);
    a.grant2(9, b.domid, g.GTF_PERMIT_ACCESS | g.GTF_SUB_PAGE, 0x0010_0000, 5);
    a.grant2(10, b.domid, g.GTF_TRANSITIVE, 0, 8);
    a.grant2(11, b.domid, g.GTF_PERMIT_ACCESS | g.GTF_READONLY, 0, 5);
    a.grant2(12, b.domid, g.GTF_PERMIT_ACCESS, 0, 2 ** 40);
    const refused = [9, 10, 11].map((ref) => b.map({ ref, domid: a.domid }).status);
    expect(refused).toEqual([g.GNTST_GENERAL_ERROR, g.GNTST_GENERAL_ERROR, g.GNTST_GENERAL_ERROR]);
    expect(b.map({ ref: 12, domid: a.domid }).status).toBe(g.GNTST_BAD_PAGE);
    expect(b.map({ ref: 256, domid: a.domid }).status).toBe(g.GNTST_BAD_GNTREF);
    expect([9, 10, 11, 12].map((ref) => a.status(ref))).toEqual([0, 0, 0, 0]);
  });

  it("dom0 maps as well, with the structures of 64-bit code", () => {
    a.grant(1, 0, 5);
    const { status, handle } = world.dom0.map({ ref: 1, domid: a.domid, gfn: 0x900 });
    expect(status).toBe(0);
    expect(world.door.core.dom0Mfn(0x900)).toBe(mfnOf(a, 5));
    expect(world.dom0.unmap(handle, 0x900)).toBe(0);
  });

  it("a structure in a page that is mapped by grant is not read: EFAULT", () => {
    a.grant(8, b.domid, 5);
    for (const flags of [RO, g.GNTMAP_HOST_MAP]) {
      const { handle } = b.map({ ref: 8, domid: a.domid, flags });
      expect(b.call(HC_GRANT_TABLE_OP, g.GNTTABOP_GET_VERSION, FREE_GFN * 4096, 1)).toBe(-EFAULT);
      expect(b.unmap(handle)).toBe(0);
    }
  });

  it("works through a long list in pieces", () => {
    a.grant(8, b.domid, 5);
    const door = world.door;
    a.grant(9, 0, 5);
    const list = 0x2_0000;
    for (let i = 0; i < 100; i++)
      door.put(list + i * 32, 32, [
        [0, 8, (0x900 + i) * 4096],
        [8, 4, RO],
        [12, 4, 9],
        [16, 2, a.domid],
        [18, 2, 77],
      ]);
    expect(door.call(20, g.GNTTABOP_MAP_GRANT_REF, list, 100)).toBe(0);
    expect(Array.from({ length: 100 }, (_, i) => door.u16(list + i * 32 + 18))).toEqual(Array(100).fill(0));
    expect(new Set(Array.from({ length: 100 }, (_, i) => door.u32(list + i * 32 + 20))).size).toBe(100);
    expect(world.refs(mfnOf(a, 5))).toBe(101);
  });
});

describe("unmap", () => {
  it("bad handles, wrong places, twice: refused, and nothing changes", () => {
    a.grant(8, b.domid, 5);
    expect(b.unmap(0)).toBe(g.GNTST_BAD_HANDLE); // it has never mapped anything
    const { handle } = b.map({ ref: 8, domid: a.domid });
    expect(b.unmap(0xffff_ffff)).toBe(g.GNTST_BAD_HANDLE);
    expect(b.unmap(100)).toBe(g.GNTST_BAD_HANDLE);
    expect(b.unmap(handle, 5)).toBe(g.GNTST_GENERAL_ERROR); // its own RAM is there
    expect(b.unmap(handle, FREE_GFN + 1)).toBe(g.GNTST_GENERAL_ERROR);
    expect(b.unmap(handle, 0)).toBe(0); // no address: nothing to do
    expect(world.entry(b.domid, FREE_GFN).type).toBe(P2M_GRANT_MAP_RW);
    expect(b.unmap(handle)).toBe(0);
    expect(b.unmap(handle)).toBe(g.GNTST_BAD_HANDLE);
    expect(a.unmap(handle)).toBe(g.GNTST_BAD_HANDLE);
  });

  it("the marks stay until the last mapping of their kind is gone", () => {
    a.grant(8, b.domid, 5);
    const first = b.map({ ref: 8, domid: a.domid, gfn: 0x400 }).handle;
    const second = b.map({ ref: 8, domid: a.domid, gfn: 0x401 }).handle;
    const third = b.map({ ref: 8, domid: a.domid, gfn: 0x402, flags: RO }).handle;
    b.unmap(first, 0x400);
    expect(a.flags(8)).toBe(g.GTF_PERMIT_ACCESS | IN_USE);
    b.unmap(second, 0x401);
    expect(a.flags(8)).toBe(g.GTF_PERMIT_ACCESS | g.GTF_READING);
    b.unmap(third, 0x402);
    expect(a.flags(8)).toBe(g.GTF_PERMIT_ACCESS);
  });

  it("another grant at the address is not taken for this one", () => {
    a.grant(8, b.domid, 5);
    a.grant(9, b.domid, 6);
    const first = b.map({ ref: 8, domid: a.domid, gfn: 0x400 }).handle;
    b.map({ ref: 9, domid: a.domid, gfn: 0x401 });
    expect(b.unmap(first, 0x401)).toBe(g.GNTST_GENERAL_ERROR);
    expect(a.flags(9)).toBe(g.GTF_PERMIT_ACCESS | IN_USE);
  });
});
