/** getvcpuextstate and setvcpuextstate: every errno, the layout, and that what is set is what is got. */
import { beforeEach, describe, expect, it } from "vitest";
import { DOMCTL_GETVCPUEXTSTATE, DOMCTL_SETVCPUCONTEXT, DOMCTL_SETVCPUEXTSTATE } from "../../hv-core/abi/domctl.ts";
import { EFAULT, EINVAL, EOPNOTSUPP, ESRCH } from "../../hv-core/abi/errno.ts";
import { KNOB_XSETBV } from "../../hv-core/abi/knobs.ts";
import {
  XSTATE_ALL,
  XSTATE_BV,
  XSTATE_MAX_SIZE,
  XSTATE_PREFIX_SIZE,
  XSTATE_RESERVED,
  XSTATE_SSE,
  XSTATE_X87,
  XSTATE_XCOMP_BV,
} from "../../hv-core/abi/xstate.ts";
import { type Door, NOWHERE, OUT, openDoor } from "./door.ts";

let door: Door;
let d: number;
beforeEach(() => {
  door = openDoor(4096, [[KNOB_XSETBV, 1]]);
  d = door.createDomain({ vcpus: 2 });
});

interface Call {
  readonly vcpu?: number;
  readonly mask?: number;
  readonly size?: number;
  readonly buffer?: number;
}
const call =
  (cmd: number) =>
  ({ vcpu = 0, mask = XSTATE_ALL, size = XSTATE_MAX_SIZE, buffer = OUT }: Call = {}, domid = d) =>
    door.domctl(cmd, domid, [
      [0, 4, vcpu],
      [8, 8, mask],
      [16, 8, size],
      [24, 8, buffer],
    ]);
const get = call(DOMCTL_GETVCPUEXTSTATE);
const set = call(DOMCTL_SETVCPUEXTSTATE);
const AREA = OUT + XSTATE_PREFIX_SIZE;
/** A legal buffer of full size: both components in use. */
function fill(xcr0 = XSTATE_ALL, accumulated = XSTATE_ALL): void {
  door.put(OUT, 4096, [
    [0, 8, xcr0],
    [8, 8, accumulated],
    [XSTATE_PREFIX_SIZE + 160, 8, 0x1122334455667788n],
    [XSTATE_PREFIX_SIZE + XSTATE_BV, 8, accumulated],
  ]);
}

describe("getvcpuextstate", () => {
  it("V345 without a buffer, or with neither size nor mask, tells the largest size", () => {
    for (const question of [{ buffer: 0 }, { size: 0, mask: 0 }]) {
      expect(get(question)).toBe(0);
      expect([door.result64(8), door.result64(16)]).toEqual([3n, 592n]);
    }
  });

  it("V346, V347 -ESRCH for no vCPU, -EINVAL for the caller's own domain", () => {
    expect(get({ vcpu: 2 })).toBe(-ESRCH);
    expect(get({ vcpu: 0xffffffff })).toBe(-ESRCH);
    expect(get({}, 0)).toBe(-EINVAL);
  });

  it("a vCPU that never set XCR0 has two words of zero, and no area", () => {
    door.view.setUint32(door.at(AREA), 0xabababab, true);
    expect(get()).toBe(0);
    expect([door.result64(16), door.u64(OUT), door.u64(OUT + 8)]).toEqual([16n, 0n, 0n]);
    expect(door.u32(AREA)).toBe(0xabababab);
  });

  it("-EINVAL for other features, -EFAULT for a buffer that is nowhere", () => {
    expect(get({ mask: 7 })).toBe(-EINVAL);
    expect(get({ size: 15 })).toBe(-EINVAL);
    expect(get({ buffer: NOWHERE })).toBe(-EFAULT);
  });
});

describe("setvcpuextstate", () => {
  it("V348 sizes that cannot be: -EINVAL", () => {
    fill();
    for (const size of [0, 15, 17, 591, 593]) expect(set({ size })).toBe(-EINVAL);
    expect(set({ size: Number.MAX_SAFE_INTEGER })).toBe(-EINVAL);
  });

  it("-ESRCH, -EINVAL for oneself, -EFAULT", () => {
    expect(set({ vcpu: 2 })).toBe(-ESRCH);
    expect(set({}, 0)).toBe(-EINVAL);
    expect(set({ buffer: NOWHERE })).toBe(-EFAULT);
  });

  it("what is set is what is got, for this vCPU only", () => {
    fill();
    expect(set()).toBe(0);
    door.put(OUT, 4096, []);
    expect(get()).toBe(0);
    expect(door.result64(16)).toBe(592n);
    expect([door.u64(OUT), door.u64(OUT + 8), door.u64(AREA + 160), door.u64(AREA + XSTATE_BV)]).toEqual([
      3n,
      3n,
      0x1122334455667788n,
      3n,
    ]);
    expect(get({ size: 591 })).toBe(-EINVAL);
    expect(get({ vcpu: 1 })).toBe(0);
    expect(door.result64(16)).toBe(16n);
  });

  it("two words of zero alone: nothing to restore", () => {
    fill(0, 0);
    expect(set({ size: 16 })).toBe(0);
    expect(set()).toBe(-EINVAL);
  });

  it.each([
    ["XCR0 beyond what was ever set", XSTATE_ALL, XSTATE_X87],
    ["without x87", XSTATE_SSE, XSTATE_SSE],
    ["state that the processor does not have", XSTATE_ALL, 7],
    ["XCR0 without any state", XSTATE_X87, 0],
  ])("%s: -EINVAL, and nothing changes", (_, xcr0, accumulated) => {
    fill(xcr0, accumulated);
    expect(set()).toBe(-EINVAL);
    expect(get()).toBe(0);
    expect(door.result64(16)).toBe(16n);
  });

  it("-EINVAL for components in the header that were never set, -EOPNOTSUPP for compacted form and reserved bytes", () => {
    const word = (offset: number, value: number) => {
      fill(XSTATE_X87, XSTATE_X87);
      door.view.setBigUint64(door.at(AREA + offset), BigInt(value), true);
      return set();
    };
    expect(word(XSTATE_BV, 2)).toBe(-EINVAL);
    expect(word(XSTATE_XCOMP_BV, 1)).toBe(-EOPNOTSUPP);
    for (let i = 0; i < 6; i++) expect(word(XSTATE_RESERVED + i * 8, 1)).toBe(-EOPNOTSUPP);
    expect(word(XSTATE_BV, 1)).toBe(0);
  });

  it("a domain whose CPUID hides extended state takes none: -EINVAL", () => {
    door = openDoor();
    d = door.createDomain();
    fill();
    expect(set()).toBe(-EINVAL);
    fill(0, 0);
    expect(set({ size: 16 })).toBe(0);
  });

  it("a reset vCPU has the state after reset", () => {
    fill();
    expect(set()).toBe(0);
    expect(door.domctl(DOMCTL_SETVCPUCONTEXT, d, [[0, 4, 0]])).toBe(0);
    expect(get()).toBe(0);
    expect(door.result64(16)).toBe(16n);
  });
});
