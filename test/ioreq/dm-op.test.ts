/** dm_op: the envelope and the rows of spec 03 section 3.2, with the answers recorded on Xen 4.17 where they differ. */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CRASH_IOREQ_PAGE } from "../../hv-core/abi/crash.ts";
import {
  E2BIG,
  EBUSY,
  EEXIST,
  EFAULT,
  EINVAL,
  ENODATA,
  ENOENT,
  ENOMEM,
  ENOSPC,
  EOPNOTSUPP,
  EPERM,
  ERESTART,
  ESRCH,
} from "../../hv-core/abi/errno.ts";
import { IO_RANGE_MEMORY, IO_RANGE_PCI, IO_RANGE_PORT, IOREQ_SIZE, IOREQ_VP_EPORT } from "../../hv-core/abi/ioreq.ts";
import { P2M_IOREQ_SERVER, P2M_MMIO_DM, P2M_RAM_RO, P2M_RAM_RW } from "../../hv-core/abi/p2m-types.ts";
import { createWorld, GUEST, type World } from "./world.ts";

const MAP = 3;
const UNMAP = 4;
const ALL = 0xffff_ffff_ffff_ffffn;

let w: World;
beforeAll(async () => {
  w = await createWorld();
});
beforeEach(() => w.core.setup(2, 0));

const nrVcpus = (size = 32) => w.dm(20, undefined, size);
const setMemType = (type: number, first: bigint, nr = 1, pad = 0) =>
  w.dm(12, (at) => {
    at(0).u32(nr);
    at(4).u16(type);
    at(6).u16(pad);
    at(8).u64(first);
  });
const mapMemType = (id: number, type: number, flags: number, opaque = 0n) =>
  w.dm(15, (at) => {
    at(0).u16(id);
    at(2).u16(type);
    at(4).u32(flags);
    at(8).u64(opaque);
  });
const info = (id: number, flags: number) =>
  w.dm(2, (at) => {
    at(0).u16(id);
    at(2).u16(flags);
  });

describe("envelope", () => {
  it("checks the number of buffers first, then the descriptors, then the domain", () => {
    expect(w.core.dm(GUEST, 0, 0x1000)).toBe(-ENODATA);
    expect(w.core.dm(99, 0, 0x1000)).toBe(-ENODATA);
    expect(w.core.dm(GUEST, 3, 0x1000)).toBe(-E2BIG);
    expect(w.core.dm(GUEST, 9, 0x1000)).toBe(-E2BIG);
    expect(w.core.dm(GUEST, 1, 0x8000_0000)).toBe(-EFAULT);
    expect(w.core.dm(99, 1, 0x8000_0000)).toBe(-EFAULT);
    expect(w.core.dm(99, 1, 0x1000)).toBe(-ESRCH);
    expect(w.core.dm(0x7ff0, 1, 0x1000)).toBe(-ESRCH);
    expect(w.core.dm(0, 1, 0x1000)).toBe(-EPERM);
  });

  it("lets only the device model's domain in", () => {
    expect(w.core.dmByGuest(0, 1, 0x1000)).toBe(-EPERM);
    expect(w.core.dmByGuest(GUEST, 1, 0x1000)).toBe(-EPERM);
  });

  it("needs as much of the buffer as the operation has", () => {
    expect(nrVcpus(4)).toBe(-EFAULT);
    expect(nrVcpus(8)).toBe(-EFAULT);
    expect(nrVcpus(0)).toBe(-EFAULT);
    expect(nrVcpus(12)).toBe(0);
    expect(nrVcpus(4096)).toBe(0);
    expect(w.out.u32(0)).toBe(2);
  });

  it("pins at most 64 ranges of gfns", () => {
    const pin = (start: bigint, end: bigint, type: number) =>
      w.dm(18, (at) => {
        at(0).u64(start);
        at(8).u64(end);
        at(16).u32(type);
      });
    for (let i = 0n; i < 64n; i++) expect(pin(i * 2n, i * 2n, 6)).toBe(0);
    expect(pin(200n, 200n, 6)).toBe(-ENOSPC);
    expect(pin(0n, 0n, 0)).toBe(0);
    expect(pin(0n, 0n, 0xffffffff)).toBe(0);
    expect(pin(200n, 200n, 6)).toBe(0);
  });

  it("knows the operations and their pad", () => {
    for (const op of [0, 19, 21, 99, 0xffffffff]) expect(w.dm(op), `op ${op}`).toBe(-EOPNOTSUPP);
    expect(w.dm(20, (at) => at(-4).u32(1))).toBe(-EINVAL);
    expect(w.dm(99, (at) => at(-4).u32(1))).toBe(-EOPNOTSUPP);
  });
});

