/** Time travel: every place that a session goes to is the state of a straight run to there, to the byte. */
import { describe, expect, it } from "vitest";
import { UsageError } from "../../host/lib/errors.ts";
import { boot, randoms, record } from "./support.ts";

/** Checkpoints close together, so that small guests have many. */
const CLOSE = { interval: 1000, checkpoints: 12 };

const state = (machine: { stateHash(): string; traceHash(): string; console(): string }) => [
  machine.stateHash(),
  machine.traceHash(),
  machine.console(),
];

describe.each(["hello", "timer", "smp-spinlock", "rep-mmio", "mmio", "exceptions", "cow"])("guest %s", (name) => {
  it("has at instruction n the state of a straight run to n", async () => {
    const { session } = await record(name, CLOSE);
    const end = session.run({ maxInstructions: 300_000 });
    expect(["ended", "budget", "idle"]).toContain(end.reason);
    const random = randoms(name.length);
    const total = end.position.instructions;
    const places = Array.from({ length: 12 }, () => Math.floor(random.next().value * total));
    for (const n of places) {
      const stop = session.seek(n);
      expect(stop.position.instructions).toBe(n);
      const { machine } = await boot(name);
      machine.advance({ instructions: n });
      expect(state(session.machine)).toEqual(state(machine));
      expect(session.position().time).toBe(machine.now());
    }
    session.goTo(session.frontier());
    const { machine } = await boot(name);
    machine.run({ maxInstructions: 300_000 });
    expect(session.machine.traceHash()).toBe(machine.traceHash());
  });

  it("comes back to every place by its position, also between instructions", async () => {
    const { session } = await record(name, CLOSE);
    const seen = [];
    for (let i = 0; i < 60; i++) {
      session.seekTime(session.position().time + 37 * i + 1);
      seen.push({ position: session.position(), state: state(session.machine) });
    }
    for (const { position, state: before } of seen.reverse()) {
      expect(session.goTo(position).position).toEqual(position);
      expect(state(session.machine)).toEqual(before);
    }
  });
});

describe("steps", () => {
  it("goes forwards and backwards by instruction through the same states", async () => {
    const { session, slot } = await record("smp-spinlock", CLOSE);
    session.seek(2000);
    const there = [];
    for (let i = 0; i < 40; i++) {
      there.push([session.position().instructions, session.machine.regs(slot).rip, session.machine.stateHash()]);
      session.step();
    }
    for (const [instructions, rip, hash] of there.reverse()) {
      expect(session.stepBack().reason).toBe("reached");
      expect([session.position().instructions, session.machine.regs(slot).rip, session.machine.stateHash()]).toEqual([
        instructions,
        rip,
        hash,
      ]);
    }
  });

  it("steps one vCPU while the others run, and back", async () => {
    const { session, domid } = await record("smp-spinlock", CLOSE);
    session.seek(30_000);
    for (const slot of session.machine.vcpus(domid)) {
      const rip = session.machine.regs(slot).rip;
      const before = session.machine.regs(slot);
      if (session.stepVcpu(slot).reason !== "reached") continue;
      expect(session.machine.regs(slot).rip).not.toBe(rip);
      session.stepBackVcpu(slot);
      expect(session.machine.regs(slot)).toEqual(before);
    }
  });

  it("stops at the beginning and says so", async () => {
    const { session } = await record("hello", CLOSE);
    const hash = session.machine.stateHash();
    session.step(10);
    expect(session.stepBack(100)).toMatchObject({ reason: "start", position: session.start() });
    expect(session.machine.stateHash()).toBe(hash);
    expect(() => session.seek(-1)).toThrow(UsageError);
    expect(() => session.seekExit(1)).toThrow(/0 exits were recorded/);
  });

  it("goes exit by exit and p2m change by p2m change", async () => {
    const { session } = await record("mmio", CLOSE);
    session.run();
    const exits = session.timeline({ names: ["exit"] });
    expect(exits.length).toBe(session.frontier().exits);
    session.goTo(session.start());
    for (let k = 1; k <= 20; k++) {
      session.stepEvent(["exit"]);
      expect(session.position().exits).toBe(k);
      expect(session.position().time).toBe(exits[k - 1]!.at);
    }
    for (let k = 19; k >= 1; k--) {
      session.stepBackEvent(["exit"]);
      expect(session.position().exits).toBe(k);
    }
    expect(session.stepBackEvent(["exit"]).reason).toBe("start");
    session.seekExit(100);
    expect(session.position().exits).toBe(100);
    expect(() => session.stepBackEvent(["nonsense"])).toThrow(/no event of the trace/);
  });
});

describe("the outside", () => {
  it("types again at the same place, and forgets what came after when something else is typed", async () => {
    const { session, domid } = await record("hello", CLOSE);
    session.run({ maxInstructions: 100_000 });
    session.type(domid, new TextEncoder().encode("ab\n"));
    session.run({ maxInstructions: 100_000 });
    const [text, end] = [session.machine.console(), session.frontier()];
    const hash = session.machine.stateHash();
    session.goTo(session.start());
    expect(session.machine.console()).toBe("");
    session.goTo(end);
    expect([session.machine.console(), session.machine.stateHash()]).toEqual([text, hash]);
    expect(session.actions()).toMatchObject([{ name: 'type "ab\\n"' }]);
    session.seek(Math.floor(end.instructions / 4));
    session.type(domid, new TextEncoder().encode("x"));
    expect(session.actions()).toMatchObject([{ name: 'type "x"' }]);
    expect(session.frontier()).toEqual(session.position());
  });
});

it("keeps few checkpoints however long the run is", async () => {
  const { session } = await record("timer", { interval: 1000, checkpoints: 8 });
  session.run({ maxInstructions: 200_000 });
  expect(session.usage.checkpoints).toBeLessThanOrEqual(8);
  expect(session.usage.bytes).toBeLessThan(64 * 2 ** 20);
});
