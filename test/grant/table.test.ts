/** The table as a whole: sizes, limits, versions, its frames in a p2m, and who may ask (spec 08 sections 8.2 and 8.6). */
import { beforeEach, describe, expect, it } from "vitest";
import { EBUSY, EFAULT, EINVAL, ENOMEM, ENOSYS, EPERM, ESRCH } from "../../hv-core/abi/errno.ts";
import * as g from "../../hv-core/abi/grant.ts";
import {
  DOMCTL_GETDOMAININFO,
  DOMID_SELF,
  DOMINF_SHUTDOWN,
  HC_GRANT_TABLE_OP,
  HC_MEMORY_OP,
  XENMEM_ADD_TO_PHYSMAP,
  XENMEM_DECREASE_RESERVATION,
} from "../../hv-core/abi/hypercalls.ts";
import type { Field } from "../hv/door.ts";
import { ARG } from "../hv/door.ts";
import { acquire, type Granter, openWorld, type Party, type World } from "./world.ts";

const ALL_ONES = 0xffff_ffff_ffff_ffffn;
const STATUS_BIT = 0x8000_0000;
let world: World;
let a: Granter;

beforeEach(() => {
  world = openWorld();
  a = world.guest();
});

const query = (p: Party, domid: number) => {
  expect(p.op(g.GNTTABOP_QUERY_SIZE, [[0, 2, domid]], 16)).toBe(0);
  return [p.i16(12), p.u32(4), p.u32(8)];
};
/** add_to_physmap of a frame of the table by dom0, for domain `domid`. */
const add = (domid: number, index: number | bigint, gfn: number | bigint) =>
  world.door.call(
    HC_MEMORY_OP,
    XENMEM_ADD_TO_PHYSMAP,
    world.door.put(ARG, 24, [
      [0, 2, domid],
      [4, 4, 1],
      [8, 8, index],
      [16, 8, gfn],
    ]),
  );
const frameAt = (p: Party, gfn: number) => world.entry(p.domid, gfn);
const isShutDown = (domid: number) => {
  world.door.domctl(DOMCTL_GETDOMAININFO, domid);
  return (world.door.result32(4) & DOMINF_SHUTDOWN) !== 0;
};