describe("servers", () => {
  it("creates eight, with the lowest free ids", () => {
    expect(w.dm(1, (at) => at(2).u8(1))).toBe(-EINVAL);
    expect(w.create(3)).toBe(-EINVAL);
    expect(w.create(255)).toBe(-EINVAL);
    for (let id = 0; id < 8; id++) expect(w.create(id % 3)).toBe(id);
    expect(w.create(0)).toBe(-ENOSPC);
    expect(w.dm(6, (at) => at(0).u16(3))).toBe(0);
    expect(w.dm(6, (at) => at(0).u16(3))).toBe(-ENOENT);
    expect(w.create(0)).toBe(3);
    expect(w.dm(6, (at) => at(0).u16(8))).toBe(-ENOENT);
    expect(w.dm(6, (at) => at(0).u16(0xffff))).toBe(-ENOENT);
    expect(w.dm(6, (at) => at(2).u16(1))).toBe(-EINVAL);
  });

  it("refuses a dying domain", () => {
    w.core.setDying();
    expect(w.create(0)).toBe(-EINVAL);
  });

  it("changes state", () => {
    expect(w.enable(0, 1)).toBe(-ENOENT);
    w.create(0);
    expect(w.enable(0, 1)).toBe(0);
    expect(w.enable(0, 1)).toBe(0);
    expect(w.enable(0, 2)).toBe(0);
    expect(w.enable(0, 0)).toBe(0);
    expect(w.dm(5, (at) => at(3).u8(1))).toBe(-EINVAL);
    expect(w.enable(9, 1)).toBe(-ENOENT);
  });

  it("gives information without gfns", () => {
    expect(info(0, 1)).toBe(-ENOENT);
    expect(info(8, 1)).toBe(-ENOENT);
    w.create(2);
    w.create(0);
    expect(info(0, 2)).toBe(-EINVAL);
    expect(info(0, 0xffff)).toBe(-EINVAL);
    expect(info(0, 1)).toBe(0);
    expect(w.out.u32(4)).not.toBe(0);
    expect(w.out.u64(8)).toBe(0n);
    expect(info(1, 1)).toBe(0);
    expect(w.out.u32(4)).toBe(0);
  });

  it("takes gfns from the pool, hides them while enabled and brings them back", () => {
    w.core.setGuestParam(32, 0x10n);
    w.core.setGuestParam(33, 3n);
    w.create(1);
    w.create(1);
    expect(info(0, 0)).toBe(0);
    expect([w.out.u64(8), w.out.u64(16)]).toEqual([0x10n, 0x11n]);
    expect(info(0, 0)).toBe(0);
    expect(w.out.u64(8)).toBe(0x10n);
    expect(w.core.resource(0, 0, 1n)).toBe(-EPERM);
    expect(w.core.memType(0x10n)).toBe(P2M_RAM_RW);
    expect(w.enable(0, 1)).toBe(0);
    expect([w.core.memType(0x10n), w.core.memType(0x11n)]).toEqual([P2M_MMIO_DM, P2M_MMIO_DM]);
    expect(w.core.crashReason()).toBe(0);
    expect(w.enable(0, 0)).toBe(0);
    expect([w.core.memType(0x10n), w.core.memType(0x11n)]).toEqual([P2M_RAM_RW, P2M_RAM_RW]);
    // The second server finds one page in the pool and one legacy parameter, then nothing.
    w.core.setGuestParam(5, 0x20n);
    w.core.setGuestParam(6, 0x21n);
    expect(info(1, 0)).toBe(0);
    expect([w.out.u64(8), w.out.u64(16)]).toEqual([0x12n, 0x20n]);
    w.create(1);
    expect(info(2, 0)).toBe(-ENOMEM);
    expect(w.dm(6, (at) => at(0).u16(0))).toBe(0);
    expect(info(2, 0)).toBe(0);
    expect([w.out.u64(8), w.out.u64(16)]).toEqual([0x21n, 0x10n]);
  });

  it("clears what the guest has written to them, and gives them their place in its memory back", () => {
    w.core.setGuestParam(32, 0x10n);
    w.core.setGuestParam(33, 3n);
    w.create(1);
    expect(info(0, 0)).toBe(0);
    const pages = [w.out.u64(8), w.out.u64(16)].map((gfn) => ({ gfn, mfn: w.core.frameOf(gfn) }));
    const bytes = (mfn: number) => new Uint8Array(w.view().buffer, w.core.frameHost(mfn), 4096);
    for (const { mfn } of pages) bytes(mfn).fill(0xff);
    expect(w.enable(0, 1)).toBe(0);
    const isPort = (at: number) => at % IOREQ_SIZE >= IOREQ_VP_EPORT && at % IOREQ_SIZE < IOREQ_VP_EPORT + 4;
    const left = pages.map(({ mfn }) => bytes(mfn).filter((byte, at) => byte !== 0 && !isPort(at)).length);
    expect(left).toEqual([0, 0]);
    expect(pages.map(({ gfn, mfn }) => w.core.frameGfn(mfn) === gfn)).toEqual([false, false]);
    expect(w.enable(0, 0)).toBe(0);
    expect(pages.map(({ gfn, mfn }) => w.core.frameGfn(mfn) === gfn)).toEqual([true, true]);
  });

  it("crashes the domain when the page is no longer there, and does not map it again", () => {
    w.core.setGuestParam(32, 0x10n);
    w.core.setGuestParam(33, 1n);
    w.create(0);
    expect(info(0, 0)).toBe(0);
    w.core.giveBack(0x10n);
    expect(w.enable(0, 1)).toBe(0);
    expect(w.core.crashReason()).toBe(CRASH_IOREQ_PAGE);
    expect(w.enable(0, 0)).toBe(0);
    expect(w.core.memType(0x10n)).toBe(P2M_MMIO_DM);
    expect(w.dm(6, (at) => at(0).u16(0))).toBe(0);
  });

  it("finds gfn 0 when nothing was set, as recorded on Xen 4.17", () => {
    w.create(1);
    expect(info(0, 0)).toBe(0);
    expect([w.out.u64(8), w.out.u64(16)]).toEqual([0n, 0n]);
  });

  it("hands out its pages as a resource", () => {
    expect(w.core.resource(0, 0, 1n)).toBe(-ENOENT);
    w.create(0);
    const mfn = w.core.resource(0, 0, 1n);
    expect(mfn).toBeGreaterThan(0);
    expect(w.core.resource(0, 0, 1n)).toBe(mfn);
    expect(w.core.resource(0, 0, 0n)).toBe(-ENOENT);
    for (const frame of [2n, ALL, 0x1_0000_0000n]) expect(w.core.resource(0, 0, frame)).toBe(-EINVAL);
    expect(w.core.resource(GUEST, 0, 1n)).toBe(-EPERM);
    expect(w.core.resource(0, 9, 1n)).toBe(-ENOENT);
    expect(info(0, 0)).toBe(-EPERM);
    expect(info(0, 1)).toBe(0);
    expect(w.core.frameRefs(mfn)).toBe(2);
    expect(w.dm(6, (at) => at(0).u16(0))).toBe(0);
    expect(w.core.frameRefs(mfn)).toBe(0);
  });
});

