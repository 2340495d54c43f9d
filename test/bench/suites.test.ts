/** Every path that is measured really does what its name says: at its smallest size, by counts. No time is judged here. */
import { describe, expect, it } from "vitest";
import type { Contestant } from "../../bench/harness.ts";
import { STRING_PROGRAMS } from "../../bench/programs.ts";
import { sharingBench, UNSHARE_COPIES } from "../../bench/sharing-world.ts";
import { ipiContestant } from "../../bench/suites/events.ts";
import { programContestant } from "../../bench/suites/guest-mips.ts";
import { memTypeBench } from "../../bench/suites/mem-type.ts";
import { walkContestant } from "../../bench/suites/p2m-walk.ts";
import { violationContestant as bareViolation } from "../../bench/suites/sharing.ts";
import { COUNT, modelMisses, tlbContestant } from "../../bench/suites/tlb.ts";
import { violationContestants } from "../../bench/suites/violations.ts";
import { SUITES } from "../../bench/suites.ts";
import { missesOf } from "../../bench/tlb-model.ts";
import { readCounter } from "../../host/lib/counters.ts";
import { UNMAP_PRESETS } from "../../host/lib/presets.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { BENCH_ORDER_ADD, BENCH_ORDER_FACTOR } from "../../hv-core/abi/bench-order.ts";

/** What one call, or one sample, counts. */
function once(contestant: Contestant): Record<string, number> {
  const before = contestant.counters?.() ?? {};
  if (contestant.call) contestant.call();
  else expect(contestant.sample!().every((seconds) => seconds > 0)).toBe(true);
  const after = contestant.counters?.() ?? {};
  return Object.fromEntries(Object.entries(after).map(([name, n]) => [name, n - (before[name] ?? 0)]));
}

describe("sweeps", () => {
  const sweeps = Object.entries(SUITES).flatMap(([suite, { sweeps }]) => (sweeps ?? []).map((s) => ({ suite, ...s })));

  it.each(sweeps.map((s) => [`${s.suite}: ${s.name}`, s] as const))(
    "%s runs, and has what it is judged by",
    (_, sweep) => {
      expect(sweep.sizes.length).toBeGreaterThanOrEqual(4);
      const contestant = sweep.at(sweep.sizes[0]!);
      once(contestant);
      const counted = once(contestant);
      expect(contestant.operations).toBeGreaterThan(0);
      if (sweep.counts && sweep.documented !== "constant")
        expect(sweep.counts.some((name) => (counted[name] ?? 0) > 0)).toBe(true);
    },
  );
});

describe("TLB", () => {
  it.each([
    [16, 256],
    [64, 256],
    [256, 4096],
    [1024, 1024],
  ])("a model of one way counts what the processor counts (%i entries, %i pages)", (entries, pages) => {
    const contestant = tlbContestant(entries, pages);
    once(contestant); // fills it
    expect(once(contestant).tlbMisses ?? 0).toBe(modelMisses(entries, pages, 1).misses);
  });

  it("ways: two pages of one set evict each other with one way, and not with two", () => {
    const turns = Array.from({ length: 100 }, (_, i) => (i % 2) * 64);
    expect(missesOf(64, 1, turns, 0).misses).toBe(100);
    expect(missesOf(64, 2, turns, 0).misses).toBe(2);
    expect(missesOf(4, 4, [0, 1, 2, 3, 4, 0], 0).misses).toBe(6); // the least recently used one goes
    expect(missesOf(4, 4, [0, 1, 2, 3, 0, 4, 0], 0).misses).toBe(5);
    expect(modelMisses(256, 4096, 8).misses).toBeLessThanOrEqual(COUNT);
  });
});

describe("walks", () => {
  it.each([
    [1, 1, "in order"],
    [1, 64, "strided"],
    [2, 64, "random"],
    [3, 3072, "random"],
  ] as const)("level %i leaves over %i MiB, %s", (level, mebibytes, order) => {
    walkContestant(level, mebibytes, order, 1000).call!();
  });
});

