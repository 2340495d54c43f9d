/**
 * The EPT walk by the size of its leaves (4K, 2M, 1G), by how much is mapped (1 MiB to 3 GiB) and by the order of the addresses, beside the same
 * in C; and the hypervisor's own look-up in the p2m over the same footprints.
 */
import { instantiateSilicon } from "../../host/lib/silicon.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import { compile, nativeContestant } from "../native.ts";
import type { Row, Table } from "../report.ts";
import { OUT_OF_CACHES, type Sweep } from "../sweep.ts";

const COUNT = 200_000;
/** Samples as long as ours: on a machine with others on it short ones would be disturbed less often. */
const NATIVE_COUNT = 2_000_000;
const SEED = 12345;
const NATIVE_SAMPLES = 3;
/** Tables of 3 GiB in 4K pages: 1536 and those above; an eighth of the frames is for tables. */
const FRAMES = 16_384;
const PAGES_OF_MIB = 256;

/** Pages from one walk to the next; 0 = random. A stride of 513 pages touches another table each time, and all pages in the end. */
const ORDERS = { "in order": 1, random: 0, strided: 513 } as const;
type Order = keyof typeof ORDERS;

interface Leaf {
  readonly name: string;
  readonly level: 1 | 2 | 3;
  readonly mebibytes: readonly number[];
}

const LEAVES: readonly Leaf[] = [
  { name: "4K", level: 1, mebibytes: [1, 64, 3072] },
  { name: "2M", level: 2, mebibytes: [64, 3072] },
  { name: "1G", level: 3, mebibytes: [3072] },
];

const sizeName = (mebibytes: number): string => (mebibytes >= 1024 ? `${mebibytes / 1024} GiB` : `${mebibytes} MiB`);

function silicon(level: 1 | 2 | 3, pages: number) {
  const { exports } = instantiateSilicon(compileBuild("silicon"), FRAMES);
  const error = level === 1 ? exports.benchEptBuild(pages) : exports.benchEptBuildLarge(pages, level);
  if (error !== 0) throw new Error(`tables for ${pages} pages do not fit: errno ${-error}`);
  return exports;
}

export function walkContestant(level: 1 | 2 | 3, mebibytes: number, order: Order, count = COUNT): Contestant {
  const pages = mebibytes * PAGES_OF_MIB;
  const step = ORDERS[order] % pages;
  const exports = silicon(level, pages);
  const leaf = LEAVES.find((l) => l.level === level)!.name;
  return {
    name: `${leaf} leaves, ${sizeName(mebibytes)}, ${order}`,
    operations: count,
    call: () => void exports.benchEptPattern(count, pages, step, SEED),
  };
}

interface Lookup {
  _initialize(): void;
  benchCreate(frames: number, pages: number): number;
  benchWalk(n: number, mask: number, step: number): number;
}

/** The p2m as the hypervisor reads it: entry, type, access. */
function lookupContestant(mebibytes: number, step: number): Contestant {
  const memory = new WebAssembly.Memory({ initial: (FRAMES_BASE + FRAMES * 4096) / 65536, maximum: 65535 });
  const instance = new WebAssembly.Instance(compileBuild("p2m-bench"), { env: { memory, suspend: () => {} } });
  const exports = instance.exports as unknown as Lookup;
  exports._initialize();
  const pages = mebibytes * PAGES_OF_MIB;
  const error = exports.benchCreate(FRAMES, pages);
  if (error !== 0) throw new Error(`a p2m of ${pages} pages does not fit: errno ${-error}`);
  return {
    name: `p2m look-up by the hypervisor, ${sizeName(mebibytes)}, ${step === 1 ? "in order" : "strided"}`,
    operations: COUNT,
    call: () => void exports.benchWalk(COUNT, pages - 1, step),
  };
}

export function p2mWalkSuite(effort: Effort): Table {
  const native = compile("walk.c");
  const rows: Row[] = [];
  for (const { level, mebibytes } of LEAVES)
    for (const size of mebibytes)
      for (const order of Object.keys(ORDERS) as Order[]) {
        const ours = walkContestant(level, size, order);
        if ("skipped" in native) {
          rows.push({ measurement: measure([ours], effort)[0]!, unit: "ns" });
          continue;
        }
        const pages = size * PAGES_OF_MIB;
        const args = ["pattern", NATIVE_COUNT, pages, NATIVE_SAMPLES, level, ORDERS[order] % pages].map(String);
        const [a, b] = measure(
          [ours, nativeContestant(native.program, "the same in C -O2", NATIVE_COUNT, args)],
          effort,
        );
        rows.push({ measurement: a!, unit: "ns", against: b! }, { measurement: b!, unit: "ns" });
      }
  const lookups = measure([lookupContestant(1, 1), lookupContestant(1024, 1), lookupContestant(1024, 513)], effort);
  for (const measurement of lookups) rows.push({ measurement, unit: "ns", against: lookups[0]! });
  return {
    title: "Walks by leaf, footprint and order (ns each)",
    rows,
    notes: [
      "4K leaves are walked straight down and judged at the end (Ept.walk); a large leaf is found by a loop that judges each level: that is what its ratio pays",
      ...("skipped" in native ? [native.skipped] : []),
    ],
  };
}

export const P2M_WALK_SWEEPS: readonly Sweep[] = [
  {
    name: "EPT walk, random pages",
    sizeLabel: "MiB mapped by 4K leaves",
    sizes: [1, 8, 64, 512, 3072],
    documented: "constant",
    why: "four tables, however much is mapped; they leave the caches",
    tolerance: OUT_OF_CACHES,
    at: (size) => walkContestant(1, size, "random"),
  },
];
