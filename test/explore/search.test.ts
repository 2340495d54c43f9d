/**
 * The search itself: schedule counts against closed formulas, state hashing against exact bytes, preemption bounds, budgets,
 * livelocks in models whose answer is known.
 */
import { describe, expect, it } from "vitest";
import type { RaceInstance } from "../../host/lib/explore/instance.ts";
import type { Invariant } from "../../host/lib/explore/race.ts";
import { search } from "../../host/lib/explore/search.ts";
import { verdictSentence } from "../../host/lib/explore/strategies.ts";
import type { World } from "../../host/lib/explore/world.ts";
import type { WriteStep } from "../../host/lib/explore/writer-actor.ts";
import { DOM_HYPERVISOR_PAUSE, DOM_P2M_LOCK } from "../../hv-core/abi/domain.ts";
import {
  FRAME_OWNERS_BASE,
  FRAME_RECORD_SIZE,
  FRAME_TABLE_BASE,
  FRAMES_BASE,
  VCPU_SIZE,
  VCPUS_BASE,
} from "../../hv-core/abi/layout.ts";
import { BUDGET, open, raceBuild } from "./support.ts";
import { toy as anyToy, cell, put, type ToyActor, times } from "./toy.ts";

const toy = (programs: readonly ToyActor[], invariants?: (world: World) => Invariant[]): RaceInstance =>
  anyToy(raceBuild, programs, invariants);
const tree = (instance: RaceInstance) => search(instance, { budget: BUDGET, tree: true });

/** A flag of a frame's record: nobody owns it. */
const FRAME_FREE = 16;

const factorial = (n: number): number => (n <= 1 ? 1 : n * factorial(n - 1));
const multinomial = (...parts: number[]): number =>
  parts.reduce((result, part) => result / factorial(part), factorial(parts.reduce((a, b) => a + b, 0)));

describe("schedules of independent actors", () => {
  it.each([[[3, 3]], [[2, 2, 2]], [[4, 3]], [[1, 1, 1, 1]], [[5]]])("%j: the multinomial coefficient", (parts) => {
    const result = tree(toy(parts.map((n) => ({ steps: times(n) }))));
    expect(result.verdict).toBe("clean");
    expect(result.schedules).toBe(multinomial(...parts));
  });

  it.each([[[3, 3]], [[2, 2, 2]], [[4, 3, 2]]])("%j: with hashing, the product of (n + 1) states", (parts) => {
    const result = search(toy(parts.map((n) => ({ steps: times(n) }))), { budget: BUDGET });
    expect(result.states).toBe(parts.reduce((product, n) => product * (n + 1), 1));
    expect(result.exhaustive).toBe(true);
  });

  it.each([0, 1, 2, 3])("two actors of 3 steps with at most %i preemptions", (bound) => {
    const result = search(toy([{ steps: times(3) }, { steps: times(3) }]), {
      budget: BUDGET,
      tree: true,
      preemptions: bound,
    });
    // Schedules by their number of switches away from an actor that is not through, counted by hand over all 20.
    let expected = 0;
    for (let word = 0; word < 64; word++) {
      const steps = Array.from({ length: 6 }, (_, i) => (word >> i) & 1);
      if (steps.reduce((a, b) => a + b, 0) !== 3) continue;
      const left = [3, 3];
      let preemptions = 0;
      steps.forEach((actor, i) => {
        if (i > 0 && actor !== steps[i - 1] && left[steps[i - 1]!]! > 0) preemptions++;
        left[actor]!--;
      });
      if (preemptions <= bound) expected++;
    }
    expect(result.schedules).toBe(expected);
  });
});