describe("query_size, setup_table, get_version", () => {
  it("a domain has one frame at first, and as many as its toolstack allowed", () => {
    expect(query(a, DOMID_SELF)).toEqual([0, 1, 32]);
    expect(query(a, a.domid)).toEqual([0, 1, 32]);
    expect(query(world.dom0, a.domid)).toEqual([0, 1, 32]);
    expect(query(world.dom0, DOMID_SELF)).toEqual([0, 1, 64]);
    expect(query(world.guest([[36, 4, 3]]), DOMID_SELF)).toEqual([0, 1, 3]);
    expect(query(world.guest([[36, 4, 0xffff_ffff]]), DOMID_SELF)).toEqual([0, 1, 64]);
  });

  it("an absent domain, another one, wrong counts, bad pointers", () => {
    expect(query(a, 4000)[0]).toBe(g.GNTST_BAD_DOMAIN);
    expect(query(a, 0)[0]).toBe(g.GNTST_PERMISSION_DENIED);
    expect(a.op(g.GNTTABOP_QUERY_SIZE, [], 16, 0)).toBe(-EINVAL);
    expect(a.op(g.GNTTABOP_QUERY_SIZE, [], 16, 2)).toBe(-EINVAL);
    expect(a.call(HC_GRANT_TABLE_OP, g.GNTTABOP_QUERY_SIZE, 0x10_0000, 1)).toBe(-EFAULT);
    const version = (p: Party, domid: number) => p.op(g.GNTTABOP_GET_VERSION, [[0, 2, domid]], 8);
    expect([version(a, DOMID_SELF), a.u32(4)]).toEqual([0, 1]);
    expect([version(a, 4000), version(a, 0), version(world.dom0, a.domid)]).toEqual([-ESRCH, -EPERM, 0]);
    expect(a.call(HC_GRANT_TABLE_OP, g.GNTTABOP_GET_VERSION, 0x10_0000, 1)).toBe(-EFAULT);
  });

  it("setup_table grows the table, within its limit, and says where its frames are", () => {
    const dom0 = world.dom0;
    const list = 0x2_0000;
    const setup = (domid: number, frames: number, at = list) => {
      const rc = dom0.op(
        g.GNTTABOP_SETUP_TABLE,
        [
          [0, 2, domid],
          [4, 4, frames],
          [16, 8, at],
        ],
        24,
      );
      return [rc, dom0.i16(8)];
    };
    expect(setup(a.domid, 4)).toEqual([0, 0]);
    expect(query(dom0, a.domid)).toEqual([0, 4, 32]);
    expect([0, 8, 16, 24].map((o) => world.door.u64(list + o))).toEqual([ALL_ONES, ALL_ONES, ALL_ONES, ALL_ONES]);
    expect(add(a.domid, 2, 0x500)).toBe(0);
    expect(setup(a.domid, 4)).toEqual([0, 0]);
    expect(world.door.u64(list + 16)).toBe(0x500n);
    expect(setup(a.domid, 2)).toEqual([0, 0]); // it never shrinks
    expect(query(dom0, a.domid)).toEqual([0, 4, 32]);
    expect(setup(a.domid, 33)).toEqual([0, g.GNTST_GENERAL_ERROR]);
    expect(setup(a.domid, 0xffff_ffff)).toEqual([0, g.GNTST_GENERAL_ERROR]);
    expect(setup(4000, 1)).toEqual([0, g.GNTST_BAD_DOMAIN]);
    expect(setup(a.domid, 1, 0x10_0000)[0]).toBe(-EFAULT);
    expect(dom0.op(g.GNTTABOP_SETUP_TABLE, [], 24, 0)).toBe(-EINVAL);
    expect(
      a.op(
        g.GNTTABOP_SETUP_TABLE,
        [
          [0, 2, 0],
          [4, 4, 1],
        ],
        16,
      ),
    ).toBe(0);
    expect(a.i16(8)).toBe(g.GNTST_PERMISSION_DENIED);
  });

  it("without memory it is a general error, the table stays as it was, and works", () => {
    const small = openWorld({ frames: 190 });
    const p = small.guest();
    p.grant(8, 0, 5);
    const list = 0x2_0000;
    const setup = (frames: number) => {
      small.dom0.op(
        g.GNTTABOP_SETUP_TABLE,
        [
          [0, 2, p.domid],
          [4, 4, frames],
          [16, 8, list],
        ],
        24,
      );
      return small.dom0.i16(8);
    };
    const free = small.door.freeFrames();
    expect(setup(32)).toBe(g.GNTST_GENERAL_ERROR);
    expect(small.door.freeFrames()).toBe(free);
    expect(small.dom0.map({ ref: 8, domid: p.domid, gfn: 0x900 }).status).toBe(0);
  });
});

describe("operations that are not for HVM guests", () => {
  it.each([3, 4, 7, 9, 12, 13, 100])("number %i: ENOSYS", (op) => {
    expect(a.op(op, [], 64)).toBe(-ENOSYS);
  });
  it("a negative count, and continuation bits", () => {
    expect(a.op(g.GNTTABOP_COPY, [], 64, -1)).toBe(-EINVAL);
    expect(a.op(g.GNTTABOP_COPY | 0x1000, [], 64)).toBe(-ENOSYS);
    expect(world.dom0.op(g.GNTTABOP_COPY | 0x1000, [], 64)).toBe(-EINVAL);
    expect(world.dom0.op(g.GNTTABOP_TRANSFER, [], 64)).toBe(-ENOSYS);
  });
  it("get_status_frames, for dom0: where they are", () => {
    const dom0 = world.dom0;
    const frames = (domid: number, n: number, list = 0x2_0000) => {
      const rc = dom0.op(
        g.GNTTABOP_GET_STATUS_FRAMES,
        [
          [0, 4, n],
          [4, 2, domid],
          [8, 8, list],
        ],
        16,
      );
      return [rc, dom0.i16(6)];
    };
    expect(frames(a.domid, 1)).toEqual([0, g.GNTST_GENERAL_ERROR]);
    expect(a.setVersion(2)).toBe(0);
    expect(add(a.domid, STATUS_BIT, 0x510)).toBe(0);
    expect(frames(a.domid, 1)).toEqual([0, 0]);
    expect(world.door.u64(0x2_0000)).toBe(0x510n);
    expect(frames(4000, 1)).toEqual([0, g.GNTST_BAD_DOMAIN]);
    expect(frames(a.domid, 1, 0x10_0000)[0]).toBe(-EFAULT);
    expect(dom0.op(g.GNTTABOP_GET_STATUS_FRAMES, [], 16, 2)).toBe(-EINVAL);
  });
});