describe("ranges", () => {
  it("maps and unmaps, each row as recorded", () => {
    w.create(0);
    w.create(0);
    const M = IO_RANGE_MEMORY;
    expect(w.range(MAP, 0, M, 0xf0000000n, 0xf0000fffn)).toBe(0);
    expect(w.range(MAP, 0, M, 0xf0000000n, 0xf0000fffn)).toBe(-EEXIST);
    expect(w.range(MAP, 0, M, 0xf0000fffn, 0xf0001fffn)).toBe(-EEXIST);
    expect(w.range(MAP, 0, M, 0xf0001000n, 0xf0001fffn)).toBe(0);
    expect(w.range(MAP, 0, M, 0xf0005000n, 0xf0004fffn)).toBe(-EINVAL);
    expect(w.range(MAP, 0, M, 0xf0005000n, 0xf0005000n)).toBe(0);
    expect(w.range(MAP, 0, M, 0n, ALL)).toBe(-EEXIST);
    expect(w.range(MAP, 0, IO_RANGE_PORT, 0x500n, 0x50fn)).toBe(0);
    expect(w.range(MAP, 0, IO_RANGE_PORT, 0x10000n, 0x10001n)).toBe(0);
    expect(w.range(MAP, 0, IO_RANGE_PORT, 0x508n, 0x600n)).toBe(-EEXIST);
    expect(w.range(MAP, 0, IO_RANGE_PCI, 0x18n, 0x18n)).toBe(0);
    expect(w.range(MAP, 0, IO_RANGE_PCI, 0x18n, 0x18n)).toBe(-EEXIST);
    expect(w.range(MAP, 0, 3, 1n, 2n)).toBe(-EINVAL);
    expect(w.range(MAP, 0, 0xffffffff, 1n, 2n)).toBe(-EINVAL);
    expect(w.range(MAP, 5, M, 1n, 2n)).toBe(-ENOENT);
    expect(w.range(MAP, 5, 3, 2n, 1n)).toBe(-EINVAL);
    expect(w.dm(MAP, (at) => at(2).u16(1))).toBe(-EINVAL);
    expect(w.range(MAP, 1, M, 0xf0000000n, 0xf0000fffn)).toBe(0);
    expect(w.range(UNMAP, 0, M, 0xf0000800n, 0xf00017ffn)).toBe(0);
    expect(w.range(UNMAP, 0, M, 0xf0000800n, 0xf00017ffn)).toBe(-ENOENT);
    expect(w.range(UNMAP, 0, M, 0xf0000000n, 0xf0001fffn)).toBe(-ENOENT);
    expect(w.range(UNMAP, 0, M, 0xf00007ffn, 0xf0000800n)).toBe(-ENOENT);
    expect(w.range(UNMAP, 0, M, 0xf0000000n, 0xf00007ffn)).toBe(0);
    expect(w.range(UNMAP, 0, M, 0xf0001800n, 0xf0001fffn)).toBe(0);
    expect(w.range(UNMAP, 0, M, 0xf0005000n, 0xf0004000n)).toBe(-EINVAL);
    expect(w.range(UNMAP, 0, 3, 1n, 2n)).toBe(-EINVAL);
    expect(w.range(UNMAP, 5, M, 1n, 2n)).toBe(-ENOENT);
  });

  it("holds 256 of a type in each server", () => {
    w.create(0);
    const at = (i: number) => BigInt(i) * 0x100n;
    for (let i = 0; i < 256; i++) expect(w.range(MAP, 0, IO_RANGE_MEMORY, at(i), at(i) + 0x7fn)).toBe(0);
    expect(w.range(MAP, 0, IO_RANGE_MEMORY, at(300), at(300) + 1n)).toBe(-ENOMEM);
    expect(w.range(MAP, 0, IO_RANGE_MEMORY, 0x80n, 0xffn)).toBe(0); // joins two neighbours
    expect(w.range(UNMAP, 0, IO_RANGE_MEMORY, 0x210n, 0x220n)).toBe(0); // one more by splitting
    expect(w.range(UNMAP, 0, IO_RANGE_MEMORY, 0x310n, 0x320n)).toBe(-ENOMEM);
  });
});