describe("what is found in toys", () => {
  /** A counter incremented in two steps, load and store. */
  function increment(slot: number): WriteStep[] {
    return [
      { text: "loads", run: (world) => put(world, slot, cell(world)) },
      { text: "stores", run: (world) => put(world, 0, cell(world, slot) + 1) },
    ];
  }
  const sum = (world: World): Invariant[] => [
    {
      name: "sum",
      text: "both increments count",
      atEnd: () => (cell(world) === 2 ? undefined : `the sum is ${cell(world)}`),
    },
  ];

  it("a set-up that is broken before the first step is an error, never a clean result", () => {
    const broken = (when: "always" | "atEnd") => () => [{ name: "sane", text: "sane", [when]: () => "it is not" }];
    expect(() => toy([{ steps: times(1) }], broken("always"))).toThrow(/toy: the set-up failed: sane .* it is not/);
    expect(() => toy([], broken("atEnd"))).toThrow(/toy: the set-up failed: sane .* it is not/);
    expect(search(toy([{ steps: times(1) }], broken("atEnd")), { budget: BUDGET }).violation?.invariant).toBe("sane");
  });

  it("a lost update", () => {
    const result = search(toy([{ steps: increment(1) }, { steps: increment(2) }], sum), { budget: BUDGET });
    expect(result.violation).toMatchObject({ invariant: "sum", message: "the sum is 1" });
    const none = search(toy([{ steps: increment(1) }, { steps: increment(2) }], sum), {
      budget: BUDGET,
      preemptions: 0,
    });
    expect(none.verdict).toBe("clean");
  });

  it("a spinner that nobody frees is a livelock; one that somebody will free is none", () => {
    const spin: WriteStep = { text: "spins", run() {} };
    const spinner = (until: number) => ({
      steps: [{ ...spin, when: (w: World) => cell(w) !== until }],
      loops: true,
      hasWork: true,
    });
    const setter = { steps: [{ text: "sets", run: (w: World) => put(w, 0, 1) }] };
    expect(search(toy([spinner(1)]), { budget: BUDGET }).violation?.invariant).toBe("livelock");
    expect(search(toy([spinner(1), setter]), { budget: BUDGET }).verdict).toBe("clean");
    expect(search(toy([spinner(2), setter]), { budget: BUDGET }).violation?.invariant).toBe("livelock");
  });

  it("books that do not balance at the end: a lock, a pause, a frame", () => {
    const broken = (text: string, run: (world: World) => void) =>
      search(toy([{ steps: [{ text, run }] }]), { budget: BUDGET }).violation;
    const set = (at: number, value: number) => (world: World) => world.core.view.setUint32(at, value, true);
    expect(broken("keeps a lock", (w) => set(w.domainAt + DOM_P2M_LOCK, 0x18001)(w))).toMatchObject({
      invariant: "balance",
      message: "at the end the p2m lock of domain 1 is still held by w0",
    });
    expect(broken("pauses", (w) => set(w.domainAt + DOM_HYPERVISOR_PAUSE, 1)(w))?.message).toContain("still paused");
    expect(broken("loses a frame", (w) => set(FRAME_OWNERS_BASE + 12, 99)(w))?.message).toMatch(/its account says 99/);
    const unreferenced = (w: World) => set(FRAME_TABLE_BASE + 5 * FRAME_RECORD_SIZE + 4, 0)(w);
    expect(broken("drops a reference", unreferenced)?.message).toBe("at the end frame 5 has an owner and no reference");
    const record = (mfn: number) => FRAME_TABLE_BASE + mfn * FRAME_RECORD_SIZE;
    /** A frame of the guest's RAM. */
    const ram = (w: World) => (w.guestAddress(0x2000) - FRAMES_BASE) / 4096;
    const add = (w: World, at: number) => set(at, w.core.view.getUint32(at, true) + 1)(w);
    expect(broken("takes a reference and keeps it", (w) => add(w, record(ram(w)) + 4))?.message).toMatch(
      /^at the end frame \d+ has 2 reference\(s\), and 1 can be accounted for$/,
    );
    expect(broken("takes a type reference and keeps it", (w) => add(w, record(ram(w)) + 8))?.message).toMatch(
      /has 1 type reference\(s\), and 0 can be accounted for$/,
    );
    const freed = (w: World) => {
      w.core.view.setUint32(record(ram(w)), 0xffff | (FRAME_FREE << 16), true);
      set(record(ram(w)) + 4, 0)(w);
      put(w, 0, 1);
    };
    expect(broken("writes to a frame that is free", freed)?.message).toMatch(/was written to after it was freed$/);
  });

  it("a spent budget is no proof, and says so", () => {
    const result = search(open("ioreq-unmap-window", "fixed"), { budget: { steps: 128, seconds: 60 } });
    expect(result).toMatchObject({ verdict: "budget", exhaustive: false });
    expect(verdictSentence(result)).toContain("not a proof");
    expect(verdictSentence(search(toy([{ steps: times(2) }]), { budget: BUDGET }))).toBe(
      "all 3 states explored: no violation",
    );
  });
});

/** Everything that is state, exactly: what the hash is of, as text. */
function exactKey(instance: RaceInstance): string {
  instance.hash();
  const saved = instance.save();
  const parts = saved.parts.map((bytes, i) => {
    const start = saved.starts[i]!;
    if (start !== FRAMES_BASE) return bytes;
    const copy = bytes.slice();
    copy.fill(0, 0, 4096); // there is no frame 0
    return copy;
  });
  return Buffer.concat(parts).toString("latin1");
}

describe("hashing", () => {
  it.each([
    ["lost-wakeup", "fixed"],
    ["emulator-dies", "fixed"],
    ["pause-under-lock", "fixed"],
    ["slot-state-toggled", "fixed"],
  ])("%s %s: as many states by hash as by exact bytes", (name, variant) => {
    expect(VCPUS_BASE + VCPU_SIZE).toBeLessThan(FRAMES_BASE);
    const byHash = search(open(name, variant), { budget: BUDGET });
    const instance = open(name, variant);
    const exact = search(instance, { budget: BUDGET, keyOf: () => exactKey(instance) });
    expect(exact.states).toBe(byHash.states);
    expect(exact.steps).toBe(byHash.steps);
  });

  it("two states that differ in two bits of an empty page have different hashes", () => {
    const instance = open("lost-wakeup", "fixed");
    const { world } = instance.setup;
    const word = world.guestAddress(0x3000) >> 2;
    const places = Array.from({ length: 16 }, (_, n) =>
      [0, 12, 28, 31].map((bit) => [word + n, 1 << bit] as const),
    ).flat();
    const seen = new Map<string, string>();
    const note = (name: string): void => {
      const hash = instance.hash();
      expect(seen.get(hash), name).toBeUndefined();
      seen.set(hash, name);
    };
    const flip = ([at, bit]: readonly [number, number]): void => {
      world.core.u32[at] = world.core.u32[at]! ^ bit;
    };
    note("none");
    places.forEach((first, i) => {
      flip(first);
      note(first.join());
      for (const second of places.slice(i + 1)) {
        flip(second);
        note(`${first.join()} ${second.join()}`);
        flip(second);
      }
      flip(first);
    });
  });
});
