/** Virtual time, the pvclock and timers, by dom0's own vCPU: when nobody can run, time jumps to the next deadline. */
import { beforeEach, describe, expect, it } from "vitest";
import { frameAddress } from "../../host/lib/core.ts";
import { EEXIST, EINVAL } from "../../hv-core/abi/errno.ts";
import {
  DOMCTL_GETDOMAININFO,
  EVTCHNOP_BIND_VIRQ,
  HC_EVENT_CHANNEL_OP,
  HC_HVM_OP,
  HC_MEMORY_OP,
  HC_SCHED_OP,
  HC_SET_TIMER_OP,
  HC_VCPU_OP,
  HVMOP_GET_TIME,
  SHUTDOWN_WATCHDOG,
  VCPUOP_SET_PERIODIC_TIMER,
  VCPUOP_STOP_PERIODIC_TIMER,
  VIRQ_TIMER,
  XENMAPSPACE_SHARED_INFO,
  XENMEM_ADD_TO_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { KNOB_SEED, KNOB_TSC_KHZ } from "../../hv-core/abi/knobs.ts";
import { RUN_ATTENTION, RUN_IDLE } from "../../hv-core/abi/run.ts";
import { ARG, type Door, OUT, openDoor } from "./door.ts";

const MS = 1_000_000n;
let door: Door;
let shared: number;

function start(knobs: readonly (readonly [number, number])[] = []) {
  door = openDoor(4096, knobs);
  const arg = door.put(ARG, 24, [
    [0, 2, 0x7ff0],
    [4, 4, XENMAPSPACE_SHARED_INFO],
    [16, 8, 0x1000],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, arg)).toBe(0);
  shared = frameAddress(door.core.dom0Mfn(0x1000));
}
beforeEach(() => start());

const now = () => {
  expect(door.call(HC_HVM_OP, HVMOP_GET_TIME, OUT)).toBe(0);
  return door.u64(OUT);
};
/** Takes the pending events as a kernel would, so that the next one is an edge again. */
const acknowledge = () => {
  door.view.setUint8(shared, 0);
  door.view.setBigUint64(shared + 8, 0n, true);
  door.view.setBigUint64(shared + 2048, 0n, true);
};
const bindTimer = () => {
  door.put(ARG, 12, [[0, 4, VIRQ_TIMER]]);
  expect(door.call(HC_EVENT_CHANNEL_OP, EVTCHNOP_BIND_VIRQ, ARG)).toBe(0);
};

describe("scale", () => {
  it.each([
    [2_596_122, 0xc5379ca5, -1],
    [1_000_000, 0x80000000, 1],
    [500_000, 0x80000000, 2],
    [4_000_000, 0x80000000, -1],
  ])("%i kHz: multiplier 0x%x, shift %i, as Xen computes them", (khz, mul, shift) => {
    start([[KNOB_TSC_KHZ, khz]]);
    const time = shared + 32;
    expect(door.view.getUint32(time + 24, true)).toBe(mul);
    expect(door.view.getInt8(time + 28)).toBe(shift);
    expect(door.view.getUint32(time, true) & 1).toBe(0);
  });

  it("the wall clock starts at a fixed date plus the seed", () => {
    start([[KNOB_SEED, 5]]);
    expect(door.view.getUint32(shared + 3072, true)).toBe(2);
    expect(door.view.getUint32(shared + 3076, true)).toBe(Date.UTC(2026, 0, 1) / 1000 + 5);
  });
});

describe("timers", () => {
  it("the single-shot timer fires once, never early", () => {
    bindTimer();
    expect(door.call(HC_SET_TIMER_OP, Number(3n * MS))).toBe(0);
    expect(door.core.run(10)).toBe(RUN_ATTENTION);
    expect(now() >= 3n * MS && now() < 3n * MS + 1000n).toBe(true);
    acknowledge();
    expect(door.core.run(10)).toBe(RUN_IDLE);
  });

  it("0 cancels; a time long past fires at once", () => {
    bindTimer();
    door.call(HC_SET_TIMER_OP, Number(3n * MS));
    door.call(HC_SET_TIMER_OP, 0);
    expect(door.core.run(10)).toBe(RUN_IDLE);
    door.call(HC_SET_TIMER_OP, 1);
    expect(door.core.run(10)).toBe(RUN_ATTENTION);
  });

  it("the periodic timer keeps its phase until it is stopped", () => {
    bindTimer();
    door.put(ARG, 8, [[0, 8, 2n * MS]]);
    expect(door.call(HC_VCPU_OP, VCPUOP_SET_PERIODIC_TIMER, 0, ARG)).toBe(0);
    for (let i = 1n; i <= 5n; i++) {
      expect(door.core.run(10)).toBe(RUN_ATTENTION);
      expect(now() / MS).toBe(2n * i);
      acknowledge();
    }
    expect(door.call(HC_VCPU_OP, VCPUOP_STOP_PERIODIC_TIMER, 0)).toBe(0);
    expect(door.core.run(10)).toBe(RUN_IDLE);
  });

  it("a timer nobody bound still moves time, and a run comes to its end", () => {
    door.put(ARG, 8, [[0, 8, MS]]);
    door.call(HC_VCPU_OP, VCPUOP_SET_PERIODIC_TIMER, 0, ARG);
    expect(door.core.run(100)).toBe(0);
    expect(now() / MS).toBe(100n);
  });
});

describe("watchdog", () => {
  const watchdog = (id: number, seconds: number) =>
    door.call(
      HC_SCHED_OP,
      6,
      door.put(ARG, 8, [
        [0, 4, id],
        [4, 4, seconds],
      ]),
    );

  it("V1309 V1310 ids, and the domain's end when it is not fed", () => {
    expect([watchdog(5, 1), watchdog(1, 0), watchdog(0, 0)]).toEqual([-EINVAL, -EINVAL, 0]);
    expect([watchdog(0, 2), watchdog(0, 3), watchdog(0, 1)]).toEqual([1, 2, -EEXIST]);
    expect([watchdog(1, 0), watchdog(2, 5)]).toEqual([0, 0]);
    door.core.run(10);
    expect(now() / (1000n * MS)).toBe(5n);
    door.domctl(DOMCTL_GETDOMAININFO, 0);
    expect(door.result32(4) >>> 16).toBe(SHUTDOWN_WATCHDOG);
  });
});
