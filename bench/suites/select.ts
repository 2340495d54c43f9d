/**
 * Choosing the ioreq server of an access: its cost as servers (1 to 8) and ranges of each (1 to 256) grow. Ranges are a search tree, so
 * 256 of them must not cost anything like 256 times one; servers are asked one after the other, the newest first.
 */
import { compileBuild } from "../../host/node/wasm.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import type { Table } from "../report.ts";
import type { Sweep } from "../sweep.ts";

const CALLS = 100_000;
const FRAMES = 1024;

interface Exports {
  _initialize(): void;
  selectCreate(servers: number, ranges: number): number;
  selectMany(n: number, ranges: number): number;
}

/** @param ranges a power of two */
export function selectContestant(wasm: WebAssembly.Module, servers: number, ranges: number): Contestant {
  const memory = new WebAssembly.Memory({ initial: (FRAMES_BASE + FRAMES * 4096) / 65536, maximum: 65535 });
  const instance = new WebAssembly.Instance(wasm, { env: { memory, suspend: () => {} } });
  const exports = instance.exports as unknown as Exports;
  exports._initialize();
  const error = exports.selectCreate(servers, ranges);
  if (error !== 0) throw new Error(`${servers} servers with ${ranges} ranges: errno ${-error}`);
  const name = `${servers} server${servers > 1 ? "s" : ""}, ${ranges} range${ranges > 1 ? "s" : ""} each`;
  return {
    name,
    operations: CALLS,
    call() {
      const found = exports.selectMany(CALLS, ranges);
      if (found !== CALLS) throw new Error(`${name}: ${found} of ${CALLS} accesses found their server`);
    },
  };
}

const CASES: readonly (readonly [servers: number, ranges: number])[] = [
  [1, 1],
  [1, 4],
  [1, 16],
  [1, 64],
  [1, 256],
  [2, 1],
  [4, 1],
  [8, 1],
  [8, 256],
];

export function selectSuite(effort: Effort): Table {
  const wasm = compileBuild("p2m-bench");
  const contestants = CASES.map(([servers, ranges]) => selectContestant(wasm, servers, ranges));
  const [one, ...others] = measure(contestants, effort);
  return {
    title: "Choosing an ioreq server (ns each)",
    rows: [
      { measurement: one!, unit: "ns" },
      ...others.map((measurement, i) => {
        const [servers, ranges] = CASES[i + 1]!;
        const linear = servers * ranges;
        return { measurement, unit: "ns" as const, against: one!, note: `a walk over all ranges would be ${linear}x` };
      }),
    ],
  };
}

export const SELECT_SWEEPS: readonly Sweep[] = [
  {
    name: "ioreq server of an access, one server",
    sizeLabel: "ranges",
    sizes: [1, 4, 16, 64, 256],
    documented: "logarithmic",
    why: "the ranges of a server are a search tree",
    at: (ranges) => selectContestant(compileBuild("p2m-bench"), 1, ranges),
  },
  {
    name: "ioreq server of an access, the oldest of several",
    sizeLabel: "servers of 16 ranges",
    sizes: [1, 2, 4, 8],
    documented: "linear",
    why: "servers are asked one after the other, the newest first",
    at: (servers) => selectContestant(compileBuild("p2m-bench"), servers, 16),
  },
];
