/**
 * Partial-order reduction: schedule counts against closed formulas, the same end states and violations as without it, the same verdicts
 * as exhaustive search on the races of the catalogue, and independence tried out in real states.
 */
import { describe, expect, it } from "vitest";
import { isRegister } from "../../host/lib/explore/continuations.ts";
import { dpor } from "../../host/lib/explore/dpor.ts";
import { openRace, type RaceInstance } from "../../host/lib/explore/instance.ts";
import { createObserver } from "../../host/lib/explore/observer.ts";
import type { World } from "../../host/lib/explore/world.ts";
import { RACES } from "../../host/lib/races/catalogue.ts";
import { CONTINUATIONS_BASE, FRAME_TABLE_BASE, MACHINE_BASE } from "../../hv-core/abi/layout.ts";
import { type Commuting, commuting } from "./independence.ts";
import { footprintBuild, sameVerdict, variantsOfCatalogue } from "./same-verdict.ts";
import { BUDGET, choices, numbers } from "./support.ts";
import { cell, put, type ToyActor, times, toy } from "./toy.ts";

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
const reduced = (actors: readonly ToyActor[]) => dpor(toy(footprintBuild, actors), { budget: BUDGET });
const whole = (actors: readonly ToyActor[]) =>
  dpor(toy(footprintBuild, actors), { budget: BUDGET, withoutReduction: true });

/** Writes its own number to cell n, which is a conflict with whoever does the same. */
const writer = (n: number, value: number): ToyActor => ({
  steps: [{ text: "writes", run: (world) => put(world, n, value) }],
});

describe("schedules", () => {
  it.each([[[3, 3]], [[2, 2, 2]], [[4, 3, 2]], [[1, 1, 1, 1, 1]]])(
    "%j independent steps: one schedule; without reduction the multinomial coefficient",
    (parts) => {
      const actors = parts.map((n) => ({ steps: times(n) }));
      expect(reduced(actors)).toMatchObject({ verdict: "clean", exhaustive: true, schedules: 1 });
      const sum = parts.reduce((a, b) => a + b, 0);
      expect(whole(actors).schedules).toBe(parts.reduce((result, n) => result / factorial(n), factorial(sum)));
    },
  );

  it.each([2, 3, 4])("%i writers of one word: each order is another schedule, n!", (n) => {
    expect(reduced(Array.from({ length: n }, (_, i) => writer(0, i + 1))).schedules).toBe(factorial(n));
  });

  it.each([2, 3])("%i pairs of writers, a word for each pair: 2 to the n", (n) => {
    const actors = Array.from({ length: n }, (_, i) => [writer(i, 1), writer(i, 2)]).flat();
    expect(reduced(actors).schedules).toBe(2 ** n);
  });

  it("a reader before, between and after n writes: n + 1", () => {
    const reader = { steps: [{ text: "reads", run: (w: World) => void put(w, 1, cell(w)) }] };
    const writes = [1, 2, 3].map((value) => ({ text: "writes", run: (w: World) => put(w, 0, value) }));
    expect(reduced([reader, { steps: writes }]).schedules).toBe(4);
  });
});
describe("toys: end states with and without reduction", () => {
  /** A program of random reads and writes of three words. */
  function program(random: (below: number) => number, actor: number): ToyActor {
    const steps = Array.from({ length: 2 + random(2) }, () => {
      const [from, to, add] = [random(3), random(3), 1 + random(3)];
      return random(4) === 0
        ? { text: "waits", when: (w: World) => cell(w, from) !== 1, run: (w: World) => put(w, to, actor) }
        : { text: "adds", run: (w: World) => put(w, to, cell(w, from) + add) };
    });
    return { steps };
  }
  function ends(actors: readonly ToyActor[], withoutReduction: boolean): string[] {
    const instance = toy(footprintBuild, actors);
    const found = new Set<string>();
    const onEnd = () => void found.add(instance.hash());
    expect(dpor(instance, { budget: BUDGET, withoutReduction, onEnd }).verdict).toBe("clean");
    return [...found].sort();
  }
  it.each(Array.from({ length: 12 }, (_, seed) => seed))("seed %i", (seed) => {
    const random = numbers(seed + 1);
    const actors = Array.from({ length: 2 + random(2) }, (_, i) => program(random, i + 1));
    expect(ends(actors, false)).toEqual(ends(actors, true));
  });
});