describe("memory types", () => {
  it("changes them by the recorded rules", () => {
    expect(setMemType(0, 5n)).toBe(0);
    expect(setMemType(1, 5n)).toBe(0);
    expect(w.core.memType(5n)).toBe(P2M_RAM_RO);
    expect(setMemType(2, 5n)).toBe(0);
    expect(setMemType(2, 5n)).toBe(0);
    expect(setMemType(0, 5n)).toBe(-EINVAL);
    expect(setMemType(3, 6n)).toBe(-EINVAL);
    expect(setMemType(4, 6n)).toBe(-EINVAL); // no server has the type
    expect(setMemType(5, 6n)).toBe(-EINVAL);
    expect(setMemType(0xffff, 6n)).toBe(-EINVAL);
    expect(setMemType(0, 6n, 0)).toBe(-EINVAL);
    expect(setMemType(1, 0x20n, 64)).toBe(0);
    expect(setMemType(0, 0x20n, 64)).toBe(0);
    expect(setMemType(1, ALL - 15n, 32)).toBe(-EINVAL);
    expect(setMemType(1, 1n << 40n)).toBe(-EINVAL);
    expect(setMemType(1, 0n, 0xffffffff)).toBe(-EINVAL);
    expect(setMemType(1, 0n, 1, 1)).toBe(-EINVAL);
  });

  it("stops at the gfn that fails and keeps what was done", () => {
    expect(setMemType(2, 0x32n)).toBe(0);
    expect(setMemType(1, 0x30n, 5)).toBe(-EINVAL);
    expect([0x30n, 0x31n, 0x33n].map((g) => w.core.memType(g))).toEqual([P2M_RAM_RO, P2M_RAM_RO, P2M_RAM_RW]);
  });

  it("is preempted every 256 gfns", () => {
    expect(setMemType(1, 0n, 300)).toBe(-ERESTART);
    expect([w.out.u32(0), w.out.u64(8)]).toEqual([44, 256n]);
    expect(setMemType(1, 256n, 44)).toBe(0);
    expect(w.core.memType(299n)).toBe(P2M_RAM_RO);
  });

  it("gives the type to one server at a time", () => {
    w.create(0);
    w.create(0);
    expect(mapMemType(0, 0, 2)).toBe(-EINVAL);
    expect(mapMemType(0, 5, 2)).toBe(-EINVAL);
    expect(mapMemType(0, 4, 1)).toBe(-EINVAL);
    expect(mapMemType(0, 4, 3)).toBe(-EINVAL);
    expect(mapMemType(0, 4, 4)).toBe(-EINVAL);
    expect(mapMemType(0, 4, 0)).toBe(-EINVAL);
    expect(mapMemType(6, 4, 2)).toBe(-ENOENT);
    expect(mapMemType(6, 5, 2)).toBe(-EINVAL);
    expect(mapMemType(0, 4, 2)).toBe(0);
    expect(mapMemType(0, 4, 2)).toBe(-EBUSY);
    expect(mapMemType(1, 4, 2)).toBe(-EBUSY);
    expect(mapMemType(1, 4, 0)).toBe(-EINVAL);
    expect(mapMemType(0, 4, 0)).toBe(0);
    expect(mapMemType(0, 4, 0)).toBe(-EINVAL);
    expect(mapMemType(1, 4, 2)).toBe(0);
  });

  it("asks for no type, flags or server of a call that says it goes on, and takes nothing away", () => {
    const goOn = (id: number, type: number, flags: number, opaque: bigint) =>
      w.dm(15, (at) => {
        at(0).u16(id);
        at(2).u16(type);
        at(4).u32(flags);
        at(8).u64(opaque);
      });
    w.create(0);
    mapMemType(0, 4, 2);
    expect(setMemType(4, 0x20n, 4)).toBe(0);
    for (const opaque of [1n, 256n, 1n << 36n, (1n << 64n) - 1n])
      expect([goOn(0, 4, 0, opaque), goOn(6, 5, 0, opaque), goOn(0, 4, 0xffff_ffff, opaque)]).toEqual([0, 0, 0]);
    expect([w.core.memType(0x20n), w.core.typedPages()]).toEqual([P2M_IOREQ_SERVER, 4]);
  });

  it("allows only ram_rw to become the type, and back", () => {
    w.create(0);
    mapMemType(0, 4, 2);
    expect(setMemType(4, 0x20n, 4)).toBe(0);
    expect(w.core.memType(0x20n)).toBe(P2M_IOREQ_SERVER);
    expect(w.core.typedPages()).toBe(4);
    expect(setMemType(4, 0x20n)).toBe(-EINVAL);
    expect(setMemType(1, 0x20n)).toBe(-EINVAL);
    expect(setMemType(2, 0x20n)).toBe(-EINVAL);
    expect(setMemType(0, 0x20n)).toBe(0);
    expect(setMemType(1, 0x28n)).toBe(0);
    expect(setMemType(4, 0x28n)).toBe(-EINVAL);
  });

  it("turns the pages back into RAM when the server lets go, and can be mapped again", () => {
    w.create(0);
    mapMemType(0, 4, 2);
    expect(setMemType(4, 0x20n, 3)).toBe(0);
    expect(setMemType(4, 290n, 2)).toBe(0);
    expect(mapMemType(0, 4, 0)).toBe(0); // the first page repaired brings its table of 512 with it
    expect(w.core.typedPages()).toBe(0);
    expect(w.core.memType(0x21n)).toBe(P2M_RAM_RW);
    expect(mapMemType(0, 4, 2)).toBe(0);
  });

  it("keeps the pages when the server is destroyed (S-1)", () => {
    w.create(0);
    mapMemType(0, 4, 2);
    expect(setMemType(4, 0x20n, 2)).toBe(0);
    expect(w.dm(6, (at) => at(0).u16(0))).toBe(0);
    expect(w.core.memType(0x20n)).toBe(P2M_IOREQ_SERVER);
    w.create(0);
    expect(mapMemType(0, 4, 2)).toBe(-EBUSY);
    expect(setMemType(4, 0x30n)).toBe(-EINVAL);
    expect(setMemType(0, 0x20n)).toBe(0);
    expect(mapMemType(0, 4, 2)).toBe(-EBUSY);
    expect(setMemType(0, 0x21n)).toBe(0);
    expect(mapMemType(0, 4, 2)).toBe(0);
  });
});

