/** sysctl: the envelope, and the list of domains (rows V1312..V1334 of the recorded Xen). */
import { beforeEach, expect, it } from "vitest";
import { EACCES, EFAULT, ENOSYS, EPERM } from "../../hv-core/abi/errno.ts";
import { DOMCTL_GETDOMAININFO, HC_SYSCTL } from "../../hv-core/abi/hypercalls.ts";
import { SYSCTL_GETDOMAININFOLIST, SYSCTL_INTERFACE_VERSION_4_17 } from "../../hv-core/abi/sysctl.ts";
import { makeCaller } from "./caller.ts";
import { ARG, type Door, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const INFO = 112;
let door: Door;
beforeEach(() => {
  door = openDoor();
});

function list(
  first: number,
  most: number,
  at = LIST,
  cmd = SYSCTL_GETDOMAININFOLIST,
  version = SYSCTL_INTERFACE_VERSION_4_17,
) {
  const arg = door.put(ARG, 136, [
    [0, 4, cmd],
    [4, 4, version],
    [8, 2, first],
    [12, 4, most],
    [16, 8, at],
  ]);
  return door.call(HC_SYSCTL, arg);
}
const count = (): number => door.u32(ARG + 24);

it("V1312..V1321 version, pointer, unknown commands; only for a control domain", () => {
  for (const version of [0, 0x14, 0x16, 0x18, 0xffff_ffff]) expect(list(0, 1, LIST, 3, version)).toBe(-EACCES);
  expect(list(0, 1, LIST, 999, 1)).toBe(-EACCES);
  expect(list(0, 1, LIST, 999)).toBe(-ENOSYS);
  expect(door.call(HC_SYSCTL, NOWHERE)).toBe(-EFAULT);
  const guest = makeCaller(door);
  expect(guest.domctl(0, 0)).toBe(-EPERM); // leaves {0, version 0x15} in its page
  expect(guest.call(HC_SYSCTL, 0x2000)).toBe(-EPERM);
});

it("V1333 as many as there is room for, in order, each as getdomaininfo says it", () => {
  const ids = [door.createDomain({ domid: 900 }), door.createDomain({ domid: 40 })];
  expect(list(0, 2)).toBe(0);
  expect([count(), door.u16(LIST), door.u16(LIST + INFO)]).toEqual([2, 0, 40]);
  expect(list(41, 10)).toBe(0);
  expect([count(), door.u16(LIST)]).toEqual([1, 900]);
  expect(list(901, 10)).toBe(0);
  expect(count()).toBe(0);
  expect(list(0, 10)).toBe(0);
  expect(count()).toBe(3);
  const listed = Array.from({ length: INFO }, (_, i) => door.view.getUint8(door.at(LIST + INFO + i)));
  door.domctl(DOMCTL_GETDOMAININFO, ids[1]!);
  const asked = Array.from({ length: INFO }, (_, i) => door.view.getUint8(door.at(ARG + 16 + i)));
  expect(listed).toEqual(asked);
});

it("V1334 a list that cannot be written", () => {
  expect(list(0, 2, NOWHERE)).toBe(-EFAULT);
  door.put(OUT, 4096, []);
  expect(list(0, 0, NOWHERE)).toBe(0);
});
