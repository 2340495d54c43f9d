/** GNTTABOP_copy between domains, and swap (spec 08 section 8.6). */
import { beforeEach, describe, expect, it } from "vitest";
import * as g from "../../hv-core/abi/grant.ts";
import {
  DOMCTL_SHADOW_OP,
  DOMID_SELF,
  SHADOW_OP_CLEAN,
  SHADOW_OP_ENABLE_LOGDIRTY,
} from "../../hv-core/abi/hypercalls.ts";
import { type Granter, openWorld, type Side, type World } from "./world.ts";

const IN_USE = g.GTF_READING | g.GTF_WRITING;
let world: World;
let a: Granter;
let b: Granter;
const text = (p: Granter, gfn: number, offset = 0, length = 5) =>
  String.fromCharCode(...p.page(gfn).subarray(offset, offset + length));
const write = (p: Granter, gfn: number, what: string, offset = 0) =>
  p.page(gfn).set(
    [...what].map((c) => c.charCodeAt(0)),
    offset,
  );

beforeEach(() => {
  world = openWorld();
  a = world.guest();
  b = world.guest();
  write(a, 5, "hello");
  write(b, 6, "world");
  a.grant(8, b.domid, 5);
});

describe("copy", () => {
  it("from a grant to one's own page, from one's own page to a grant, from grant to grant", () => {
    expect(b.copy({ ref: 8, domid: a.domid }, { gfn: 7, offset: 100 }, 5)).toBe(0);
    expect(text(b, 7, 100)).toBe("hello");
    expect(b.copy({ gfn: 6 }, { ref: 8, domid: a.domid, offset: 10 }, 5)).toBe(0);
    expect(text(a, 5, 10)).toBe("world");
    const c = world.guest();
    c.grant(3, b.domid, 5);
    expect(b.copy({ ref: 8, domid: a.domid, offset: 10 }, { ref: 3, domid: c.domid }, 5)).toBe(0);
    expect(text(c, 5)).toBe("world");
    // No mark, no reference is left.
    expect([a.flags(8), c.flags(3)]).toEqual([g.GTF_PERMIT_ACCESS, g.GTF_PERMIT_ACCESS]);
    const mfn = world.entry(a.domid, 5).mfn;
    expect([world.refs(mfn), world.typeCount(mfn)]).toEqual([1, 0]);
  });

  it("both sides may be parts of one page, overlapping", () => {
    write(b, 7, "abcdefgh");
    expect(b.copy({ gfn: 7 }, { gfn: 7, offset: 2 }, 6)).toBe(0);
    expect(text(b, 7, 0, 8)).toBe("ababcdef");
  });

  const ok = { ref: 8 };
  it.each([
    ["another's page by gfn", { gfn: 5, domid: "a" }, { gfn: 7 }, 5, g.GNTST_PERMISSION_DENIED],
    ["to another's page by gfn", { gfn: 6 }, { gfn: 5, domid: "a" }, 5, g.GNTST_PERMISSION_DENIED],
    ["an absent domain", { ref: 8, domid: 4000 }, { gfn: 7 }, 5, g.GNTST_BAD_DOMAIN],
    ["to an absent domain", { gfn: 6 }, { ref: 8, domid: 4000 }, 5, g.GNTST_BAD_DOMAIN],
    ["a reference out of range", { ref: 512, domid: "a" }, { gfn: 7 }, 5, g.GNTST_BAD_GNTREF],
    ["an entry nobody filled", { ref: 9, domid: "a" }, { gfn: 7 }, 5, g.GNTST_GENERAL_ERROR],
    ["another's entry", { ref: 10, domid: "a" }, { gfn: 7 }, 5, g.GNTST_GENERAL_ERROR],
    ["to a read-only entry", { gfn: 6 }, { ref: 12, domid: "a" }, 5, g.GNTST_GENERAL_ERROR],
    ["no RAM behind the entry", { ref: 15, domid: "a" }, { gfn: 7 }, 5, g.GNTST_BAD_PAGE],
    ["from a hole", { gfn: 0x999 }, { gfn: 7 }, 5, g.GNTST_BAD_PAGE],
    ["to a hole", { ...ok, domid: "a" }, { gfn: 0x999 }, 5, g.GNTST_BAD_PAGE],
    ["from beyond the page", { gfn: 6, offset: 4094 }, { gfn: 7 }, 5, g.GNTST_BAD_COPY_ARG],
    ["to beyond the page", { gfn: 6 }, { gfn: 7, offset: 4094 }, 5, g.GNTST_BAD_COPY_ARG],
    ["65,535 bytes", { gfn: 6 }, { gfn: 7 }, 65535, g.GNTST_BAD_COPY_ARG],
    ["an offset of 65,535", { gfn: 6, offset: 65535 }, { gfn: 7 }, 1, g.GNTST_BAD_COPY_ARG],
  ] as const)("%s", (_, from, to, length, expected) => {
    a.grant(10, 1234, 5);
    a.grant(12, b.domid, 5, g.GTF_PERMIT_ACCESS | g.GTF_READONLY);
    a.grant(15, b.domid, 0x999);
    const side = (s: Omit<Side, "domid"> & { readonly domid?: string | number }) => ({
      ...s,
      domid: s.domid === "a" ? a.domid : ((s.domid ?? DOMID_SELF) as number),
    });
    const before = [a.page(5).slice(), b.page(7).slice()];
    expect(b.copy(side(from), side(to), length)).toBe(expected);
    expect([a.page(5).slice(), b.page(7).slice()]).toEqual(before);
    expect([8, 10, 12, 15].map((ref) => a.flags(ref) & IN_USE)).toEqual([0, 0, 0, 0]);
    expect(world.refs(world.entry(a.domid, 5).mfn)).toBe(1);
  });

  it("of an entry that is mapped: the frame is the mapped one, whatever the entry says by now", () => {
    b.map({ ref: 8, domid: a.domid, flags: g.GNTMAP_HOST_MAP | g.GNTMAP_READONLY });
    write(a, 9, "other");
    a.grant(8, b.domid, 9);
    expect(b.copy({ ref: 8, domid: a.domid }, { gfn: 7 }, 5)).toBe(0);
    expect(text(b, 7)).toBe("hello");
    // Also when the copy needs what the mapping did not: XSA-500.
    expect(b.copy({ gfn: 6 }, { ref: 8, domid: a.domid }, 5)).toBe(0);
    expect([text(a, 5), text(a, 9)]).toEqual(["world", "other"]);
    const mfn = world.entry(a.domid, 9).mfn;
    expect(world.refs(mfn)).toBe(1);
    expect(a.flags(8)).toBe(g.GTF_PERMIT_ACCESS | g.GTF_READING);
    const c = world.guest();
    a.grant(8, c.domid, 9);
    expect(c.copy({ ref: 8, domid: a.domid }, { gfn: 7 }, 5)).toBe(g.GNTST_GENERAL_ERROR);
  });

  it("marks the page that it writes to as dirty for a migration; an unmap of a writable mapping does, too", () => {
    const BITMAP = 0x3_0000;
    const shadow = (op: number, pages = 0): number =>
      world.door.domctl(DOMCTL_SHADOW_OP, a.domid, [
        [0, 4, op],
        [16, 8, BITMAP],
        [24, 8, pages],
      ]);
    const dirty = (): number[] => {
      world.door.put(BITMAP, 8, []);
      expect(shadow(SHADOW_OP_CLEAN, 16)).toBe(0);
      return Array.from({ length: 16 }, (_, i) => i).filter((i) => (world.door.u16(BITMAP) >> i) & 1);
    };
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
    dirty();
    expect(b.copy({ ref: 8, domid: a.domid }, { gfn: 7 }, 5)).toBe(0);
    expect(dirty()).toEqual([]);
    expect(b.copy({ gfn: 6 }, { ref: 8, domid: a.domid }, 5)).toBe(0);
    expect(dirty()).toEqual([5]);
    const RO = g.GNTMAP_HOST_MAP | g.GNTMAP_READONLY;
    expect(b.unmap(b.map({ ref: 8, domid: a.domid, flags: RO }).handle)).toBe(0);
    expect(dirty()).toEqual([]);
    expect(b.unmap(b.map({ ref: 8, domid: a.domid }).handle)).toBe(0);
    expect(dirty()).toEqual([5]);
  });

  it("a bad pointer ends the call; what was done before stays", () => {
    const door = world.door;
    // Two structures, the second one half on a page that is not there.
    const at = 64 * 4096 - 60;
    door.put(at, 40, [
      [0, 8, 1],
      [8, 2, DOMID_SELF],
      [16, 8, 2],
      [24, 2, DOMID_SELF],
      [32, 2, 4],
      [36, 2, 77],
    ]);
    expect(door.call(20, g.GNTTABOP_COPY, at, 2)).toBe(-14);
    expect(door.u16(at + 36)).toBe(0);
  });
});

