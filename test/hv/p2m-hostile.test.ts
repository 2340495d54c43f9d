/**
 * Every hypercall that changes a p2m, with arguments from a list of nasty ones, in random order: no trap, no invariant of spec 01
 * section 1.10 broken after any of them, and no frame lost when the domain goes.
 */
import { expect, it } from "vitest";
import {
  DMOP_CREATE_IOREQ_SERVER,
  DMOP_DESTROY_IOREQ_SERVER,
  DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER,
  DMOP_MODIFIED_MEMORY,
  DMOP_SET_MEM_TYPE,
  DMOP_TRACK_DIRTY_VRAM,
  DOMCTL_DESTROYDOMAIN,
  DOMCTL_SET_PAGING_MEMPOOL_SIZE,
  DOMCTL_SHADOW_OP,
  HC_DM_OP,
  HC_MEMORY_OP,
  XENMEM_ADD_TO_PHYSMAP,
  XENMEM_ADD_TO_PHYSMAP_BATCH,
  XENMEM_DECREASE_RESERVATION,
  XENMEM_POPULATE_PHYSMAP,
  XENMEM_REMOVE_FROM_PHYSMAP,
  XENMEM_SET_POD_TARGET,
} from "../../hv-core/abi/hypercalls.ts";
import { ARG, type Door, type Field, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

/** S-1: pages that keep the ioreq_server type after their server was destroyed. */
const P11 = 1 << 10;
const ALL = 2n ** 64n - 1n;

function generator(seed: number) {
  let state = seed;
  return (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
}

function attack(door: Door, domid: number, random: (below: number) => number): void {
  const pick = <T>(...from: readonly T[]): T => from[random(from.length)]!;
  const gfn = (): bigint =>
    pick<bigint>(
      BigInt(random(1200)),
      BigInt(random(1200)),
      BigInt(random(1200)),
      BigInt(random(0x800) * 512),
      2n ** 36n - BigInt(random(3)),
      ALL - BigInt(random(600)),
    );
  const count = (): number => pick(0, 1, 1, 2, 7, 64, 300, 513, 0xffff_ffff);
  const buffer = (): number => pick(OUT, OUT, OUT, LIST, NOWHERE, 8, 0);

  const shadow = (): number =>
    door.domctl(DOMCTL_SHADOW_OP, domid, [
      [0, 4, pick(0, 2, 2, 11, 11, 12, 30, 31, 32, 99)],
      [4, 4, pick(0, 0, 1, 4, 7)],
      [8, 4, pick(0, 1, 4, 0xffff_ffff)],
      [16, 8, buffer()],
      [24, 8, pick<number | bigint>(0, 5, 1024, 40_000, ALL)],
    ]);
  const dmOp = (op: number, fields: readonly Field[]): number => {
    door.put(LIST, 32, [
      [0, 4, pick(1, 3, 600)],
      [8, 8, gfn()],
      [16, 4, pick(1, 0, 64)],
      [24, 8, gfn()],
    ]);
    door.put(ARG + 256, 40, [[0, 4, op], ...fields.map(([at, bytes, value]): Field => [at + 8, bytes, value])]);
    door.put(ARG, 32, [
      [0, 8, ARG + 256],
      [8, 8, 40],
      [16, 8, op === DMOP_MODIFIED_MEMORY ? LIST : buffer()],
      [24, 8, pick(32, 4096, 1, 40_000)],
    ]);
    return door.call(HC_DM_OP, domid, 2, ARG);
  };
  const reservation = (op: number): number => {
    door.put(LIST, 32, [
      [0, 8, gfn()],
      [8, 8, gfn()],
      [16, 8, gfn()],
    ]);
    door.put(ARG, 32, [
      [0, 8, LIST],
      [8, 8, pick(1, 1, 3)],
      [16, 4, pick(0, 0, 0, 1, 4, 9, 10, 18)],
      [20, 4, pick(0, 0, 1 << 16)],
      [24, 2, domid],
    ]);
    return door.call(HC_MEMORY_OP, op, ARG);
  };
  const foreign = (): number => {
    door.put(LIST, 16, [
      [0, 8, gfn()],
      [8, 8, 0x9000 + random(64)],
    ]);
    door.put(ARG, 32, [
      [0, 2, 0x7ff0],
      [2, 2, 4],
      [4, 2, 1],
      [6, 2, domid],
      [8, 8, LIST],
      [16, 8, LIST + 8],
      [24, 8, OUT],
    ]);
    return door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP_BATCH, ARG);
  };
  const pair = (op: number, fields: readonly Field[]): number => door.call(HC_MEMORY_OP, op, door.put(ARG, 40, fields));

  switch (random(14)) {
    case 0:
    case 1:
      shadow();
      break;
    case 2:
      dmOp(DMOP_TRACK_DIRTY_VRAM, [
        [0, 4, count()],
        [8, 8, gfn()],
      ]);
      break;
    case 3:
      dmOp(DMOP_MODIFIED_MEMORY, [
        [0, 4, pick(0, 1, 2, 0xffff_ffff)],
        [4, 4, pick(0, 0, 5)],
      ]);
      break;
    case 4:
    case 5:
      dmOp(DMOP_SET_MEM_TYPE, [
        [0, 4, pick(1, 1, 7, 300, 0)],
        [4, 2, pick(0, 1, 2, 3, 4, 4, 9)],
        [8, 8, gfn()],
      ]);
      break;
    case 6:
      dmOp(DMOP_MAP_MEM_TYPE_TO_IOREQ_SERVER, [
        [0, 2, pick(0, 0, 1)],
        [2, 2, 4],
        [4, 4, pick(0, 2, 2, 1)],
      ]);
      break;
    case 7:
      dmOp(pick(DMOP_CREATE_IOREQ_SERVER, DMOP_CREATE_IOREQ_SERVER, DMOP_DESTROY_IOREQ_SERVER), []);
      break;
    case 8:
      reservation(XENMEM_POPULATE_PHYSMAP);
      break;
    case 9:
      reservation(XENMEM_DECREASE_RESERVATION);
      break;
    case 10:
      pair(XENMEM_SET_POD_TARGET, [
        [0, 8, pick<number | bigint>(0, 5, 600, 2048, ALL)],
        [32, 2, domid],
      ]);
      break;
    case 11:
      foreign();
      break;
    case 12:
      pair(XENMEM_REMOVE_FROM_PHYSMAP, [
        [0, 2, pick(domid, 0x7ff0)],
        [8, 8, pick<number | bigint>(0x9000 + random(64), gfn())],
      ]);
      break;
    default:
      if (random(3) > 0)
        pair(XENMEM_ADD_TO_PHYSMAP, [
          [0, 2, domid],
          [4, 4, pick(0, 2)],
          [8, 8, pick<number | bigint>(0, gfn())],
          [16, 8, gfn()],
        ]);
      else door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, domid, [[0, 8, pick(0, 64, 512, 1024) * 4096]]);
  }
}

it.each([1, 2, 3, 4, 5])("seed %i", (seed) => {
  const door = openDoor(8192);
  const random = generator(seed);
  const free = door.freeFrames();
  for (let life = 0; life < 4; life++) {
    const domid = door.createDomain({ pages: 2048 });
    door.domctl(DOMCTL_SET_PAGING_MEMPOOL_SIZE, domid, [[0, 8, 1024 * 4096]]);
    door.populate(domid, [0, 512], 9);
    for (let step = 0; step < 250; step++) {
      attack(door, domid, random);
      const broken = door.core.p2mInvariants(domid) >>> 0;
      expect([life, step, broken & ~P11]).toEqual([life, step, 0]);
    }
    for (let at = 0; at < 64; at++)
      door.call(
        HC_MEMORY_OP,
        XENMEM_REMOVE_FROM_PHYSMAP,
        door.put(ARG, 16, [
          [0, 2, 0x7ff0],
          [8, 8, 0x9000 + at],
        ]),
      );
    expect(door.domctl(DOMCTL_DESTROYDOMAIN, domid)).toBe(0);
  }
  // dom0 keeps the tables of its window.
  expect(free - door.freeFrames()).toBeLessThanOrEqual(3);
});