describe("set_version", () => {
  it("only 1 and 2, and 2 only where the toolstack allows it", () => {
    expect([a.setVersion(0), a.u32(0), a.setVersion(3), a.setVersion(1)]).toEqual([-EINVAL, 1, -EINVAL, 0]);
    const old = world.guest([[44, 4, 1]]);
    expect([old.setVersion(2), old.u32(0)]).toEqual([-ENOSYS, 1]);
    expect(a.call(HC_GRANT_TABLE_OP, g.GNTTABOP_SET_VERSION, 0x10_0000, 1)).toBe(-EFAULT);
  });

  it("not while an entry is in use, but for the reserved ones, which survive it with their marks", () => {
    a.grant(1, 0, 6);
    a.grant(2, 0, 7, g.GTF_ACCEPT_TRANSFER);
    a.grant(8, 0, 5);
    const used = world.dom0.map({ ref: 8, domid: a.domid, gfn: 0x900 });
    expect([a.setVersion(2), a.u32(0)]).toEqual([-EBUSY, 1]);
    world.dom0.unmap(used.handle, 0x900);
    const reserved = world.dom0.map({
      ref: 1,
      domid: a.domid,
      gfn: 0x900,
      flags: g.GNTMAP_HOST_MAP | g.GNTMAP_READONLY,
    });
    expect(a.setVersion(2)).toBe(0);
    expect(a.status(1)).toBe(g.GTF_READING);
    expect(world.door.view.getUint32(a.entry(0) + 16, true)).toBe(g.GTF_PERMIT_ACCESS);
    expect(world.door.view.getBigUint64(a.entry(0) + 24, true)).toBe(6n);
    expect(world.door.view.getUint32(a.entry(0) + 8 * 16, true)).toBe(0); // entry 8 is lost
    expect(a.setVersion(1)).toBe(0);
    expect([a.flags(1), a.flags(2)]).toEqual([g.GTF_PERMIT_ACCESS | g.GTF_READING, 0]);
    expect(world.dom0.unmap(reserved.handle, 0x900)).toBe(0);
    expect(a.flags(1)).toBe(g.GTF_PERMIT_ACCESS);
  });

  it("the status frames go with version 2, out of the p2m as well", () => {
    expect(a.setVersion(2)).toBe(0);
    expect(add(a.domid, STATUS_BIT, 0x510)).toBe(0);
    const free = world.door.freeFrames();
    expect(frameAt(a, 0x510).rights).toBe(7);
    expect(a.setVersion(1)).toBe(0);
    expect(frameAt(a, 0x510).rights).toBe(0);
    expect(world.door.freeFrames()).toBe(free + 1);
  });

  it("a status frame that dom0 has acquired cannot go: EBUSY, and the domain crashes", () => {
    expect(a.setVersion(2)).toBe(0);
    expect(acquire(world.door, a.domid, g.GRANT_RESOURCE_STATUS, 0, 0x920)).toBe(0x920);
    expect(() => {
      if (a.setVersion(1) !== 0x5555_5555) throw new Error("it came back"); // 0x55555555: no answer within its time
    }).not.toThrow();
    expect(isShutDown(a.domid)).toBe(true);
    world.door.call(HC_GRANT_TABLE_OP, g.GNTTABOP_GET_VERSION, world.door.put(ARG, 8, [[0, 2, a.domid]]));
    expect(world.door.u32(ARG + 4)).toBe(2);
  });
});

