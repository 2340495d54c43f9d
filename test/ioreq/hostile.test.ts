/**
 * Device models and guests that do not keep to the rules: answers that come twice, late or never, a guest that reaches for the pages of
 * its own servers, arguments that wrap. Each gets an errno, is ignored, or crashes that one domain with a reason; nothing else changes.
 */
import { beforeAll, beforeEach, describe, expect, it } from "vitest";
import { CRASH_IOREQ_PAGE } from "../../hv-core/abi/crash.ts";
import { DOM_CRASH_REASON } from "../../hv-core/abi/domain.ts";
import { EINVAL, ENOENT, EPERM } from "../../hv-core/abi/errno.ts";
import {
  DOMID_SELF,
  HC_MEMORY_OP,
  XENMAPSPACE_GMFN,
  XENMEM_ACQUIRE_RESOURCE,
  XENMEM_ADD_TO_PHYSMAP,
} from "../../hv-core/abi/hypercalls.ts";
import { STATE_IOREQ_NONE, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../hv-core/abi/ioreq.ts";
import { DOMAIN_SIZE, DOMAINS_BASE } from "../../hv-core/abi/layout.ts";
import { P2M_MMIO_DM } from "../../hv-core/abi/p2m-types.ts";
import { REGISTERS_OUT } from "../oracle/ioreq/program.ts";
import { type Registers, ScenarioWorld } from "../oracle/ioreq/world.ts";
import { createWorld, GUEST, type World } from "./world.ts";

const M = 0xf0000000n;
const MEMORY = 1;
const at = (rdi: bigint, rax = 1n): Registers => [rax, 0n, 0n, 0n, 0n, rdi];
const LAST = 0xffff_ffff_ffff_ffffn;

/** A guest whose read of device memory waits for its answer. */
function waiting(): ScenarioWorld {
  const world = new ScenarioWorld();
  world.createDomain();
  world.attach(0);
  world.fill();
  world.start();
  world.range(MEMORY, M, M + 0xfffn);
  world.post("r4", at(M));
  world.wait();
  expect(world.slotState()).toBe(STATE_IOREQ_READY);
  return world;
}
function answer(world: ScenarioWorld, data: bigint): void {
  world.setSlotData(data);
  world.setSlotState(STATE_IOREQ_RESP_READY);
  world.notify();
  world.wait();
}
const crashReason = (world: ScenarioWorld) =>
  world.door.view.getUint32(DOMAINS_BASE + DOMAIN_SIZE + DOM_CRASH_REASON, true);

describe("an answer", () => {
  it("that comes twice: the second one is nobody's, and the slot is then in a state that takes no request", () => {
    const world = waiting();
    answer(world, 0x11n);
    expect([world.isFinished(), world.mailbox(REGISTERS_OUT)]).toEqual([true, 0x11n]);
    answer(world, 0x22n);
    expect([world.slotState(), world.mailbox(REGISTERS_OUT)]).toEqual([STATE_IOREQ_RESP_READY, 0x11n]);
    // The next access finds the slot taken: as on Xen it cannot be emulated, and the guest gets a fault, not the old answer.
    world.post("r4", at(M));
    expect(world.finish()).toBe(true);
    expect(world.mailbox(REGISTERS_OUT)).not.toBe(0x22n);
    expect([world.slotState(), crashReason(world)]).toEqual([STATE_IOREQ_RESP_READY, 0]);
    // The device model comes to its senses.
    world.setSlotState(STATE_IOREQ_NONE);
    world.fill();
    world.post("r4", at(M));
    expect(world.finish()).toBe(true);
    expect(world.mailbox(REGISTERS_OUT)).toBe(0x43424140n);
  });

  it("that is notified before and after, and more than once: counts once", () => {
    const world = waiting();
    for (let i = 0; i < 3; i++) {
      world.notify();
      world.wait();
      expect(world.isFinished()).toBe(false);
    }
    answer(world, 0x33n);
    for (let i = 0; i < 3; i++) world.notify();
    world.wait();
    expect([world.isFinished(), world.mailbox(REGISTERS_OUT), crashReason(world)]).toEqual([true, 0x33n, 0]);
  });

  it("that comes late, to a range and a server which are not there any more: never seen, nothing breaks", () => {
    const world = waiting();
    expect(world.unmapRange(MEMORY, M, M + 0xfffn)).toBe(0);
    expect(world.destroyServer()).toBe(0);
    world.setSlotData(0x44n); // into a page that dom0 still maps
    world.setSlotState(STATE_IOREQ_RESP_READY);
    world.notify();
    world.wait();
    expect([world.isFinished(), crashReason(world)]).toEqual([false, 0]); // N-5
    world.destroyDomain();
  });

  it("that never comes: that domain waits, others do not, and it can be destroyed", () => {
    const world = waiting();
    for (let i = 0; i < 20; i++) world.wait();
    expect([world.isFinished(), crashReason(world)]).toEqual([false, 0]);
    const other = world.door.createDomain();
    expect(world.door.populate(other, [0, 1, 2])).toBe(3);
    world.destroyDomain();
  });

  it.each([4, 5, 7, 8, 15])("of state %i: the domain crashes with a reason", (state) => {
    const world = waiting();
    world.setSlotState(state);
    world.notify();
    world.wait();
    expect([world.isFinished(), crashReason(world)]).toEqual([false, 4]);
  });
});

describe("a guest and the pages of its own servers", () => {
  let w: World;
  beforeAll(async () => {
    w = await createWorld();
  });
  beforeEach(() => {
    w.core.setup(2, 0);
    w.core.setGuestParam(32, 0x10n);
    w.core.setGuestParam(33, 3n);
  });
  const info = () =>
    w.dm(2, (fields) => {
      fields(0).u16(0);
    });

  it("does not get them as a resource, nor may it talk to the device model's interface", () => {
    w.create(1);
    expect(w.core.resource(GUEST, 0, 1n)).toBe(-EPERM);
    expect(w.core.dmByGuest(GUEST, 1, 0x1000)).toBe(-EPERM);
  });

  it("finds a hole where the page is while the server is enabled", () => {
    w.create(0);
    expect([info(), w.enable(0, 1)]).toEqual([0, 0]);
    expect(w.core.memType(0x10n)).toBe(P2M_MMIO_DM);
  });

  it("that takes the page away before the server is enabled, is crashed, and the server is not left half enabled", () => {
    w.create(0);
    expect(info()).toBe(0);
    w.core.giveBack(0x10n);
    w.enable(0, 1);
    expect(w.core.crashReason()).toBe(CRASH_IOREQ_PAGE);
    expect(w.enable(0, 0)).toBe(0);
  });
});

it("a hypercall by the guest for its own server's frames is refused, whatever it calls itself", () => {
  const world = waiting();
  const { door } = world;
  for (const who of [DOMID_SELF, world.domid]) {
    const arg = door.put(0x8000, 40, [
      [0, 2, who],
      [4, 4, 0],
      [8, 4, 1],
      [16, 8, 9],
      [24, 8, 0x8100],
    ]);
    expect(door.call(HC_MEMORY_OP, XENMEM_ACQUIRE_RESOURCE, arg)).toBeLessThan(0);
  }
  // Nor does add_to_physmap find a frame behind the hidden gfn.
  const arg = door.put(0x8000, 40, [
    [0, 2, world.domid],
    [4, 4, XENMAPSPACE_GMFN],
    [8, 8, 0xf0000],
    [16, 8, 0x3ff],
  ]);
  expect(door.call(HC_MEMORY_OP, XENMEM_ADD_TO_PHYSMAP, arg)).toBe(-EINVAL);
});

describe("arguments", () => {
  let w: World;
  beforeAll(async () => {
    w = await createWorld();
  });
  beforeEach(() => w.core.setup(2, 0));

  it("ranges that wrap or are backwards, at both ends of the numbers", () => {
    w.create(0);
    for (const op of [3, 4])
      for (const [start, end] of [
        [1n, 0n],
        [LAST, 0n],
        [LAST, LAST - 1n],
      ] as const)
        for (const type of [0, 1, 2, 3]) expect(w.range(op, 0, type, start, end)).toBe(-EINVAL);
    expect(w.range(3, 0, MEMORY, LAST, LAST)).toBe(0);
    expect(w.range(3, 0, MEMORY, 0n, 0n)).toBe(0);
    expect(w.range(4, 0, MEMORY, 0n, LAST)).toBe(-ENOENT);
    expect([w.range(4, 0, MEMORY, LAST, LAST), w.range(4, 0, MEMORY, 0n, 0n)]).toEqual([0, 0]);
    expect(w.range(3, 0, MEMORY, 0n, LAST)).toBe(0);
  });

  it("types and servers that do not exist", () => {
    w.create(0);
    for (const type of [3, 4, 0x7fff_ffff, 0xffff_ffff]) expect(w.range(3, 0, type, 1n, 2n)).toBe(-EINVAL);
    for (const id of [1, 7, 8, 255, 0xffff]) expect(w.range(3, id, MEMORY, 1n, 2n)).toBe(-ENOENT);
    for (const type of [3, 5, 15, 0xffff])
      expect(
        w.dm(12, (fields) => {
          fields(0).u32(1);
          fields(4).u16(type);
          fields(8).u64(0x20n);
        }),
      ).toBe(-EINVAL);
  });

  it("gfns that wrap", () => {
    for (const [first, nr] of [
      [LAST, 2],
      [LAST, 1],
      [LAST - 5n, 0xffff_ffff],
      [0x20n, 0],
      [1n << 36n, 1],
    ] as const)
      expect(
        w.dm(12, (fields) => {
          fields(0).u32(nr);
          fields(8).u64(first);
        }),
      ).toBe(-EINVAL);
  });
});
