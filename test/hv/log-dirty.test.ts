/** Log-dirty mode and dirty video memory at the hypercalls: the answers recorded on Xen 4.17 (V179..V208, V786..V801), S-2, bad input. */
import { beforeEach, describe, expect, it } from "vitest";
import { EBUSY, EFAULT, EINVAL, ENOMEM, ESRCH } from "../../hv-core/abi/errno.ts";
import {
  DMOP_CREATE_IOREQ_SERVER,
  DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
  DMOP_MODIFIED_MEMORY,
  DMOP_SET_MEM_TYPE,
  DMOP_TRACK_DIRTY_VRAM,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SHADOW_OP,
  HC_DM_OP,
  HC_HVM_OP,
  HVMOP_GET_MEM_TYPE,
  SHADOW_OP_CLEAN,
  SHADOW_OP_ENABLE,
  SHADOW_OP_ENABLE_LOGDIRTY,
  SHADOW_OP_ENABLE_TEST,
  SHADOW_OP_GET_ALLOCATION,
  SHADOW_OP_OFF,
  SHADOW_OP_PEEK,
  SHADOW_OP_SET_ALLOCATION,
} from "../../hv-core/abi/hypercalls.ts";
import { ARG, type Door, type Field, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const PAGES = 1024;
let door: Door;
let domid: number;

beforeEach(() => {
  door = openDoor(8192);
  domid = door.createDomain({ pages: 2 * PAGES });
  expect(door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, domid, [[0, 8, 4 << 20]])).toBe(0);
  expect(door.populate(domid, [0, 512], 9)).toBe(2);
});

interface Shadow {
  mode?: number;
  mb?: number;
  bitmap?: number;
  pages?: number | bigint;
}
const shadow = (op: number, { mode = 0, mb = 0, bitmap = OUT, pages = 0 }: Shadow = {}, who = domid): number =>
  door.domctl(DOMCTL_SHADOW_OP, who, [
    [0, 4, op],
    [4, 4, mode],
    [8, 4, mb],
    [16, 8, bitmap],
    [24, 8, pages],
  ]);
const mib = (): number => door.result32(8);
const pagesDone = (): bigint => door.result64(24);
const dirtyCount = (): number => door.result32(36);

function memType(gfn: number): number {
  door.put(ARG, 16, [
    [0, 2, domid],
    [8, 8, gfn],
  ]);
  expect(door.call(HC_HVM_OP, HVMOP_GET_MEM_TYPE, ARG)).toBe(0);
  return door.u16(ARG + 2);
}

/** dm_op with a structure and, when `second` is given, a second buffer [gpa, bytes]. */
function dmOp(op: number, fields: readonly Field[], second?: readonly [gpa: number, bytes: number]): number {
  door.put(ARG + 256, 40, [[0, 4, op], ...fields.map(([at, bytes, value]): Field => [at + 8, bytes, value])]);
  door.put(ARG, 32, [
    [0, 8, ARG + 256],
    [8, 8, 40],
    [16, 8, second?.[0] ?? 0],
    [24, 8, second?.[1] ?? 0],
  ]);
  return door.call(HC_DM_OP, domid, second ? 2 : 1, ARG);
}

const RW = 0;
const RO = 1;

