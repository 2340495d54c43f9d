/**
 * A type change of a whole p2m of 1,000,000 entries, in two designs: lazily (the root becomes invalid, whoever touches a page repairs
 * its path) and by a sweep over all entries. What the caller waits for now, and what is paid later.
 */
import { compileBuild } from "../../host/node/wasm.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { type Effort, measure } from "../harness.ts";
import type { Table } from "../report.ts";
import type { Sweep } from "../sweep.ts";

const ENTRIES = 1_000_000;
const TABLES = Math.ceil(ENTRIES / 512);
const FRAMES = 4096;
const CALLS = 200;

interface Exports {
  _initialize(): void;
  benchCreate(frames: number, pages: number): number;
  benchLazy(n: number): void;
  benchLazyAndTouch(n: number, gfn: number): void;
  benchLazyAndTouchAll(pages: number, on: number): number;
  benchSweep(pages: number, on: number): number;
}

function create(entries = ENTRIES): Exports {
  const memory = new WebAssembly.Memory({ initial: (FRAMES_BASE + FRAMES * 4096) / 65536, maximum: 65535 });
  const instance = new WebAssembly.Instance(compileBuild("p2m-bench"), { env: { memory, suspend: () => {} } });
  const exports = instance.exports as unknown as Exports;
  exports._initialize();
  const error = exports.benchCreate(FRAMES, entries);
  if (error !== 0) throw new Error(`the p2m of the benchmark does not fit: errno ${-error}`);
  return exports;
}

/** Calls with 1 and 0 in turn, and checks that as much was done as the name promises. */
function toggling(what: string, wanted: number, body: (on: number) => number): () => void {
  let on = 0;
  return () => {
    on = 1 - on;
    const done = body(on);
    if (done !== wanted) throw new Error(`${what}: ${done} instead of ${wanted}`);
  };
}

export function p2mRecalcSuite(effort: Effort): Table {
  const lazy = create();
  const swept = create();
  const [now, all] = measure(
    [
      { name: "lazy: change_entry_type_global", operations: CALLS, call: () => lazy.benchLazy(CALLS) },
      {
        name: "sweep: change_type_one for each",
        operations: 1,
        call: toggling("sweep", ENTRIES, (on) => swept.benchSweep(ENTRIES, on)),
      },
    ],
    effort,
  );
  const touched = create();
  const [one, later] = measure(
    [
      {
        name: "lazy, and one path repaired",
        operations: CALLS,
        call: () => lazy.benchLazyAndTouch(CALLS, ENTRIES / 2),
      },
      {
        name: "lazy, and every path repaired",
        operations: 1,
        call: toggling("repairs", TABLES, (on) => touched.benchLazyAndTouchAll(ENTRIES, on)),
      },
    ],
    effort,
  );
  return {
    title: `Type change of a p2m of ${ENTRIES.toLocaleString("en")} entries (ns each)`,
    rows: [
      { measurement: now!, unit: "ns", note: "now: what the caller waits for, TLB flush included" },
      { measurement: all!, unit: "ns", against: now!, note: "now; nothing is left for later" },
      {
        measurement: one!,
        unit: "ns",
        against: now!,
        note: "the first touch: four levels, 512 leaves repaired at once",
      },
      {
        measurement: later!,
        unit: "ns",
        against: all!,
        note: `paid later: ${TABLES} tables, one misconfiguration exit each`,
      },
    ],
    notes: ["the exits themselves are not in these figures: a lazy change adds one for each table that is touched"],
  };
}

const SWEPT = [1000, 10_000, 100_000, 1_000_000];

export const RECALC_SWEEPS: readonly Sweep[] = [
  {
    name: "lazy type change of everything, now",
    sizeLabel: "p2m entries",
    sizes: SWEPT,
    documented: "constant",
    why: "only the root's entries are made invalid",
    at(size) {
      const lazy = create(size);
      return { name: `${size}`, operations: CALLS, call: () => lazy.benchLazy(CALLS) };
    },
  },
  {
    name: "lazy type change and the first touch of a page",
    sizeLabel: "p2m entries",
    sizes: SWEPT,
    documented: "constant",
    why: "one path of four levels is repaired, its table with it",
    at(size) {
      const lazy = create(size);
      return { name: `${size}`, operations: CALLS, call: () => lazy.benchLazyAndTouch(CALLS, size / 2) };
    },
  },
  {
    name: "type change by a sweep",
    sizeLabel: "p2m entries",
    sizes: SWEPT,
    documented: "linear",
    why: "every entry is looked at once",
    at(size) {
      const swept = create(size);
      return {
        name: `${size}`,
        operations: 1,
        call: toggling("sweep", size, (on) => swept.benchSweep(size, on)),
      };
    },
  },
];
