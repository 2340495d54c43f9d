/** Actors are data: in whatever state, snapshot, step, restore, step again gives the same bytes; and a step touches no other actor's place. */
import { describe, expect, it } from "vitest";
import type { RaceInstance } from "../../host/lib/explore/instance.ts";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { choices, numbers, open } from "./support.ts";

const bytesOf = (instance: RaceInstance): Buffer => Buffer.concat(instance.save().parts);

/** The state after it, or the invariant that broke. */
function stepped(instance: RaceInstance, actor: number): string {
  const violation = instance.step(actor);
  return violation ? violation.invariant : `${instance.hash()} ${instance.place(actor)}`;
}

describe.each(RACES.map((race) => [race.name, race] as const))("%s", (name, race) => {
  const everStepped = new Set<number>();
  it.each(Object.keys(race.variants))("variant %s: every step can be taken again from a copy", (variant) => {
    const instance = open(name, variant);
    const next = numbers(7);
    const seen = new Set<number>();
    for (let run = 0; run < 6; run++) {
      instance.restore(instance.initial);
      for (let i = 0; i < 40; i++) {
        const enabled = choices(instance);
        if (enabled.length === 0) break;
        const actor = enabled[next(enabled.length)]!;
        seen.add(actor);
        instance.hash();
        const before = instance.save();
        const first = stepped(instance, actor);
        const bytes = bytesOf(instance);
        const others = choices(instance).filter((a) => a !== actor);
        if (others.length > 0 && !first.match(/^[a-z]/)) instance.step(others[0]!);
        instance.restore(before);
        const second = stepped(instance, actor);
        expect(second).toBe(first);
        expect(bytesOf(instance).equals(bytes)).toBe(true);
        if (first.length < 17) break;
      }
    }
    for (const actor of seen) everStepped.add(actor);
  });

  it("more than one actor was stepped", () => {
    expect(everStepped.size).toBeGreaterThan(["fetch-livelock", "counted-without-saving"].includes(name) ? 0 : 1);
  });
});

it("a restored state has the hash it had", () => {
  const instance = open("ioreq-unmap-window", "fixed");
  const hash = instance.hash();
  const start = instance.save();
  for (let i = 0; i < 10; i++) instance.step(choices(instance)[0]!);
  expect(instance.hash()).not.toBe(hash);
  instance.restore(start);
  expect(instance.hash()).toBe(hash);
});