describe("shadow_op, recorded rows", () => {
  it("V179, V180, V183..V190: on and off", () => {
    expect(shadow(SHADOW_OP_OFF)).toBe(0);
    expect([shadow(SHADOW_OP_GET_ALLOCATION), mib()]).toEqual([0, 4]);
    expect(shadow(SHADOW_OP_ENABLE_TEST)).toBe(-EINVAL);
    expect(shadow(3)).toBe(-EINVAL);
    expect(shadow(SHADOW_OP_ENABLE, { mode: 0 })).toBe(-EINVAL);
    expect(shadow(SHADOW_OP_ENABLE, { mode: 4 })).toBe(0);
    expect(shadow(SHADOW_OP_ENABLE, { mode: 4 })).toBe(-EINVAL);
    expect(shadow(SHADOW_OP_OFF)).toBe(0);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(-EINVAL);
  });

  it("V181, V182: the paging pool in MiB", () => {
    expect([shadow(SHADOW_OP_SET_ALLOCATION, { mb: 2 }), mib()]).toEqual([0, 2]);
    expect([shadow(SHADOW_OP_GET_ALLOCATION), mib()]).toEqual([0, 2]);
  });

  it("V191..V199: reading the bitmap", () => {
    shadow(SHADOW_OP_ENABLE_LOGDIRTY);
    expect([shadow(SHADOW_OP_PEEK, { pages: 1024 }), pagesDone()]).toEqual([0, 1024n]);
    expect([shadow(SHADOW_OP_CLEAN, { pages: 1024 }), pagesDone()]).toEqual([0, 1024n]);
    expect([shadow(SHADOW_OP_CLEAN, { pages: 1024, bitmap: 0 }), pagesDone()]).toEqual([0, 1024n]);
    expect([shadow(SHADOW_OP_CLEAN, { pages: 0, bitmap: 0 }), pagesDone()]).toEqual([0, 0n]);
    expect(shadow(SHADOW_OP_PEEK, { pages: 2 ** 20, bitmap: 63 * 4096 })).toBe(-EFAULT);
    expect(shadow(SHADOW_OP_PEEK, { pages: 64, bitmap: NOWHERE })).toBe(-EFAULT);
    expect([shadow(SHADOW_OP_PEEK, { pages: 1024, mode: 1 }), pagesDone()]).toEqual([0, 1024n]);
    expect(shadow(SHADOW_OP_PEEK, { mode: 2 })).toBe(-EINVAL);
    expect(shadow(SHADOW_OP_OFF)).toBe(0);
  });

  it("V200..V205: CLEAN while it is off write-protects all RAM", () => {
    expect(shadow(SHADOW_OP_CLEAN, { pages: 1024 })).toBe(0);
    expect(memType(0x20)).toBe(RO);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
    expect(shadow(SHADOW_OP_OFF)).toBe(0);
    expect(memType(0x20)).toBe(RW);
    expect(shadow(99)).toBe(-EINVAL);
  });

  it("V206..V208: not for oneself, nor for nobody", () => {
    expect(shadow(SHADOW_OP_GET_ALLOCATION, {}, 0)).toBe(-EINVAL);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY, {}, 0)).toBe(-EINVAL);
    expect(shadow(SHADOW_OP_GET_ALLOCATION, {}, 0x7000)).toBe(-ESRCH);
  });
});

describe("log-dirty mode", () => {
  it("notes new pages, in the stats too, and forgets them after CLEAN", () => {
    shadow(SHADOW_OP_ENABLE_LOGDIRTY);
    expect(door.populate(domid, [0x500, 0x503])).toBe(2);
    expect(shadow(SHADOW_OP_PEEK, { pages: 0x600 })).toBe(0);
    expect(dirtyCount()).toBe(2);
    expect(door.u16(OUT + 0xa0)).toBe(0b1001);
    expect(shadow(SHADOW_OP_CLEAN, { pages: 0x600 })).toBe(0);
    expect(shadow(SHADOW_OP_PEEK, { pages: 0x600 })).toBe(0);
    expect([dirtyCount(), door.u16(OUT + 0xa0)]).toEqual([0, 0]);
  });

  it("says -ENOMEM when dirty pages could not be noted for want of frames", () => {
    shadow(SHADOW_OP_ENABLE_LOGDIRTY);
    expect(door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, domid, [[0, 8, 0]])).toBe(-ENOMEM); // shrinks to what is in use
    expect(door.populate(domid, [0x400])).toBe(0);
    expect(door.populate(domid, [0])).toBe(0);
    expect(modified(0, 1)).toBe(0);
    expect(shadow(SHADOW_OP_PEEK, { pages: 64 })).toBe(-ENOMEM);
    expect(shadow(SHADOW_OP_OFF)).toBe(0);
    expect(shadow(SHADOW_OP_PEEK, { pages: 64 })).toBe(0);
  });

  it("gives back the frames of the bitmap", () => {
    const free = door.freeFrames();
    shadow(SHADOW_OP_ENABLE_LOGDIRTY);
    expect(modified(0, 1000)).toBe(0);
    expect(door.freeFrames()).toBeLessThan(free);
    shadow(SHADOW_OP_OFF);
    expect(door.freeFrames()).toBe(free);
  });

  it("reads a bitmap of absurd size: zeroes beyond what exists, until the buffer ends", () => {
    shadow(SHADOW_OP_ENABLE_LOGDIRTY);
    expect(shadow(SHADOW_OP_PEEK, { pages: 2n ** 64n - 1n })).toBe(-EFAULT);
    expect([shadow(SHADOW_OP_PEEK, { pages: 5 }), pagesDone()]).toEqual([0, 5n]);
  });

  it("believes nobody who claims to go on with a call", () => {
    door.put(ARG, 144, [
      [0, 4, DOMCTL_SHADOW_OP],
      [4, 4, 0x15],
      [8, 2, domid],
      [16, 4, SHADOW_OP_PEEK],
    ]);
    expect(door.call(36, ARG, 0x72657375)).toBe(-EBUSY);
  });

  it("dies with the domain", () => {
    const free = door.freeFrames();
    const other = door.createDomain({ pages: 64 });
    expect(door.populate(other, [0, 1, 2])).toBe(3);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY, {}, other)).toBe(0);
    expect(door.populate(other, [3])).toBe(1);
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, other)).toBe(0);
    expect(door.freeFrames()).toBe(free);
  });
});

