/** Windows of the p2m and of a request that no entry of the catalogue needs, each shown once (spec 01 sections 1.4 and 1.9, spec 03 section 3.8). */
import { describe, expect, it } from "vitest";
import { store32 } from "../../host/lib/explore/code.ts";
import { slotState } from "../../host/lib/explore/device-actor.ts";
import { openRace, type RaceInstance } from "../../host/lib/explore/instance.ts";
import { defineRace, type Race, type RaceSetup } from "../../host/lib/explore/race.ts";
import { search } from "../../host/lib/explore/search.ts";
import { dmOpStep, type HypercallStep, toolstackActor } from "../../host/lib/explore/toolstack-actor.ts";
import { vcpuActor } from "../../host/lib/explore/vcpu-actor.ts";
import { writerActor } from "../../host/lib/explore/writer-actor.ts";
import { walk } from "../../host/lib/inspect.ts";
import { notifyStep, writeState } from "../../host/lib/races/hostile-emulator.ts";
import { MMIO, mmioGuest } from "../../host/lib/races/mmio-guest.ts";
import { DOM_P2M_LOCK } from "../../hv-core/abi/domain.ts";
import { EBUSY } from "../../hv-core/abi/errno.ts";
import {
  DMOP_SET_MEM_TYPE,
  DOMCTL_INTERFACE_VERSION_4_17,
  DOMCTL_SHADOW_OP,
  HC_DOMCTL,
  SHADOW_OP_CLEAN,
  SHADOW_OP_ENABLE_LOGDIRTY,
  SHADOW_OP_PEEK,
} from "../../hv-core/abi/hypercalls.ts";
import { STATE_IOREQ_INPROCESS, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../hv-core/abi/ioreq.ts";
import { VCPU_SIZE, VCPU_TLB_OFFSET, VCPUS_BASE } from "../../hv-core/abi/layout.ts";
import { BUDGET, raceBuild } from "./support.ts";

function define(name: string, setup: Race["setup"], knobs: Readonly<Record<string, number>> = {}): Race {
  const variants = { only: { text: "-", knobs, expect: "clean" } };
  return defineRace({ name, id: "-", title: "-", lesson: "-", variants, setup });
}

/** Steps of one actor until it stands at a window. */
function runTo(instance: RaceInstance, actor: number, place: string): void {
  for (let left = 200; instance.place(actor) !== place; left--) {
    if (left === 0) throw new Error(`${place} was never reached; the actor stands at ${instance.place(actor)}`);
    expect(instance.step(actor)).toBeUndefined();
  }
}

it("the p2m lock is free before the TLBs are flushed", () => {
  const race = define("unlock-then-flush", (module, knobs) => {
    const guest = mmioGuest(module, knobs, [store32(0x2000, 1)]);
    const program = [
      dmOpStep("makes a page read-only", DMOP_SET_MEM_TYPE, (view, at) => {
        view.setUint32(at, 1, true);
        view.setUint16(at + 4, 1, true);
        view.setUint32(at + 8, 2, true);
      }),
    ];
    return { ...guest, invariants: [], actors: [toolstackActor(guest.world, { name: "setter", index: 0, program })] };
  });
  const instance = openRace(raceBuild, race, "only");
  const { world } = instance.setup;
  // A translation that the flush must drop.
  const entry = VCPUS_BASE + world.vcpus[0]! * VCPU_SIZE + VCPU_TLB_OFFSET;
  const translation = () => world.core.view.getBigUint64(entry, true);
  instance.restore(instance.initial);
  world.core.view.setBigUint64(entry, 0x1234_5000n, true);
  runTo(instance, 0, "P2mUnlocked");
  expect([world.core.view.getUint32(world.domainAt + DOM_P2M_LOCK, true), translation()]).toEqual([0, 0x1234_5000n]);
  while ((instance.working() & 1) !== 0) expect(instance.step(0)).toBeUndefined();
  expect(translation()).not.toBe(0x1234_5000n);
});

it("a repair makes the entries below invalid before the one above is valid again", () => {
  const race = define("children-first", (module, knobs) => {
    const guest = mmioGuest(module, knobs, [store32(0x2000, 1)]);
    const program: HypercallStep[] = [
      {
        text: "tracks all writes",
        prepare(world, at, gpa) {
          const { view } = world.core;
          view.setUint32(at, DOMCTL_SHADOW_OP, true);
          view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
          view.setUint16(at + 8, world.domid, true);
          view.setUint32(at + 16, SHADOW_OP_ENABLE_LOGDIRTY, true);
          return [HC_DOMCTL, gpa];
        },
      },
    ];
    const toolstack = toolstackActor(guest.world, { name: "tracker", index: 0, program });
    const vcpu = vcpuActor(guest.world, { name: "guest0", index: 1, vcpu: 0, ...guest.programs[0]! });
    return { ...guest, invariants: [], actors: [toolstack, vcpu] };
  });
  const instance = openRace(raceBuild, race, "only");
  const { world } = instance.setup;
  const invalid = () => walk(world.core, world.domid, 0x2000).map((step) => step.decoded.isInvalidated);
  instance.restore(instance.initial);
  while ((instance.working() & 1) !== 0) expect(instance.step(0)).toBeUndefined();
  expect(invalid()).toEqual([true, false, false, false]);
  const seen: boolean[][] = [];
  while ((instance.working() & 2) !== 0) {
    expect(instance.step(1)).toBeUndefined();
    if (instance.place(1) === "P2mChildrenInvalid") seen.push(invalid());
  }
  expect(seen).toEqual([
    [true, true, false, false],
    [false, true, true, false],
    [false, false, true, true],
  ]);
  expect(invalid()).toEqual([false, false, false, false]);
});

describe("reading the dirty bitmap in pieces", () => {
  const shadow = (op: number, mayFail: readonly number[] = []): HypercallStep => ({
    text: "reads the bitmap",
    mayFail,
    prepare(world, at, gpa) {
      const { view } = world.core;
      view.setUint32(at, DOMCTL_SHADOW_OP, true);
      view.setUint32(at + 4, DOMCTL_INTERFACE_VERSION_4_17, true);
      view.setUint16(at + 8, world.domid, true);
      view.setUint32(at + 16, op, true);
      view.setBigUint64(at + 16 + 24, 2n ** 22n, true); // two pieces
      return [HC_DOMCTL, gpa];
    },
  });
  const setup: Race["setup"] = (module, knobs): RaceSetup => {
    const guest = mmioGuest(module, knobs, [store32(0x2000, 1)]);
    return {
      ...guest,
      invariants: [],
      actors: [
        toolstackActor(guest.world, { name: "cleaner", index: 0, program: [shadow(SHADOW_OP_CLEAN, [-EBUSY])] }),
        toolstackActor(guest.world, { name: "peeker", index: 1, program: [shadow(SHADOW_OP_PEEK, [-EBUSY])] }),
        vcpuActor(guest.world, { name: "guest0", index: 2, vcpu: 0, ...guest.programs[0]! }),
      ],
    };
  };

  it("the domain stays paused in between, and another operation is refused with EBUSY", () => {
    const instance = openRace(raceBuild, define("bitmap", setup), "only");
    instance.restore(instance.initial);
    runTo(instance, 0, "Preempted");
    expect((instance.enabled() >> 2) & 1).toBe(0); // the guest
    while (((instance.working() >> 1) & 1) !== 0) expect(instance.step(1)).toBeUndefined();
    const [cleaner, peeker] = instance.actors as unknown as { resultOf(call: number): number }[];
    expect(peeker!.resultOf(0)).toBe(-EBUSY);
    while ((instance.working() & 1) !== 0) expect(instance.step(0)).toBeUndefined();
    expect(cleaner!.resultOf(0)).toBe(0);
    expect((instance.enabled() >> 2) & 1).toBe(1);
  });

  it("V-2: in every interleaving with a writing guest the domain runs again at the end", () => {
    const result = search(openRace(raceBuild, define("bitmap", setup), "only"), { budget: BUDGET });
    expect([result.verdict, result.violation?.message, result.exhaustive]).toEqual(["clean", undefined, true]);
  });
});

describe("S-5: pending is marked after the device model was told", () => {
  /** A device model that does not wait for its event: it looks at the slot all the time, and may answer before it is told. */
  const setup: Race["setup"] = (module, knobs) => {
    const guest = mmioGuest(module, knobs, [store32(MMIO, 1)]);
    const { world, end, programs } = guest;
    const slot = () => slotState(world, end, 0);
    const answer = [
      { ...writeState(end, STATE_IOREQ_INPROCESS), when: () => slot() === STATE_IOREQ_READY },
      { ...writeState(end, STATE_IOREQ_RESP_READY), when: () => slot() === STATE_IOREQ_INPROCESS },
    ];
    const notifier = toolstackActor(world, { name: "notifier", index: 2, program: [notifyStep(end)] });
    const isAnswered = () => slot() === STATE_IOREQ_RESP_READY;
    return {
      ...guest,
      invariants: [],
      actors: [
        vcpuActor(world, { name: "guest0", index: 0, vcpu: 0, ...programs[0]! }),
        writerActor(world, { name: "emulator", index: 1, loops: false, program: answer }),
        {
          ...notifier,
          isReady: () => notifier.isReady() && isAnswered(),
          hasWork: () => notifier.hasWork() && isAnswered(),
        },
      ],
    };
  };

  it.each([
    ["xen", {}],
    ["fixed", { "send.pending": 1 }],
  ] as const)("%s: an answer before the mark is found all the same, in every interleaving", (_, knobs) => {
    const instance = openRace(raceBuild, define("pending-after-notify", setup, knobs), "only");
    // One schedule by hand: the answer is there before the device model is told, and before the mark.
    instance.restore(instance.initial);
    runTo(instance, 0, "RequestReady");
    for (const actor of [1, 1, 2]) expect(instance.step(actor)).toBeUndefined();
    while (instance.working() !== 0) {
      const next = [0, 1, 2].find((actor) => (instance.enabled() >> actor) & 1);
      if (next === undefined) throw new Error("everybody waits");
      expect(instance.step(next)).toBeUndefined();
    }
    expect(instance.checkEnd()).toBeUndefined();
    const result = search(instance, { budget: BUDGET });
    expect([result.verdict, result.violation?.message, result.exhaustive]).toEqual(["clean", undefined, true]);
  });
});