describe("the page type", () => {
  it.each(Object.keys(UNMAP_PRESETS))("%s: all pages get it, and none is left when the design says so", (design) => {
    const bench = memTypeBench(design, 3000, 3);
    for (let round = 0; round < 2; round++) {
      bench.prepare();
      expect(bench.exports.memTypeLeft()).toBe(3000);
      const before = bench.counters().shootdownsSent!;
      bench.unmap();
      expect(bench.counters().shootdownsSent! - before).toBeGreaterThanOrEqual(3);
      expect(bench.exports.memTypeLeft()).toBe(design === "2016-v6" ? 3000 : 0);
    }
  });

  it("goes with 128 vCPUs", () => {
    const bench = memTypeBench("merged", 600, 128);
    bench.prepare();
    const before = bench.counters().shootdownsSent!;
    bench.unmap();
    expect((bench.counters().shootdownsSent! - before) % 128).toBe(0);
  });
});

describe("violations", () => {
  const wanted: Readonly<Record<string, string>> = {
    "device in the core": "ioreqInternal",
    "hole, nobody answers": "ioreqNull",
    "page of type ioreq_server, a device model answers": "ioreqSent",
    "page access, a monitor hears of it": "accessViolations",
  };
  it.each(violationContestants().map((c) => [c.name, c] as const))("%s", (name, contestant) => {
    const counted = once(contestant);
    const counter = wanted[name];
    if (counter) expect(counted[counter]).toBeGreaterThan(0);
    if (counter === "ioreqSent") expect(counted.ioreqCompleted).toBeGreaterThan(0);
    // A budget ends anywhere in the loop.
    if (contestant.call)
      expect(Math.abs(counted["exit EPT_VIOLATION"]! - contestant.operations)).toBeLessThanOrEqual(1);
  });
});

it("a guest's event is a hypercall each", () => {
  const counted = once(ipiContestant(3));
  expect(counted.evtchnSends).toBeGreaterThan(1000);
  expect(counted.evtchnSends! - counted["exit VMCALL"]!).toBeLessThanOrEqual(1);
});

it.each(STRING_PROGRAMS.map((p) => [p.name, p] as const))("%s goes page by page", (_, program) => {
  const contestant = programContestant(compileBuild("silicon"), program, 10_000);
  once(contestant);
  // An element by element copy would miss the TLB each time.
  expect(once(contestant).tlbMisses ?? 0).toBeLessThan(10_000);
});

describe("copy on write", () => {
  it("the guest writes to each of its pages once, in an order that is no constant stride: each write is one unshare", () => {
    const bench = sharingBench(64, 63, 64);
    bench.share(64);
    const before = readCounter(bench.machine.core, UNSHARE_COPIES);
    expect(bench.run(64, UNSHARE_COPIES)).toBeGreaterThan(0);
    expect(readCounter(bench.machine.core, UNSHARE_COPIES) - before).toBe(64);
    bench.machine[Symbol.dispose]();
  });

  it("the bare violation leaves, finds nothing to do, and goes on: every exit is one, and no entry is changed", () => {
    const bare = bareViolation();
    const counted = once(bare);
    expect(counted["exit EPT_VIOLATION"] ?? bare.operations).toBe(bare.operations);
    expect([counted.p2mSets ?? 0, counted.logdirtyFaults ?? 0, counted.ioreqSent ?? 0]).toEqual([0, 0, 0]);
    expect(bare.operations).toBeGreaterThan(900);
  });

  it("the order of the bare copies visits every page once before any comes again", () => {
    for (const pages of [64, 65_536]) {
      const seen = new Uint8Array(pages);
      const steps = new Set<number>();
      for (let i = 0, at = 0; i < pages; i++) {
        seen[at] = 1;
        const next = (Math.imul(at, BENCH_ORDER_FACTOR) + BENCH_ORDER_ADD) & (pages - 1);
        steps.add(next - at);
        at = next;
      }
      expect(seen.every((x) => x === 1)).toBe(true);
      expect(steps.size).toBeGreaterThan(pages / 8);
    }
  });
});