describe("the rest", () => {
  const inject = (vcpu: number, vector: number, type: number, pads: [number, number] = [0, 0]) =>
    w.dm(13, (at) => {
      at(0).u32(vcpu);
      at(4).u8(vector);
      at(5).u8(type);
      at(7).u8(pads[0]);
      at(8).u32(0x18);
      at(12).u32(pads[1]);
    });

  it("queues one event for a vCPU", () => {
    expect(inject(2, 13, 3)).toBe(-EINVAL);
    expect(inject(0, 13, 3, [1, 0])).toBe(-EINVAL);
    expect(inject(0, 13, 3, [0, 1])).toBe(-EINVAL);
    expect(inject(0, 13, 1)).toBe(-EINVAL);
    expect(inject(0, 13, 7)).toBe(-EINVAL);
    expect(inject(0, 13, 255)).toBe(-EINVAL);
    expect(inject(0, 13, 3)).toBe(0);
    expect(w.core.injectEvent(0) >>> 0).toBe(0x80000b0d);
    expect(inject(0, 14, 3)).toBe(-EBUSY);
    expect(inject(1, 14, 3)).toBe(0);
  });

  it("has nothing to mark without log-dirty mode", () => {
    expect(w.dm(11)).toBe(-EINVAL);
    expect(w.dm(11, undefined, 32, 2)).toBe(0);
  });

  it("shuts the domain down", () => {
    expect(w.dm(16, (at) => at(0).u32(1))).toBe(0);
    expect(w.core.isShuttingDown()).toBe(1);
  });
});
