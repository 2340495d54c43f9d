/** CPU policies: what a toolstack sets is what the guest's CPUID answers; what is wrong is named, and nothing of it counts. */
import { beforeEach, describe, expect, it } from "vitest";
import { DOMCTL_GET_CPU_POLICY, DOMCTL_SET_CPU_POLICY, DOMCTL_SET_CPUID } from "../../hv-core/abi/domctl.ts";
import { E2BIG, EEXIST, EFAULT, EINVAL, ENOBUFS, ENOENT, EOVERFLOW, EPERM, ERANGE } from "../../hv-core/abi/errno.ts";
import { DOMCTL_ERA_0A, KNOB_DOMCTL_ERA } from "../../hv-core/abi/knobs.ts";
import { makeCaller } from "./caller.ts";
import { type Door, type Field, LIST, NOWHERE, OUT, openDoor } from "./door.ts";

const NO_SUBLEAF = 0xffff_ffff;
const MSR_PLATFORM_INFO = 0xce;
const MSR_ARCH_CAPABILITIES = 0x10a;

let door: Door;
beforeEach(() => {
  door = openDoor();
});

type Leaf = readonly [leaf: number, subleaf: number, ...words: number[]];
type Msr = readonly [index: number, flags: number, value: bigint];

/** get_cpu_policy or set_cpu_policy with these lists. */
function policy(
  cmd: number,
  domid: number,
  leaves: readonly Leaf[],
  msrs: readonly Msr[] = [],
  extra: Field[] = [],
): number {
  door.put(
    LIST,
    4096,
    leaves.flatMap((leaf, i) => leaf.map((word, j): Field => [i * 24 + j * 4, 4, word])),
  );
  door.put(
    OUT,
    4096,
    msrs.flatMap(([index, flags, value], i): Field[] => [
      [i * 16, 4, index],
      [i * 16 + 4, 4, flags],
      [i * 16 + 8, 8, value],
    ]),
  );
  return door.domctl(cmd, domid, [[0, 4, leaves.length], [4, 4, msrs.length], [8, 8, LIST], [16, 8, OUT], ...extra]);
}
const set = (domid: number, leaves: readonly Leaf[], msrs: readonly Msr[] = [], extra: Field[] = []): number =>
  policy(DOMCTL_SET_CPU_POLICY, domid, leaves, msrs, extra);
/** err_leaf, err_subleaf, err_msr of the last call. */
const wrong = (): number[] => [24, 28, 32].map((offset) => door.result32(offset));

describe("what the guest sees", () => {
  it("a leaf that was set: names and numbers as they are, features only as far as they work", () => {
    const guest = makeCaller(door);
    const before = guest.cpuid(1);
    door = openDoor();
    const other = makeCaller(door);
    expect(set(other.domid, [[1, NO_SUBLEAF, 0x0010_06f0, 0, 0xffff_ffff, 0xffff_ffff]])).toBe(0);
    const after = other.cpuid(1);
    expect(after[0]).toBe(0x0010_06f0); // family and model
    expect(after[2]).toBe(before[2]); // every feature asked for, none that is not there
    expect(after[3]).toBe(before[3]);
  });

  it("a feature that was taken away", () => {
    const guest = makeCaller(door);
    const CMOV = 1 << 15;
    expect(set(guest.domid, [[1, NO_SUBLEAF, 0, 0, 0, 0xffff_ffff & ~CMOV]])).toBe(0);
    expect(guest.cpuid(1)[3] & CMOV).toBe(0);
  });

  it("vendor and brand string", () => {
    const guest = makeCaller(door);
    const vendor = [0x756e_6547, 0x6c65_746e, 0x4965_6e69]; // "GenuineIntel", in the order ebx, ecx, edx
    expect(
      set(guest.domid, [
        [0, NO_SUBLEAF, 0xd, ...vendor],
        [0x8000_0004, NO_SUBLEAF, 0x2041, 0, 0, 0],
      ]),
    ).toBe(0);
    expect(guest.cpuid(0)).toEqual([0xd, ...vendor]);
    expect(guest.cpuid(0x8000_0004)[0]).toBe(0x2041);
  });

  it("narrower addresses", () => {
    const guest = makeCaller(door);
    expect(set(guest.domid, [[0x8000_0008, NO_SUBLEAF, 36, 0, 0, 0]])).toBe(0);
    expect(guest.cpuid(0x8000_0008)[0] & 255).toBe(36);
  });

  it("leaves of the hypervisor cannot be set to anything", () => {
    const guest = makeCaller(door);
    const before = guest.cpuid(0x4000_0000);
    door = openDoor();
    const other = makeCaller(door);
    expect(set(other.domid, [[0x4000_0001, NO_SUBLEAF, 1, 1, 1, 1]])).toBe(-ERANGE);
    expect(other.cpuid(0x4000_0000)).toEqual(before);
  });
});

