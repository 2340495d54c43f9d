/**
 * DMOP_map_mem_type_to_ioreq_server as a set of knobs (spec 03 sections 3.6 to 3.8): what a running guest, a device model and the next
 * server see of each. The guest and the device model are those of test/oracle/ioreq.
 */
import { describe, expect, it } from "vitest";
import { CTR_DOMAIN_PAUSES, CTR_EXITS } from "../../hv-core/abi/counters.ts";
import { CRASH_DEADLOCK } from "../../hv-core/abi/crash.ts";
import { DOM_CRASH_REASON } from "../../hv-core/abi/domain.ts";
import { EBUSY, EINVAL } from "../../hv-core/abi/errno.ts";
import { EXIT_EPT_MISCONFIG, EXIT_EPT_VIOLATION } from "../../hv-core/abi/exits.ts";
import { STATE_IOREQ_NONE, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../hv-core/abi/ioreq.ts";
import * as knob from "../../hv-core/abi/knobs.ts";
import { COUNTERS_BASE, DOMAIN_SIZE, DOMAINS_BASE } from "../../hv-core/abi/layout.ts";
import { REGISTERS_OUT } from "../oracle/ioreq/program.ts";
import { type Registers, ScenarioWorld } from "../oracle/ioreq/world.ts";
import { createGuest } from "./guest.ts";

type Settings = readonly (readonly [index: number, value: number])[];
const TYPED = 0x300;
const T = BigInt(TYPED << 12);
const M = 0xf0000000n;
const MEMORY = 1;

const at = (rdi: bigint, rax = 1n): Registers => [rax, 0n, 0n, 0n, 0n, rdi];

/** A running guest, a server with the type, and `pages` pages of it from gfn 0x300 on. */
function typed(settings: Settings = [], pages = 2, flags = 2): ScenarioWorld {
  const world = new ScenarioWorld(settings);
  world.createDomain();
  world.attach(0);
  world.fill();
  world.start();
  expect(world.mapType(flags)).toBe(0);
  expect(world.setType(TYPED, pages, 4)).toBe(0);
  return world;
}

/** Runs a snippet; the requests it made. */
function run(world: ScenarioWorld, snippet: string, registers: Registers): { isFinished: boolean; requests: string[] } {
  const before = world.rows.length;
  world.requests = 0;
  world.post(snippet, registers);
  const isFinished = world.finish();
  const requests = world.rows.slice(before).map((row) => row.split("\t").slice(3, 8).join(" "));
  return { isFinished, requests };
}

const exits = (world: ScenarioWorld, reason: number) =>
  Number(world.door.view.getBigUint64(COUNTERS_BASE + (CTR_EXITS + reason) * 8, true));
const crashReason = (world: ScenarioWorld) =>
  world.door.view.getUint32(DOMAINS_BASE + DOMAIN_SIZE + DOM_CRASH_REASON, true);

describe("unmapping the type", () => {
  const cases: readonly [name: string, settings: Settings, isLeft: boolean][] = [
    ["sweep", [], false],
    ["recalc", [[knob.KNOB_UNMAP_RESET, knob.RESET_RECALC]], true],
    ["direct", [[knob.KNOB_UNMAP_RESET, knob.RESET_DIRECT]], false],
    [
      "2016-v6",
      [
        [knob.KNOB_UNMAP_PAUSE, 1],
        [knob.KNOB_UNMAP_RESET, knob.RESET_RECALC],
        [knob.KNOB_NO_SERVER, knob.NO_SERVER_NULL],
        [knob.KNOB_MAP_LEFT, 1],
      ],
      false,
    ],
    [
      "early release",
      [
        [knob.KNOB_EARLY_UNLOCK, 1],
        [knob.KNOB_NO_SERVER, knob.NO_SERVER_NULL],
      ],
      false,
    ],
  ];
  it.each(cases)("%s: the pages become RAM, and no touch of them is a violation", (_name, settings, isLeft) => {
    const world = typed(settings);
    expect(run(world, "w4", at(T, 7n)).requests).toEqual([`1 0x300000 0x7 1 4`]);
    expect(world.mapType(0)).toBe(0);
    const violations = exits(world, EXIT_EPT_VIOLATION);
    const left = world.mapType(2);
    expect(left).toBe(isLeft ? -EBUSY : 0);
    if (left === 0) expect(world.mapType(0)).toBe(0);
    expect(run(world, "w4", at(T, 9n))).toEqual({ isFinished: true, requests: [] });
    expect(run(world, "w4", at(T + 0x1000n, 9n))).toEqual({ isFinished: true, requests: [] });
    expect(world.peek64(Number(T)) & 0xffffffffn).toBe(9n);
    expect(exits(world, EXIT_EPT_VIOLATION)).toBe(violations);
    expect(world.getType(TYPED)).toBe(0);
    expect(world.mapType(2)).toBe(0);
  });

  it("recalc: the first touch is a misconfiguration that repairs its whole table", () => {
    const world = typed([[knob.KNOB_UNMAP_RESET, knob.RESET_RECALC]]);
    world.mapType(0);
    const before = exits(world, EXIT_EPT_MISCONFIG);
    run(world, "w4", at(T));
    expect(exits(world, EXIT_EPT_MISCONFIG)).toBeGreaterThan(before);
    expect(world.mapType(2)).toBe(0);
  });

  it.each([
    [0, 0],
    [1, 1],
  ])("unmap.pause=%i: each map and unmap pauses the domain %i times", (value, pauses) => {
    const world = typed([[knob.KNOB_UNMAP_PAUSE, value]]);
    const counter = () => Number(world.door.view.getBigUint64(COUNTERS_BASE + CTR_DOMAIN_PAUSES * 8, true));
    for (const flags of [0, 2]) {
      const before = counter();
      expect(world.mapType(flags)).toBe(0);
      expect(counter() - before).toBe(pauses);
    }
  });

  it("a page at the end of the address space does not make the way over the map long", async () => {
    const guest = await createGuest();
    const last = 2n ** 36n - 1n;
    const mapType = (flags: number) =>
      guest.dm(15, [
        [2, 2, 4],
        [4, 4, flags],
      ]);
    for (const [settings, typeAfterwards] of [
      [[[knob.KNOB_UNMAP_RESET, knob.RESET_DIRECT]], 0],
      [
        [
          [knob.KNOB_UNMAP_RESET, knob.RESET_NONE],
          [knob.KNOB_MAP_LEFT, 1],
        ],
        15,
      ],
    ] as const) {
      guest.setup();
      for (const [index, value] of settings) guest.knob(index, value);
      expect(guest.core.addPage(last)).toBe(0);
      expect(mapType(2)).toBe(0);
      guest.dm(12, [
        [0, 4, 1],
        [4, 2, 4],
        [8, 8, last],
      ]);
      expect([mapType(0), mapType(2)]).toEqual([0, 0]); // goes over the map in the first or in the second of them
      expect(guest.core.memType(last)).toBe(typeAfterwards);
    }
  });

  const none: Settings = [[knob.KNOB_UNMAP_RESET, knob.RESET_NONE]];
  it("none, and an access without a server runs again: for ever", () => {
    const world = typed(none);
    world.mapType(0);
    expect(run(world, "w4", at(T)).isFinished).toBe(false);
    expect(world.setType(TYPED, 1, 0)).toBe(0);
    expect(world.finish()).toBe(true);
  });

  it("none, and nobody answers: the write is lost", () => {
    const world = typed([...none, [knob.KNOB_NO_SERVER, knob.NO_SERVER_NULL]]);
    world.poke64(Number(T), 5n);
    world.mapType(0);
    expect(run(world, "w4", at(T, 7n))).toEqual({ isFinished: true, requests: [] });
    expect(world.peek64(Number(T))).toBe(5n);
  });

  it("none, and accesses are carried out on RAM", () => {
    const world = typed([...none, [knob.KNOB_NO_SERVER, knob.NO_SERVER_COPY]]);
    world.poke64(Number(T), 5n);
    world.mapType(0);
    expect(run(world, "add4", at(T, 7n))).toEqual({ isFinished: true, requests: [] });
    expect(world.peek64(Number(T))).toBe(12n);
  });

  it("none, and the type can be mapped again at once", () => {
    const world = typed([...none, [knob.KNOB_MAP_LEFT, 1]]);
    world.mapType(0);
    expect(world.mapType(2)).toBe(0);
    expect(run(world, "w4", at(T, 7n)).requests).toEqual([`1 0x300000 0x7 1 4`]);
  });
});

describe("the other decisions", () => {
  it("rmw.readFromRam=off: the read half is nobody's, and the sum is wrong", () => {
    const world = typed([[knob.KNOB_RMW_READ, 1]]);
    world.poke64(Number(T), 5n);
    expect(run(world, "add4", at(T, 7n)).requests).toEqual(["1 0x300000 0x6 1 4"]);
    const right = typed();
    right.poke64(Number(T), 5n);
    expect(run(right, "add4", at(T, 7n)).requests).toEqual(["1 0x300000 0xc 1 4"]);
  });

  it("rmw.readFromRam=off: a server that claims the address as a memory range gets the read", () => {
    const world = typed([[knob.KNOB_RMW_READ, 1]]);
    world.range(MEMORY, T, T + 0xfffn);
    expect(run(world, "add4", at(T, 7n)).requests.length).toBe(2);
  });

  it("type.read=on: reads are requests, and what the device says counts", () => {
    const world = typed([[knob.KNOB_TYPE_READ, 1]], 1, 3);
    expect(run(world, "r4", at(T)).requests).toEqual(["1 0x300000 0 1 4"]);
    expect(world.mailbox(REGISTERS_OUT)).toBe(0xc3c2c1c0n);
    expect(run(world, "add4", at(T, 1n)).requests).toEqual(["1 0x300000 0 1 4", "1 0x300000 0xc3c2c1c1 1 4"]);
    expect(world.mapType(0)).toBe(0);
    expect(run(world, "r4", at(T)).requests).toEqual([]);
    expect(typed().mapType(1)).toBe(-EINVAL);
  });

  it("type.read=on: a server that asks for reads only leaves the writes to RAM", () => {
    const world = typed([[knob.KNOB_TYPE_READ, 1]], 1, 1);
    expect(run(world, "w4", at(T, 7n))).toEqual({ isFinished: true, requests: [] });
    expect(world.peek64(Number(T)) & 0xffffffffn).toBe(7n);
    expect(run(world, "r4", at(T)).requests).toEqual(["1 0x300000 0 1 4"]);
  });

  it("type.servers=several: an access goes to the server that claims it, else to the first", () => {
    const world = typed([[knob.KNOB_TYPE_SERVERS, 1]]);
    const first = world.server;
    expect(run(world, "w4", at(T, 7n)).requests).toEqual(["1 0x300000 0x7 1 4"]);
    world.attach(0);
    expect(world.mapType(2)).toBe(0);
    expect(world.mapType(2)).toBe(-EBUSY);
    expect(world.range(MEMORY, T + 0x1000n, T + 0x1fffn)).toBe(0);
    expect(run(world, "w4", at(T + 0x1000n, 7n)).requests).toEqual(["1 0x301000 0x7 1 4"]);
    // The device model listens to the second server only now: a request to the first stays.
    expect(run(world, "w4", at(T, 7n))).toEqual({ isFinished: false, requests: [] });
    expect(world.mapType(0)).toBe(0);
    world.server = first;
    expect(world.mapType(2)).toBe(-EBUSY);
  });

  it("ioreq.lock=plain: whoever holds it and asks about a page waits for himself", () => {
    const ask = (world: ScenarioWorld) => {
      world.createServer(0);
      return world.dm(2, [[0, 2, world.server]]);
    };
    const recursive = typed();
    ask(recursive);
    expect(crashReason(recursive)).toBe(0);
    const plain = typed([[knob.KNOB_IOREQ_LOCK, knob.IOREQ_LOCK_PLAIN]]);
    ask(plain);
    expect(crashReason(plain)).toBe(CRASH_DEADLOCK);
  });
});

describe("suspicions that a real Xen confirmed", () => {
  it("S-1: pages of a destroyed server keep the type; only setting each to RAM helps", () => {
    const world = typed();
    expect(world.destroyServer()).toBe(0);
    expect(run(world, "w4", at(T, 7n)).isFinished).toBe(false);
    expect(world.createServer(0)).toBe(0);
    expect(world.mapType(2)).toBe(-EBUSY);
    expect(world.setType(0x310, 1, 4)).toBe(-EINVAL);
    expect(world.setType(TYPED, 1, 0)).toBe(0);
    expect(world.finish()).toBe(true);
    expect(world.peek64(Number(T)) & 0xffffffffn).toBe(7n);
    expect(world.mapType(2)).toBe(-EBUSY);
    expect(world.setType(TYPED + 1, 1, 0)).toBe(0);
    expect(world.mapType(2)).toBe(0);
  });

  it("S-1 fixed: they become RAM", () => {
    const world = typed([[knob.KNOB_DESTROY_TYPE, knob.AS_FIXED]]);
    expect(world.destroyServer()).toBe(0);
    expect(run(world, "w4", at(T, 7n))).toEqual({ isFinished: true, requests: [] });
    expect(world.createServer(0)).toBe(0);
    expect(world.mapType(2)).toBe(0);
  });

  it.each([
    ["xen", [], false],
    ["fixed", [[knob.KNOB_UNMAP_LOG_DIRTY, knob.AS_FIXED]], true],
  ] as const)("S-2 %s: unmapping the type in log-dirty mode", (_name, settings, isTracked) => {
    const world = new ScenarioWorld(settings);
    world.createDomain();
    world.attach(0);
    world.fill();
    world.start();
    expect([world.mapType(2), world.shadowOp(2)]).toEqual([0, 0]);
    run(world, "w4", at(T));
    expect(world.setType(TYPED, 1, 4)).toBe(0);
    expect(world.shadowOp(11)).toBe(0);
    run(world, "w4", at(0x320000n));
    world.shadowOp(12);
    expect([world.isDirty(0x320), world.isDirty(0x321)]).toEqual([true, false]);
    expect(world.mapType(0)).toBe(0);
    run(world, "w4", at(0x321000n));
    world.shadowOp(12);
    expect(world.isDirty(0x321)).toBe(isTracked);
    world.shadowOp(11);
    run(world, "w4", at(0x322000n));
    world.shadowOp(12);
    expect(world.isDirty(0x322)).toBe(true);
  });

  it("log-dirty mode is refused while a page has the type", () => {
    const world = typed();
    expect(world.shadowOp(2)).toBe(-EBUSY);
    world.mapType(0);
    expect(world.shadowOp(2)).toBe(0);
  });

  it.each([
    ["xen", [], false],
    ["fixed", [[knob.KNOB_SEND_DEFERRAL, knob.AS_FIXED]], true],
  ] as const)("S-6 %s: a request that cannot be sent, and a shutdown after it", (_name, settings, isShutDown) => {
    const world = typed(settings);
    world.range(MEMORY, M, M + 0xfffn);
    world.setSlotState(2); // as if an old request were still being served
    world.post("w4", at(M));
    world.wait();
    world.dm(16, [[0, 4, 0]]);
    expect((world.domainFlags() & 4) !== 0).toBe(isShutDown);
  });

  it("N-5: a vCPU whose server goes while it waits stays where it is, or reads all ones", () => {
    for (const isFixed of [false, true]) {
      const world = typed(isFixed ? [[knob.KNOB_DESTROY_PENDING, knob.AS_FIXED]] : []);
      world.range(MEMORY, M, M + 0xfffn);
      world.post("r4", at(M));
      world.wait();
      expect(world.slotState()).toBe(STATE_IOREQ_READY);
      world.destroyServer();
      world.wait();
      expect(world.isFinished()).toBe(isFixed);
      if (isFixed) expect(world.mailbox(REGISTERS_OUT)).toBe(0xffffffffn);
    }
  });
});

describe("a device model that answers in odd ways", () => {
  function waiting(): ScenarioWorld {
    const world = typed();
    world.range(MEMORY, M, M + 0xfffn);
    world.post("r4", at(M));
    world.wait();
    world.setSlotData(0x55667788n);
    return world;
  }

  it("with state NONE: the read yields all ones", () => {
    const world = waiting();
    world.setSlotState(STATE_IOREQ_NONE);
    world.notify();
    world.wait();
    expect(world.isFinished()).toBe(true);
    expect(world.mailbox(REGISTERS_OUT)).toBe(0xffffffffn);
  });

  it("with state 7: the domain crashes", () => {
    const world = waiting();
    world.setSlotState(7);
    world.notify();
    world.wait();
    expect(world.isFinished()).toBe(false);
    expect(world.domainFlags() & 4).toBe(4);
  });

  it("with INPROCESS, then READY again, then the answer: as if it had not gone backwards", () => {
    const world = waiting();
    for (const state of [2, STATE_IOREQ_READY]) {
      world.setSlotState(state);
      world.notify();
      world.wait();
      expect(world.isFinished()).toBe(false);
    }
    world.setSlotState(STATE_IOREQ_RESP_READY);
    world.notify();
    world.wait();
    expect(world.isFinished()).toBe(true);
    expect(world.mailbox(REGISTERS_OUT)).toBe(0x55667788n);
  });

  it("after the server was disabled and enabled again", () => {
    const world = waiting();
    expect(world.setState(0)).toBe(0);
    world.wait();
    expect(world.isFinished()).toBe(false);
    expect(world.setState(1)).toBe(0);
    world.setSlotState(STATE_IOREQ_RESP_READY);
    world.notify();
    world.wait();
    expect(world.mailbox(REGISTERS_OUT)).toBe(0x55667788n);
  });

  it("while nobody answers: unmapping the range changes nothing", () => {
    const world = waiting();
    expect(world.unmapRange(MEMORY, M, M + 0xfffn)).toBe(0);
    world.wait();
    expect(world.isFinished()).toBe(false);
  });
});
