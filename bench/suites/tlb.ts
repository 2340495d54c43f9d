/**
 * The TLB: loads that hit and miss by its size and by the working set, and what it costs that every page has only one place in it. The TLB of the
 * testbed is direct-mapped; what more ways would save is counted by a model of one (tlb-model.ts) over the same addresses.
 */
import { instantiateSilicon } from "../../host/lib/silicon.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { countersOf } from "../counted.ts";
import { type Contestant, type Effort, type Measurement, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";
import { OUT_OF_CACHES, type Sweep } from "../sweep.ts";
import { type Misses, missesOf, randomPages } from "../tlb-model.ts";

export const COUNT = 100_000;
export const SEED = 12345;
const FRAMES = 16_384;
const ENTRIES = [16, 64, 256, 1024] as const;
const PAGES = [16, 256, 4096] as const;
const WAYS = [1, 2, 4, 8] as const;

/** Loads of 8 bytes from random ones of `pages` pages (a power of two) through a TLB of that size. */
export function tlbContestant(entries: number, pages: number): Contestant {
  const { exports, memory } = instantiateSilicon(compileBuild("silicon"), FRAMES);
  exports.siliconReset(64, 0);
  exports.benchTlbEntries(entries);
  const u32 = new Uint32Array(memory.buffer);
  return {
    name: `${entries} entries, ${pages} pages`,
    operations: COUNT,
    call: () => void exports.benchTlbMiss(COUNT, pages, SEED),
    counters: () => countersOf({ u32 }),
  };
}

const share = (count: number): string => `${((100 * count) / COUNT).toFixed(1)} %`;

/** Misses of a call after one that filled the TLB, as contestants count them. */
export function modelMisses(entries: number, pages: number, ways: number): Misses {
  const addresses = randomPages(COUNT, pages, SEED);
  return missesOf(entries, ways, [...addresses, ...addresses], COUNT);
}

function missesText(m: Measurement): string {
  const misses = m.counters?.tlbMisses ?? 0;
  return misses === 0 ? "every load hits" : `${share(misses)} of the loads miss`;
}

export function tlbSuite(effort: Effort): Table {
  const rows: Row[] = [];
  for (const pages of PAGES) {
    const measured = measure(
      ENTRIES.map((entries) => tlbContestant(entries, pages)),
      effort,
    );
    const best = measured.at(-1)!;
    for (const measurement of measured)
      rows.push({
        measurement,
        unit: "ns",
        ...(measurement === best ? {} : { against: best }),
        note: missesText(measurement),
      });
  }
  const notes = [64, 256].map((entries) => {
    const pages = entries;
    const cells = WAYS.map(
      (ways) => `${ways} way${ways > 1 ? "s" : ""} ${share(modelMisses(entries, pages, ways).misses)}`,
    );
    return `associativity (counted by a model, LRU): misses of ${entries} entries over ${pages} pages: ${cells.join(", ")}`;
  });
  const conflict = WAYS.map((ways) => {
    const pages = Array.from({ length: COUNT }, (_, i) => (i & 1) * 64);
    return `${ways} way${ways > 1 ? "s" : ""} ${share(missesOf(64, ways, pages, 0).misses)}`;
  });
  notes.push(`two pages 64 apart in turn, 64 entries: ${conflict.join(", ")} miss; the testbed has one way`);
  return { title: "TLB (ns each)", rows, notes };
}

export const TLB_SWEEPS: readonly Sweep[] = [
  {
    name: "load that hits the TLB",
    sizeLabel: "pages, all in a TLB of 1024",
    sizes: [16, 64, 256, 1024],
    documented: "constant",
    why: "one place to look at",
    at: (size) => tlbContestant(1024, size),
    counts: ["tlbMisses"],
  },
  {
    name: "load that misses the TLB",
    sizeLabel: "pages, TLB of 16",
    sizes: [256, 512, 1024, 2048, 4096],
    documented: "constant",
    why: "one walk of both tables; they leave the caches",
    tolerance: OUT_OF_CACHES,
    at: (size) => tlbContestant(16, size),
    counts: ["eptWalkSteps", "guestWalkSteps"],
  },
];