describe("add_to_physmap, space grant_table", () => {
  it("a frame is at one gfn: it moves, and the old one is a hole", () => {
    expect(add(a.domid, 0, 0x500)).toBe(0);
    const { mfn } = frameAt(a, 0x500);
    expect(add(a.domid, 0, 0x501)).toBe(0);
    expect([frameAt(a, 0x500).rights, frameAt(a, 0x501)]).toEqual([0, { mfn, type: 0, rights: 7 }]);
    expect(add(a.domid, 0, 0x501)).toBe(0); // where it is already
    expect(frameAt(a, 0x501).mfn).toBe(mfn);
    // RAM that was there is given back.
    world.door.domctl(DOMCTL_GETDOMAININFO, a.domid);
    const pages = world.door.result64(8);
    expect(add(a.domid, 0, 9)).toBe(0);
    world.door.domctl(DOMCTL_GETDOMAININFO, a.domid);
    expect(world.door.result64(8)).toBe(pages - 1n);
  });

  it("indexes out of range, status frames without version 2, no gfn", () => {
    expect(add(a.domid, 32, 0x500)).toBe(-EINVAL);
    expect(add(a.domid, 1n << 40n, 0x500)).toBe(-EINVAL);
    expect(add(a.domid, STATUS_BIT, 0x500)).toBe(-EINVAL);
    expect(add(a.domid, 0, ALL_ONES)).toBe(-EINVAL);
    expect(a.setVersion(2)).toBe(0);
    expect(add(a.domid, STATUS_BIT + 4, 0x500)).toBe(-EINVAL); // 32 frames have 4 status frames
    expect(add(a.domid, STATUS_BIT + 3, 0x500)).toBe(0);
    expect(query(world.dom0, a.domid)).toEqual([0, 32, 32]);
    expect(add(a.domid, STATUS_BIT + 0x1000, 0x500)).toBe(-EINVAL);
  });

  it("without memory: ENOMEM", () => {
    const small = openWorld({ frames: 190 });
    const p = small.guest();
    const rc = small.door.call(
      HC_MEMORY_OP,
      XENMEM_ADD_TO_PHYSMAP,
      small.door.put(ARG, 24, [
        [0, 2, p.domid],
        [4, 4, 1],
        [8, 8, 31],
        [16, 8, 0x500],
      ]),
    );
    expect(rc).toBe(-ENOMEM);
  });

  it("the guest cannot give a frame of its table back: it only goes out of sight", () => {
    expect(add(a.domid, 0, 0x500)).toBe(0);
    const list = world.door.put(0x2_0000, 8, [[0, 8, 0x500]]);
    const fields: Field[] = [
      [0, 8, list],
      [8, 8, 1],
      [24, 2, a.domid],
    ];
    expect(world.door.call(HC_MEMORY_OP, XENMEM_DECREASE_RESERVATION, world.door.put(ARG, 32, fields))).toBe(1);
    expect(frameAt(a, 0x500).rights).toBe(0);
    a.grant(8, 0, 5);
    expect(world.dom0.map({ ref: 8, domid: a.domid, gfn: 0x900 }).status).toBe(0);
  });
});

describe("acquire_resource, type grant table (recorded rows V657 to V668)", () => {
  it("V657 V658 V659: shared frames, status frames of version 2 only, no third kind", () => {
    expect(acquire(world.door, a.domid, 0, 0, 0x920)).toBe(0x920);
    expect(acquire(world.door, a.domid, 1, 0, 0x921)).toBe(-EINVAL);
    expect(acquire(world.door, a.domid, 2, 0, 0x921)).toBe(-EINVAL);
  });
  it("V660 V661: 33 of 32 map 32 and fail; frame 32 is none", () => {
    expect(acquire(world.door, a.domid, 0, 0, 0x920, 33)).toBe(-EINVAL);
    expect(query(world.dom0, a.domid)).toEqual([0, 32, 32]);
    expect(world.door.core.dom0Mfn(0x920 + 31)).toBeGreaterThan(0);
    expect(acquire(world.door, a.domid, 0, 32, 0x960)).toBe(-EINVAL);
  });
  it("V662: how many there are, shared and status", () => {
    const size = (id: number) => {
      const arg = world.door.put(ARG, 32, [
        [0, 2, a.domid],
        [2, 2, 1],
        [4, 4, id],
      ]);
      return [world.door.call(HC_MEMORY_OP, 28, arg), world.door.u32(ARG + 8)];
    };
    expect([size(0), size(1)]).toEqual([
      [0, 32],
      [0, 4],
    ]);
  });
});

it("no operation copies out what the caller did not put in and nobody computed", () => {
  const tainted = openWorld({ tainted: true });
  const p = tainted.dom0;
  const q = tainted.guest();
  q.grant(8, 0, 5);
  const { handle } = p.map({ ref: 8, domid: q.domid, gfn: 0x900 });
  expect(tainted.door.leak()).toBeUndefined();
  const all = [
    () => p.copy({ ref: 8, domid: q.domid }, { gfn: 9 }, 100),
    () => p.unmap(handle, 0x900),
    () => query(p, q.domid)[0],
    () => p.setVersion(2),
    () =>
      p.op(
        g.GNTTABOP_SETUP_TABLE,
        [
          [4, 4, 2],
          [0, 2, DOMID_SELF],
          [16, 8, 0x2_0000],
        ],
        24,
      ),
    () =>
      p.op(
        g.GNTTABOP_GET_STATUS_FRAMES,
        [
          [0, 4, 1],
          [4, 2, DOMID_SELF],
          [8, 8, 0x2_0000],
        ],
        16,
      ),
    () =>
      p.op(
        g.GNTTABOP_SWAP_GRANT_REF,
        [
          [0, 4, 8],
          [4, 4, 9],
        ],
        12,
      ),
  ];
  for (const [i, run] of all.entries()) {
    expect([i, run(), tainted.door.leak()]).toEqual([i, 0, undefined]);
  }
});
