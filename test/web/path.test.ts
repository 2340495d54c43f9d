/** The path of a store: each step is lit by what really happened. */
import { describe, expect, it } from "vitest";
import { PATH_STEPS, type PathStep, pathOf } from "../../host/web/model/path.ts";
import type { Session } from "../../host/web/worker/session.ts";
import { EXIT_EPT_VIOLATION } from "../../hv-core/abi/exits.ts";
import { TRC_EXIT } from "../../hv-core/abi/trace-events.ts";
import { findInstruction, goTo, openSession } from "./session.ts";

const isViolation = (s: Session): boolean =>
  s.evidence().records.some((r) => r.event === TRC_EXIT && r.a === EXIT_EPT_VIOLATION);
const taken = (session: Session): string[] =>
  pathOf(session.evidence())
    .steps.filter((s) => s.state === "taken")
    .map((s) => s.name);
const stateOf = (session: Session, name: string): PathStep["state"] =>
  pathOf(session.evidence()).steps.find((s) => s.name === name)!.state;

describe("the path of a store", () => {
  it("a store to a device takes all ten steps but the guest walk, which is off without paging", async () => {
    const session = await openSession("mmio");
    findInstruction(session, isViolation);
    const path = pathOf(session.evidence());
    expect(path.isComplete).toBe(true);
    expect(path.steps.map((s) => s.name)).toEqual([...PATH_STEPS]);
    expect(taken(session).filter((name) => name !== "guestWalk")).toEqual(PATH_STEPS.filter((n) => n !== "guestWalk"));
    const told = path.steps.flatMap((s) => s.evidence).join("\n");
    expect(told).toContain("EPT_VIOLATION gpa 0xfe000");
    expect(told).toContain("READY mmio");
  });

  it("an instruction that stays inside the guest ends at the TLB", async () => {
    const session = await openSession("mmio");
    findInstruction(session, (s) => s.evidence().records.length === 0 && s.at > 20);
    expect(taken(session)).toEqual(["execute", "tlb"]);
  });

  it("a port access has no violation", async () => {
    const session = await openSession("hello");
    findInstruction(session, (s) => s.evidence().counts.ioreqSent === 1);
    expect(taken(session)).toContain("select");
    expect(stateOf(session, "violation")).toBe("skipped");
    expect(stateOf(session, "eptWalk")).toBe("skipped");
  });

  it("with the devices in the core nothing goes through door 2", async () => {
    const session = await openSession("mmio", { "device.at": 1 });
    findInstruction(session, isViolation);
    expect(stateOf(session, "select")).toBe("taken");
    expect(stateOf(session, "device")).toBe("skipped");
    expect(stateOf(session, "completion")).toBe("skipped");
  });

  it("inside one instruction the steps light up one after the other, and the whole is the same as a step", async () => {
    const session = await openSession("mmio");
    findInstruction(session, isViolation);
    const { at, machine } = session;
    const whole = machine.stateHash();
    session.back();
    const reached: number[] = [];
    const states: string[] = [];
    for (let i = 0; session.at < at && i < 50; i++) {
      session.inside();
      const evidence = session.evidence();
      reached.push(pathOf(evidence).reached);
      states.push(evidence.slots.map((s) => s.state).join());
      if (pathOf(evidence).steps.some((s) => s.state === "waiting")) expect(evidence.isComplete).toBe(false);
    }
    expect(reached).toEqual([...reached].sort((a, b) => a - b));
    expect(reached).toContain(8);
    expect(reached.at(-1)).toBe(10);
    expect(states).toContain("READY");
    expect(states).toContain("RESP_READY");
    expect(machine.stateHash()).toBe(whole);
  });

  it("the evidence of a position is the same however it was reached", async () => {
    const session = await openSession("mmio");
    findInstruction(session, isViolation);
    const walked = session.evidence();
    const { at } = session;
    goTo(session, at + 100);
    goTo(session, at);
    expect(session.evidence()).toEqual(walked);
  });

  it("before the first instruction nothing is lit", async () => {
    const session = await openSession("mmio");
    const path = pathOf(session.evidence());
    expect(path.reached).toBe(0);
    expect(new Set(path.steps.map((s) => s.state))).toEqual(new Set(["ahead"]));
    expect(path.steps.every((s) => s.evidence.length === 0)).toBe(true);
  });
});