describe("version 2", () => {
  beforeEach(() => {
    expect(a.setVersion(2)).toBe(0);
  });

  it("a part of a page: inside it and nowhere else", () => {
    write(a, 5, "0123456789", 64);
    a.grant2(8, b.domid, g.GTF_PERMIT_ACCESS | g.GTF_SUB_PAGE, 64 | (8 << 16), 5);
    const from = (offset: number, length: number) => b.copy({ ref: 8, domid: a.domid, offset }, { gfn: 7 }, length);
    expect(from(64, 8)).toBe(0);
    expect(text(b, 7, 0, 8)).toBe("01234567");
    expect([from(63, 2), from(70, 4), from(72, 1), from(0, 1)]).toEqual(Array(4).fill(g.GNTST_GENERAL_ERROR));
    expect(from(68, 0)).toBe(0);
    expect(a.status(8)).toBe(0);
    // A length that leaves the page: the page's end still counts.
    a.grant2(8, b.domid, g.GTF_PERMIT_ACCESS | g.GTF_SUB_PAGE, 4000 | (60000 << 16), 5);
    expect([from(4000, 96), from(4000, 97)]).toEqual([0, g.GNTST_BAD_COPY_ARG]);
  });

  it("a transitive entry leads to another domain's, once, and not back to its own", () => {
    const c = world.guest();
    write(c, 9, "third");
    c.grant(20, a.domid, 9);
    const via = (ref: number) => b.copy({ ref, domid: a.domid }, { gfn: 7 }, 5);
    a.grant2(8, b.domid, g.GTF_TRANSITIVE, c.domid, 20);
    expect(via(8)).toBe(0);
    expect(text(b, 7)).toBe("third");
    expect([a.status(8), c.flags(20)]).toEqual([0, g.GTF_PERMIT_ACCESS]);
    expect(world.refs(world.entry(c.domid, 9).mfn)).toBe(1);
    expect(b.copy({ gfn: 6 }, { ref: 8, domid: a.domid }, 5)).toBe(0);
    expect(text(c, 9)).toBe("world");
    a.grant2(9, b.domid, g.GTF_TRANSITIVE, a.domid, 8);
    a.grant2(10, b.domid, g.GTF_TRANSITIVE, 4000, 8);
    a.grant2(11, b.domid, g.GTF_TRANSITIVE, c.domid, 21); // granted to nobody
    a.grant2(12, b.domid, g.GTF_TRANSITIVE, c.domid, 100000);
    expect([9, 10, 11, 12].map(via)).toEqual([-1, -1, -1, g.GNTST_BAD_GNTREF]);
    // A second step is not taken.
    expect(c.setVersion(2)).toBe(0);
    c.grant2(20, a.domid, g.GTF_TRANSITIVE, 0, 3);
    expect(via(8)).toBe(-1);
    expect([8, 9, 10, 11, 12].map((ref) => a.status(ref))).toEqual([0, 0, 0, 0, 0]);
    expect(c.status(20)).toBe(0);
  });

  it("a mapped entry that says it is transitive now is refused, and the call ends", () => {
    const c = world.guest();
    c.grant(20, a.domid, 9);
    a.grant2(8, b.domid, g.GTF_PERMIT_ACCESS, 0, 5);
    const { handle } = b.map({ ref: 8, domid: a.domid });
    a.grant2(8, b.domid, g.GTF_TRANSITIVE, c.domid, 20);
    expect(b.copy({ ref: 8, domid: a.domid }, { gfn: 7 }, 5)).toBe(g.GNTST_GENERAL_ERROR);
    expect(b.unmap(handle)).toBe(0);
    expect([a.status(8), c.flags(20), world.refs(world.entry(c.domid, 9).mfn)]).toEqual([0, g.GTF_PERMIT_ACCESS, 1]);
  });
});

