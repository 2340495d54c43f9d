/** A guest folder is a test: its README is a lesson, its expect.json is what it prints, how it ends, and how often it leaves the guest. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { guestNames, loadGuest } from "../../host/node/guests.ts";
import { ROOT } from "../../host/node/paths.ts";
import { runGuest } from "./run-guest.ts";

interface Expectation {
  readonly console: string;
  readonly outcome: string;
  /** Exits by name that must be exactly as often; others may happen. */
  readonly exits?: Readonly<Record<string, number>>;
}

const folder = (name: string): string => join(ROOT, "guests", name);
const names = guestNames();
const all = await Promise.all(names.map(async (name) => ({ name, guest: await loadGuest(name) })));
const lessons = all.filter(({ guest }) => !guest.isProbe);
const probes = all.filter(({ guest }) => guest.isProbe);
const HEADINGS = ["Shows.", "Why it matters.", "Path.", "Expected trace.", "Exercise."];

const readExpectation = (name: string): Expectation =>
  JSON.parse(readFileSync(join(folder(name), "expect.json"), "utf8")) as Expectation;

describe.each(all)("$name", ({ name, guest }) => {
  it("calls itself like its folder and builds the same image every time", async () => {
    expect(guest.name).toBe(name);
    expect(Buffer.from(guest.build()).equals(Buffer.from(guest.build()))).toBe(true);
    expect(guest.listing().length).toBeGreaterThan(100);
  });
});

describe.each(lessons)("$name", ({ name }) => {
  const expected = readExpectation(name);

  it("has a lesson", () => {
    const text = readFileSync(join(folder(name), "README.md"), "utf8");
    for (const heading of HEADINGS) expect(text).toContain(`**${heading}**`);
  });

  it("prints and ends as expected, twice with the same trace and state", async () => {
    const first = await runGuest(name);
    expect(first.console).toBe(expected.console);
    expect({ outcome: first.outcome, reason: first.reason }).toMatchObject({ outcome: expected.outcome });
    expect(first.exits).toMatchObject(expected.exits ?? {});
    const second = await runGuest(name);
    expect({ trace: second.traceHash, state: second.stateHash }).toEqual({
      trace: first.traceHash,
      state: first.stateHash,
    });
  });

  it("prints the same with the devices in the core", async () => {
    const run = await runGuest(name, { knobs: { "device.at": 1 } });
    expect({ console: run.console, outcome: run.outcome }).toEqual({
      console: expected.console,
      outcome: expected.outcome,
    });
  });
});

it.each(probes)("$name is recorded", ({ name }) => {
  expect(existsSync(join(ROOT, "test", "oracle", "recorded", `${name}.txt`))).toBe(true);
  expect(existsSync(join(folder(name), "README.md"))).toBe(true);
});