describe("set_cpu_policy refuses", () => {
  it.each([
    ["a leaf that does not exist", [[0xe, NO_SUBLEAF]], [], -ERANGE, [0xe, NO_SUBLEAF, NO_SUBLEAF]],
    ["a subleaf that does not exist", [[7, 3]], [], -ERANGE, [7, 3, NO_SUBLEAF]],
    ["a subleaf where there are none", [[1, 0]], [], -ERANGE, [1, 0, NO_SUBLEAF]],
    ["more leaves than the machine has", [[0, NO_SUBLEAF, 0xff]], [], -EINVAL, [0, NO_SUBLEAF, NO_SUBLEAF]],
    [
      "more extended leaves",
      [[0x8000_0000, NO_SUBLEAF, 0x8000_00ff]],
      [],
      -EINVAL,
      [0x8000_0000, NO_SUBLEAF, NO_SUBLEAF],
    ],
    ["wider addresses", [[0x8000_0008, NO_SUBLEAF, 48]], [], -EINVAL, [0x8000_0008, NO_SUBLEAF, NO_SUBLEAF]],
    ["a MSR that is none of a policy", [], [[0x10, 0, 0n]], -ERANGE, [NO_SUBLEAF, NO_SUBLEAF, 0x10]],
    ["flags of a MSR", [], [[MSR_PLATFORM_INFO, 1, 0n]], -EINVAL, [NO_SUBLEAF, NO_SUBLEAF, MSR_PLATFORM_INFO]],
    [
      "a MSR of 64 bits",
      [],
      [[MSR_PLATFORM_INFO, 0, 1n << 32n]],
      -EOVERFLOW,
      [NO_SUBLEAF, NO_SUBLEAF, MSR_PLATFORM_INFO],
    ],
    [
      "bits of a MSR that do nothing here",
      [],
      [[MSR_ARCH_CAPABILITIES, 0, 1n]],
      -EINVAL,
      [NO_SUBLEAF, NO_SUBLEAF, MSR_ARCH_CAPABILITIES],
    ],
  ] as [string, Leaf[], Msr[], number, number[]][])("%s, and says where", (_, leaves, msrs, error, where) => {
    const domid = door.createDomain();
    expect(set(domid, leaves, msrs)).toBe(error);
    expect(wrong()).toEqual(where);
  });

  it("lists that are too long, or cannot be read", () => {
    const domid = door.createDomain();
    expect(set(domid, [], [], [[0, 4, 121]])).toBe(-E2BIG);
    expect(set(domid, [], [], [[4, 4, 3]])).toBe(-E2BIG);
    expect(set(domid, [[1, NO_SUBLEAF]], [], [[8, 8, NOWHERE]])).toBe(-EFAULT);
    expect(set(domid, [], [[MSR_PLATFORM_INFO, 0, 0n]], [[16, 8, NOWHERE]])).toBe(-EFAULT);
  });

  it("the caller itself, a domain that has run, and strangers", () => {
    const guest = makeCaller(door);
    expect(set(0, [])).toBe(-EINVAL);
    const victim = door.createDomain();
    expect(guest.domctl(DOMCTL_SET_CPU_POLICY, victim)).toBe(-EPERM);
    expect(set(victim, [])).toBe(0);
    expect(set(guest.domid, [])).toBe(-EEXIST); // it ran to make that call
  });

  it("as a whole: one wrong leaf, and none counts", () => {
    const guest = makeCaller(door);
    const leaves: Leaf[] = [
      [0x8000_0004, NO_SUBLEAF, 0x4141],
      [0x1f, NO_SUBLEAF],
    ];
    expect(set(guest.domid, leaves)).toBe(-ERANGE);
    expect(guest.cpuid(0x8000_0004)[0]).toBe(0);
  });
});

