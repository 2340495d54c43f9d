/** Virtual NUMA topologies: what the toolstack gives, the domain and its toolstack get; refusals; the frame goes with the domain. */
import { beforeEach, expect, it } from "vitest";
import { DOMCTL_SETVNUMAINFO } from "../../hv-core/abi/domctl.ts";
import { EFAULT, EINVAL, ENOBUFS, ENOMEM, EOPNOTSUPP, EPERM, ESRCH } from "../../hv-core/abi/errno.ts";
import { DOMCTL_DESTROYDOMAIN, DOMID_SELF, HC_MEMORY_OP, XENMEM_GET_VNUMAINFO } from "../../hv-core/abi/hypercalls.ts";
import { makeCaller } from "./caller.ts";
import { ARG, type Door, type Field, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const VCPUS = LIST + 0x100;
const PNODES = LIST + 0x200;
const RANGES = LIST + 0x300;
const ANY_NODE = 0xffff_ffff;

let door: Door;
let domid: number;
beforeEach(() => {
  door = openDoor();
  domid = door.createDomain({ vcpus: 2 });
});

/** Two nodes, one vCPU and one range each. */
function set(extra: readonly Field[] = [], id = domid, pnode = ANY_NODE): number {
  door.put(LIST, 4096, [
    ...[10, 20, 20, 10].map((distance, i): Field => [i * 4, 4, distance]),
    [0x104, 4, 1],
    [0x200, 4, 0],
    [0x204, 4, pnode],
    [0x308, 8, 0x10_0000],
    [0x318, 8, 0x10_0000],
    [0x320, 8, 0x20_0000],
    [0x32c, 4, 1],
  ]);
  const fields: Field[] = [
    [0, 4, 2],
    [4, 4, 2],
    [8, 4, 2],
    [16, 8, LIST],
    [24, 8, VCPUS],
    [32, 8, PNODES],
    [40, 8, RANGES],
  ];
  return door.domctl(DOMCTL_SETVNUMAINFO, id, [...fields, ...extra]);
}

function get(id = domid, extra: readonly Field[] = []): number {
  const fields: Field[] = [
    [0, 2, id],
    [4, 4, 2],
    [8, 4, 2],
    [12, 4, 2],
    [16, 8, OUT],
    [24, 8, OUT + 0x100],
    [32, 8, OUT + 0x200],
  ];
  return door.call(HC_MEMORY_OP, XENMEM_GET_VNUMAINFO, door.put(ARG, 40, [...fields, ...extra]));
}

it("comes back as it was given", () => {
  expect(get()).toBe(-EOPNOTSUPP);
  expect(set()).toBe(0);
  expect(get()).toBe(0);
  expect([0, 4, 8, 12].map((o) => door.u32(OUT + o))).toEqual([10, 20, 20, 10]);
  expect([0, 4].map((o) => door.u32(OUT + 0x100 + o))).toEqual([0, 1]);
  expect([0, 8, 24, 32].map((o) => door.u64(OUT + 0x200 + o))).toEqual([0n, 0x10_0000n, 0x10_0000n, 0x20_0000n]);
});

it("too little room: ENOBUFS, and how much it takes", () => {
  set();
  expect(get(domid, [[4, 4, 1]])).toBe(-ENOBUFS);
  expect([4, 8, 12].map((o) => door.u32(ARG + o))).toEqual([2, 2, 2]);
  expect(get(domid, [[12, 4, 0]])).toBe(-ENOBUFS);
});

it("refusals of get_vnumainfo", () => {
  set();
  expect(get(0x7000)).toBe(-ESRCH);
  expect(get(domid, [[2, 2, 1]])).toBe(-EINVAL);
  expect(get(domid, [[16, 8, NOWHERE]])).toBe(-EFAULT);
  expect(get(domid, [[32, 8, NOWHERE]])).toBe(-EFAULT);
  expect(door.call(HC_MEMORY_OP, XENMEM_GET_VNUMAINFO, NOWHERE)).toBe(-EFAULT);
  expect(door.call(HC_MEMORY_OP, XENMEM_GET_VNUMAINFO | (1 << 6), ARG)).toBe(-EINVAL);
});

it("a domain asks about itself, and about nobody else", () => {
  const guest = makeCaller(door);
  set();
  const ask = (id: number): number => {
    return guest.memoryOp(XENMEM_GET_VNUMAINFO, [
      [0, 2, id],
      [4, 4, 2],
    ]);
  };
  expect(ask(DOMID_SELF)).toBe(-EOPNOTSUPP);
  expect(ask(domid)).toBe(-EPERM);
});

it("refusals of setvnumainfo; what was there stays", () => {
  set();
  expect(set([[0, 4, 0]])).toBe(-EINVAL);
  expect(set([[4, 4, 0]])).toBe(-EINVAL);
  expect(set([[8, 4, 3]])).toBe(-EINVAL); // the domain has two
  expect(set([[12, 4, 1]])).toBe(-EINVAL);
  expect(set([], domid, 1)).toBe(-EINVAL); // the machine has one node
  expect(set([[0, 4, 9]])).toBe(-ENOMEM);
  for (const handle of [16, 24, 32, 40]) expect(set([[handle, 8, NOWHERE]])).toBe(-EFAULT);
  expect(set([], 0x7000)).toBe(-ESRCH);
  expect(get()).toBe(0);
});

it("takes one frame, however often, and gives it back", () => {
  const frames = door.freeFrames();
  for (let i = 0; i < 5; i++) expect(set()).toBe(0);
  expect(set([[40, 8, NOWHERE]])).toBe(-EFAULT);
  expect(door.freeFrames()).toBe(frames - 1);
  door.domctl(DOMCTL_DESTROYDOMAIN, domid);
  expect(door.freeFrames()).toBeGreaterThan(frames);
});