describe("swap", () => {
  const swap = (p: Granter, x: number, y: number) => {
    expect(
      p.op(
        g.GNTTABOP_SWAP_GRANT_REF,
        [
          [0, 4, x],
          [4, 4, y],
        ],
        12,
      ),
    ).toBe(0);
    return p.i16(8);
  };
  it("two entries change places, in version 2 with their marks; not while in use", () => {
    expect(swap(a, 8, 30)).toBe(0);
    expect([a.flags(8), a.flags(30)]).toEqual([0, g.GTF_PERMIT_ACCESS]);
    const { handle } = b.map({ ref: 30, domid: a.domid });
    expect([swap(a, 30, 8), swap(a, 8, 30), swap(a, 30, 30)]).toEqual([g.GNTST_EAGAIN, g.GNTST_EAGAIN, 0]);
    expect([swap(a, 512, 8), swap(a, 8, 0xffff_ffff)]).toEqual([g.GNTST_BAD_GNTREF, g.GNTST_BAD_GNTREF]);
    b.unmap(handle);
    expect(a.setVersion(2)).toBe(0);
    a.grant2(8, b.domid, g.GTF_PERMIT_ACCESS, 0, 5);
    expect(swap(a, 8, 200)).toBe(0);
    expect(b.map({ ref: 200, domid: a.domid }).status).toBe(0);
  });
});