describe("together with the ioreq_server type", () => {
  const mapType = (flags: number): number =>
    dmOp(DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER, [
      [2, 2, 4],
      [4, 4, flags],
    ]);
  const setType = (gfn: number, type: number): number =>
    dmOp(DMOP_SET_MEM_TYPE, [
      [0, 4, 1],
      [4, 2, type],
      [8, 8, gfn],
    ]);

  beforeEach(() => expect(dmOp(DMOP_CREATE_IOREQ_SERVER, [])).toBe(0));

  it("is refused while pages of the type exist, and possible again when the last one is gone", () => {
    expect(mapType(2)).toBe(0);
    expect(setType(0x20, 4)).toBe(0);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(-EBUSY);
    expect(mapType(0)).toBe(0);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
  });

  it("S-2: unmapping the type ends the protection of all other pages, CLEAN brings it back", () => {
    expect(mapType(2)).toBe(0);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
    expect(memType(0x30)).toBe(RO);
    expect(setType(0x20, 0)).toBe(0); // what the guest's first write would do
    expect(setType(0x20, 4)).toBe(0);
    expect(mapType(0)).toBe(0);
    expect(memType(0x30)).toBe(RW);
    expect(shadow(SHADOW_OP_CLEAN, { pages: 64 })).toBe(0);
    expect(memType(0x30)).toBe(RO);
  });

  it("sweeps a large map in pieces", () => {
    expect(mapType(2)).toBe(0);
    for (const gfn of [0, 0x1ff, 0x200, 0x3ff]) expect(setType(gfn, 4)).toBe(0);
    expect(mapType(0)).toBe(0);
    expect(mapType(2)).toBe(0);
  });
});

const modified = (first: number | bigint, nr: number, pad = 0): number => {
  door.put(LIST, 16, [
    [0, 4, nr],
    [4, 4, pad],
    [8, 8, first],
  ]);
  return dmOp(DMOP_MODIFIED_MEMORY, [[0, 4, 1]], [LIST, 16]);
};

