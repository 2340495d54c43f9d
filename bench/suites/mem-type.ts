/**
 * map_mem_type_to_ioreq_server and its undoing in every design that was proposed: how long the caller waits, by the number of pages of the type
 * (up to 1,000,000, which share a few frames) and by the number of vCPUs whose TLBs must forget them.
 */
import { KNOBS } from "../../host/lib/knobs.ts";
import { UNMAP_PRESETS } from "../../host/lib/presets.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { DMOP_MEM_ACCESS_WRITE } from "../../hv-core/abi/hypercalls.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { countersOf } from "../counted.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Row, Table } from "../report.ts";
import { OUT_OF_CACHES, type Sweep } from "../sweep.ts";

interface Exports {
  _initialize(): void;
  memTypeCreate(frames: number, pages: number, vcpus: number): number;
  memTypeKnob(index: number, value: number): void;
  memTypeSettle(pages: number): void;
  memTypeSetAll(pages: number): number;
  memTypeMapAll(flags: number): number;
  memTypeLeft(): number;
}

const FRAMES = 8192;
/** From so many pages on giving them the type takes longer than the unmap: not in every round. */
const MANY = 200_000;
/** What of it is counted: work on the p2m, and vCPUs that were interrupted. */
const COUNTED = ["p2mSets", "p2mInvalidated", "p2mResolvedEntries", "shootdownsSent"];

export interface Bench {
  readonly exports: Exports;
  readonly counters: () => Readonly<Record<string, number>>;
  /** Maps the type and gives it to every page. */
  prepare(): void;
  unmap(): void;
}

/** @param design name of a preset (host/lib/presets.ts) */
export function memTypeBench(design: string, pages: number, vcpus: number): Bench {
  const memory = new WebAssembly.Memory({ initial: (FRAMES_BASE + FRAMES * 4096) / 65536, maximum: 65535 });
  const instance = new WebAssembly.Instance(compileBuild("p2m-bench"), { env: { memory, suspend: () => {} } });
  const exports = instance.exports as unknown as Exports;
  exports._initialize();
  const call = (what: string, result: number, wanted = 0): void => {
    if (result !== wanted) throw new Error(`${what}, ${design}, ${pages} pages, ${vcpus} vCPUs: ${result}`);
  };
  call("create", exports.memTypeCreate(FRAMES, pages, vcpus));
  for (const [name, value] of Object.entries(UNMAP_PRESETS[design]!))
    exports.memTypeKnob(KNOBS.find((knob) => knob.name === name)!.index, value);
  const u32 = new Uint32Array(memory.buffer);
  return {
    exports,
    counters: () => countersOf({ u32 }),
    prepare() {
      exports.memTypeSettle(pages);
      call("map", exports.memTypeMapAll(DMOP_MEM_ACCESS_WRITE));
      call("set", exports.memTypeSetAll(pages), pages);
    },
    unmap: () => call("unmap", exports.memTypeMapAll(0)),
  };
}

/** One unmap; the type is given back to the pages in between, untimed. */
function unmapContestant(design: string, pages: number, vcpus: number): Contestant {
  const bench = memTypeBench(design, pages, vcpus);
  let counted: Record<string, number> = {};
  return {
    name: `unmap, ${design}, ${pages.toLocaleString("en")} pages, ${vcpus} vCPU${vcpus > 1 ? "s" : ""}`,
    operations: 1,
    ...(pages > MANY ? { every: 3 } : {}),
    /** Counts of unmaps alone: sampling and counting are the same thing here. */
    counters: () => counted,
    call() {
      bench.prepare();
      const before = bench.counters();
      bench.unmap();
      const after = bench.counters();
      counted = Object.fromEntries(
        COUNTED.map((name) => [name, (counted[name] ?? 0) + (after[name] ?? 0) - (before[name] ?? 0)]),
      );
    },
    sample() {
      bench.prepare();
      const began = performance.now();
      bench.unmap();
      return [(performance.now() - began) / 1000];
    },
  };
}

/** The map itself: nothing to do but to note who has the type. */
function mapContestant(design: string, vcpus: number): Contestant {
  const bench = memTypeBench(design, 1, vcpus);
  const calls = 100;
  return {
    name: `map and unmap, no page of the type, ${design}, ${vcpus} vCPU${vcpus > 1 ? "s" : ""}`,
    operations: calls,
    call() {
      for (let i = 0; i < calls; i++) {
        bench.exports.memTypeMapAll(DMOP_MEM_ACCESS_WRITE);
        bench.exports.memTypeMapAll(0);
      }
    },
    counters: bench.counters,
  };
}

const DESIGNS = Object.keys(UNMAP_PRESETS);

export function memTypeSuite(effort: Effort): Table {
  const rows: Row[] = [];
  const compared = (contestants: readonly Contestant[]): void => {
    const [first, ...others] = measure(contestants, effort);
    rows.push({ measurement: first!, unit: "ns" });
    for (const measurement of others) rows.push({ measurement, unit: "ns", against: first! });
  };
  compared(DESIGNS.map((design) => mapContestant(design, 1)));
  for (const pages of [1000, 1_000_000]) compared(DESIGNS.map((design) => unmapContestant(design, pages, 1)));
  for (const design of DESIGNS) compared([1, 16, 128].map((vcpus) => unmapContestant(design, 1000, vcpus)));
  return {
    title: "Mapping the page type to an ioreq server and back",
    rows,
    notes: ["an unmap that leaves its pages for later is paid by the guest: vmexit study unmap-presets shows both"],
  };
}

/** Each unmap comes after all pages got the type, so the more there are, the less of what it needs is in a cache. Counts are exact. */
const COLD = OUT_OF_CACHES;

const sweep = (design: string, documented: Sweep["documented"], why: string): Sweep => ({
  name: `unmap, ${design}`,
  sizeLabel: "pages of the type",
  sizes: [512, 2048, 8192, 32_768, 131_072],
  documented,
  why,
  at: (pages) => unmapContestant(design, pages, 1),
  tolerance: COLD,
  counts: ["p2mSets", "p2mInvalidated", "p2mResolvedEntries"],
});

export const MEM_TYPE_SWEEPS: readonly Sweep[] = [
  sweep("2016-v6", "constant", "the pages are left for later"),
  sweep("early-release", "linear", "every page is set to RAM"),
  sweep("merged", "linear", "every page is recomputed"),
  {
    name: "unmap, merged, 1000 pages",
    sizeLabel: "vCPUs",
    sizes: [1, 4, 16, 64, 128],
    documented: "linear",
    why: "each vCPU's TLB is flushed",
    at: (vcpus) => unmapContestant("merged", 1000, vcpus),
    counts: ["shootdownsSent"],
  },
];
