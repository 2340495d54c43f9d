/** Moving through a run as the page does, and repeating what was typed. */
import { describe, expect, it } from "vitest";
import { goTo, openSession } from "./session.ts";

describe("a session of the page", () => {
  it("positions are exact, in both directions, with the same bytes", async () => {
    const session = await openSession("mmio");
    goTo(session, 500);
    expect(session.at).toBe(500);
    const there = session.machine.stateHash();
    session.step();
    expect(session.at).toBe(501);
    session.back();
    expect([session.at, session.machine.stateHash()]).toEqual([500, there]);
    goTo(session, 3000);
    goTo(session, 500);
    expect([session.at, session.machine.stateHash()]).toEqual([500, there]);
    goTo(session, 0);
    expect(session.at).toBe(0);
  });

  it("says that it did not get there when the guest ends before", async () => {
    const session = await openSession("mmio");
    expect(goTo(session, 1_000_000)).toBe("ended");
    expect(session.at).toBeLessThan(1_000_000);
  });

  it("types again what was typed, at the same place", async () => {
    const first = await openSession("mmio");
    goTo(first, 300);
    first.type(new TextEncoder().encode("ls\n"));
    goTo(first, 2000);
    const second = await openSession("mmio");
    expect(second.replay(first.allTyped)).toBe(true);
    goTo(second, 2000);
    expect(second.machine.stateHash()).toBe(first.machine.stateHash());
  });

  it("says that typing which belongs to another run cannot be repeated", async () => {
    const session = await openSession("mmio");
    expect(session.replay([{ time: 10 ** 9, bytes: new Uint8Array([10]) }])).toBe(false);
  });

  it("typing at an earlier place forgets what was typed later", async () => {
    const session = await openSession("mmio");
    goTo(session, 900);
    session.type(new Uint8Array([65]));
    goTo(session, 400);
    session.type(new Uint8Array([66]));
    expect(session.allTyped.map((t) => t.bytes[0])).toEqual([66]);
  });

  it("goes from exit to exit, forwards and backwards", async () => {
    const session = await openSession("mmio");
    const places: number[] = [];
    for (let i = 0; i < 6; i++) {
      expect(session.nextExit()).toBe("reached");
      places.push(session.machine.now());
    }
    expect(places).toEqual([...new Set(places)].sort((a, b) => a - b));
    for (const place of places.slice(0, -1).reverse()) {
      session.lastExit();
      expect(session.machine.now()).toBe(place);
    }
    session.lastExit();
    expect(session.at).toBe(0);
  });

  it("steps back one by one to where it came from, exits that retire nothing included", async () => {
    const session = await openSession("mmio");
    goTo(session, 8);
    const places: number[] = [];
    for (let i = 0; i < 14; i++) {
      places.push(session.machine.now());
      session.step();
    }
    for (const place of places.reverse()) {
      session.back();
      expect(session.machine.now()).toBe(place);
    }
  });
});