describe("modified_memory", () => {
  it("V794..V798: nothing to do without log-dirty mode, whatever the list says", () => {
    expect(modified(0x10, 1)).toBe(0);
    expect(dmOp(DMOP_MODIFIED_MEMORY, [[0, 4, 1]])).toBe(-EINVAL);
    expect(dmOp(DMOP_MODIFIED_MEMORY, [[0, 4, 2]], [LIST, 16])).toBe(0);
    expect(
      dmOp(
        DMOP_MODIFIED_MEMORY,
        [
          [0, 4, 1],
          [4, 4, 1],
        ],
        [LIST, 16],
      ),
    ).toBe(0);
    expect(dmOp(DMOP_MODIFIED_MEMORY, [], [LIST, 16])).toBe(0);
  });

  it("V799..V801: marks RAM, refuses pad and what is beyond the map", () => {
    shadow(SHADOW_OP_ENABLE_LOGDIRTY);
    expect(modified(0x10, 3)).toBe(0);
    expect(modified(0x10, 1, 1)).toBe(-EINVAL);
    expect(modified(0x3ff, 2)).toBe(-EINVAL);
    expect(modified(2n ** 64n - 1n, 2)).toBe(-EINVAL);
    expect(modified(0x10, 0)).toBe(-EINVAL);
    expect(dmOp(DMOP_MODIFIED_MEMORY, [[0, 4, 1]], [NOWHERE, 16])).toBe(-EFAULT);
    expect(dmOp(DMOP_MODIFIED_MEMORY, [[0, 4, 2]], [LIST, 16])).toBe(-EINVAL);
    expect(shadow(SHADOW_OP_PEEK, { pages: 64 })).toBe(0);
    expect(door.u64(OUT)).toBe(0x70000n);
  });

  it("goes on where a long list was interrupted", () => {
    shadow(SHADOW_OP_ENABLE_LOGDIRTY);
    expect(modified(0, 1000)).toBe(0);
    expect(shadow(SHADOW_OP_PEEK, { pages: 1024 })).toBe(0);
    expect(dirtyCount()).toBe(1000);
  });
});

describe("track_dirty_vram", () => {
  const track = (first: number | bigint, nr: number, bytes = 4096, gpa = OUT, pad = 0): number =>
    dmOp(
      DMOP_TRACK_DIRTY_VRAM,
      [
        [0, 4, nr],
        [4, 4, pad],
        [8, 8, first],
      ],
      [gpa, bytes],
    );

  it("V786..V793", () => {
    expect(dmOp(DMOP_TRACK_DIRTY_VRAM, [[0, 4, 8]])).toBe(-EINVAL);
    expect(track(0x200, 64, 7)).toBe(-EINVAL);
    expect([track(0x200, 64), door.u64(OUT)]).toEqual([0, 0xffff_ffff_ffff_ffffn]);
    expect([track(0x200, 64), door.u64(OUT)]).toEqual([0, 0n]);
    expect(track(0x200, 1)).toBe(0);
    expect(track(0x200, 262145)).toBe(-EINVAL);
    expect(track(0, 0)).toBe(0);
    expect(track(0x200, 64, 8, OUT, 1)).toBe(-EINVAL);
  });

  it("types the range, and only it, and gives an old range back", () => {
    track(0x100, 64);
    expect([memType(0xff), memType(0x100), memType(0x13f), memType(0x140)]).toEqual([RW, RO, RO, RW]);
    track(0x200, 64);
    expect([memType(0x100), memType(0x200)]).toEqual([RW, RO]);
    track(0, 0);
    expect([memType(0x100), memType(0x200)]).toEqual([RW, RW]);
  });

  it("S-7: a range of one page is reported dirty once more, then tracked", () => {
    expect([track(0x200, 1), memType(0x200)]).toEqual([0, RW]);
    expect([track(0x200, 1), door.u16(OUT), memType(0x200)]).toEqual([0, 1, RO]);
    expect([track(0x200, 1), door.u16(OUT)]).toEqual([0, 0]);
  });

  it("does not switch log-dirty mode on or off (XSA-397)", () => {
    track(0x100, 64);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(0);
    track(0, 0);
    expect(shadow(SHADOW_OP_ENABLE_LOGDIRTY)).toBe(-EINVAL);
    expect(memType(0x300)).toBe(RO);
    expect(shadow(SHADOW_OP_OFF)).toBe(0);
  });

  it("survives ranges that wrap or that nothing maps", () => {
    expect(track(2n ** 64n - 8n, 64)).toBe(0);
    expect(track(0x4000_0000_0000n, 64)).toBe(0);
    expect(track(0x3f0, 64)).toBe(0);
    expect(track(0, 0)).toBe(0);
    expect(track(0x100, 64, 4096, NOWHERE)).toBe(-EFAULT);
    expect(memType(0x3f0)).toBe(RW);
  });
});