it("an oracle that looks at two words sees every order of the steps that write them", () => {
  const actors: ToyActor[] = [writer(0, 1), writer(1, 1)];
  const invariant = (message: string, isBroken: (w: World) => boolean) => (world: World) => [
    { name: "order", text: message, always: () => (isBroken(world) ? message : undefined) },
  ];
  const first = toy(
    footprintBuild,
    actors,
    invariant("1 before 0", (w) => cell(w, 1) === 1 && cell(w, 0) === 0),
  );
  const second = toy(
    footprintBuild,
    actors,
    invariant("0 before 1", (w) => cell(w, 0) === 1 && cell(w, 1) === 0),
  );
  expect(dpor(first, { budget: BUDGET }).violation?.message).toBe("1 before 0");
  expect(dpor(second, { budget: BUDGET }).violation?.message).toBe("0 before 1");
});

describe("the catalogue: same verdict as exhaustive search", () => {
  // Larger entries: dpor.long.test.ts.
  it.each(variantsOfCatalogue)("%s %s", (_, variant, race) => {
    sameVerdict(race, variant, 120, 2_500);
  });
});

/** Words that belong to no state: processor, time, the mark of decoded code. */
const isPrivate = (address: number): boolean => [28, 32, 36, 60].includes(address - MACHINE_BASE);

/** All pairs of steps in the states of a few random runs. */
function tryOut(instance: RaceInstance, seed: number): Commuting {
  const pairs = commuting(instance);
  const next = numbers(seed);
  for (let run = 0; run < 1; run++) {
    instance.restore(instance.initial);
    for (let i = 0; i < 14; i++) {
      const enabled = choices(instance);
      if (enabled.length === 0) break;
      pairs.tryState();
      if (instance.step(enabled[next(enabled.length)]!)) break;
    }
  }
  pairs.stop();
  return pairs.totals();
}

describe("independent steps commute", () => {
  // Every state of the entries: independence.long.test.ts.
  it.each(RACES.map((race) => [race.name, race] as const))("%s", (_, race) => {
    const names = Object.keys(race.variants);
    const totals = [names[0]!, names.at(-1)!].map((variant, i) =>
      tryOut(openRace(footprintBuild, race, variant), i + 1),
    );
    expect(totals.every(({ states }) => states > 0)).toBe(true);
  });

  it("a step that looks at a word past its footprint is found", () => {
    const unseen = (world: World): number =>
      new Uint32Array(world.core.memory.buffer)[world.guestAddress(0x2004) >> 2]!;
    const looks: ToyActor = { steps: [{ text: "looks", run: (w) => put(w, 0, unseen(w)) }] };
    const pairs = commuting(toy(footprintBuild, [looks, writer(1, 1)]));
    expect(() => pairs.tryState()).toThrow("w0:write0 and w1:write0 are called independent, and");
  });

  it("a guard that looks at a word past its footprint is found", () => {
    const unseen = (world: World): number =>
      new Uint32Array(world.core.memory.buffer)[world.guestAddress(0x2004) >> 2]!;
    const waits: ToyActor = { steps: [{ text: "waits", when: (w) => unseen(w) === 1, run: (w) => put(w, 0, 1) }] };
    const pairs = commuting(toy(footprintBuild, [waits, writer(1, 1)]));
    expect(() => pairs.tryState()).toThrow("w1:write0 changes whether w0:write0 can step");
  });
});

describe("footprints are complete: a step changes nothing that is not in its footprint", () => {
  it.each(RACES.map((race) => [race.name, race] as const))("%s", (_, race) => {
    const instance = openRace(footprintBuild, race, Object.keys(race.variants).at(-1)!);
    const observer = createObserver(instance);
    const { u32 } = instance.setup.world.core;
    const next = numbers(5);
    instance.restore(instance.initial);
    for (let i = 0; i < 60; i++) {
      const enabled = choices(instance);
      if (enabled.length === 0) break;
      instance.hash();
      const before = instance.save();
      const { footprint, violation } = observer.step(enabled[next(enabled.length)]!);
      if (violation) break;
      instance.hash(); // what is derived is dropped as it was before
      const changed = new Set(footprint.changed);
      before.parts.forEach((bytes, part) => {
        const start = before.starts[part]! >> 2;
        if (bytes.length === 0 || (start >= CONTINUATIONS_BASE >> 2 && start < FRAME_TABLE_BASE >> 2)) return;
        const words = new Uint32Array(bytes.buffer, bytes.byteOffset, bytes.length >> 2);
        words.forEach((old, n) => {
          if (
            u32[start + n] !== old &&
            !changed.has(start + n) &&
            !isPrivate((start + n) << 2) &&
            !isRegister((start + n) << 2)
          )
            throw new Error(`word 0x${((start + n) << 2).toString(16)} changed unseen`);
        });
      });
    }
    observer.stop();
  });
});