describe("get_cpu_policy", () => {
  const get = (domid: number, fields: Field[]): number => door.domctl(DOMCTL_GET_CPU_POLICY, domid, fields);

  it("asks for room without handles, and refuses less", () => {
    const domid = door.createDomain();
    expect(get(domid, [])).toBe(0);
    expect([door.result32(0), door.result32(4)]).toEqual([120, 2]);
    expect(
      get(domid, [
        [0, 4, 1],
        [8, 8, LIST],
      ]),
    ).toBe(-ENOBUFS);
    expect(
      get(domid, [
        [4, 4, 1],
        [16, 8, LIST],
      ]),
    ).toBe(-ENOBUFS);
    expect(
      get(domid, [
        [0, 4, 120],
        [8, 8, NOWHERE],
      ]),
    ).toBe(-EFAULT);
  });

  it("gives back what was set, once", () => {
    const domid = door.createDomain();
    expect(set(domid, [[0x8000_0004, NO_SUBLEAF, 0x4141, 1, 2, 3]])).toBe(0);
    door.put(LIST, 4096, []);
    expect(
      get(domid, [
        [0, 4, 120],
        [8, 8, LIST],
        [4, 4, 2],
        [16, 8, OUT],
      ]),
    ).toBe(0);
    const count = door.result32(0);
    const leaves = Array.from({ length: count }, (_, i) => [0, 4, 8].map((o) => door.u32(LIST + i * 24 + o)));
    expect(leaves.filter(([leaf]) => leaf === 0x8000_0004)).toEqual([[0x8000_0004, NO_SUBLEAF, 0x4141]]);
    expect(new Set(leaves.map(([leaf, subleaf]) => `${leaf}:${subleaf}`)).size).toBe(count);
    expect([door.u32(OUT), door.u32(OUT + 16)]).toEqual([MSR_PLATFORM_INFO, MSR_ARCH_CAPABILITIES]);
    expect(set(door.createDomain(), leaves as unknown as Leaf[])).toBe(0);
  });
});

describe("set_cpuid of 2014", () => {
  beforeEach(() => {
    door = openDoor(4096, [[KNOB_DOMCTL_ERA, DOMCTL_ERA_0A]]);
  });
  const setCpuid = (domid: number, leaf: number, eax: number, subleaf = NO_SUBLEAF): number =>
    door.domctl(DOMCTL_SET_CPUID, domid, [
      [0, 4, leaf],
      [4, 4, subleaf],
      [8, 4, eax],
    ]);

  it("changes the next CPUID of a domain that runs", () => {
    const guest = makeCaller(door);
    expect(guest.cpuid(0x8000_0004)[0]).toBe(0);
    expect(setCpuid(guest.domid, 0x8000_0004, 0x4242)).toBe(0);
    expect(guest.cpuid(0x8000_0004)[0]).toBe(0x4242);
    expect(setCpuid(guest.domid, 0x8000_0004, 0x4343)).toBe(0);
    expect(guest.cpuid(0x8000_0004)[0]).toBe(0x4343);
  });

  it("has room for forty entries; one that is there can still be changed", () => {
    const guest = makeCaller(door);
    for (let i = 0; i < 40; i++) expect(setCpuid(guest.domid, i, i)).toBe(0);
    expect(setCpuid(guest.domid, 40, 0)).toBe(-ENOENT);
    expect(setCpuid(guest.domid, 39, 7)).toBe(0);
  });
});
