/** The EPT walk and the TLB hit against the same in C: what WebAssembly costs on the hottest paths of the silicon. */
import { instantiateSilicon } from "../../host/lib/silicon.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { type Effort, measure } from "../harness.ts";
import { compile, nativeContestant } from "../native.ts";
import type { Row, Table } from "../report.ts";

const COUNT = 2_000_000;
/** 64 pages stay in the first-level cache; 1 GiB of 4K pages does not. */
const SMALL_SET = 64;
const LARGE_SET = 2 ** 18;
const SEED = 12345;
const NATIVE_SAMPLES = 5;
/** From build/silicon.wat: the four loads and the tests between them are the same as in C. */
const WALK_LIMIT =
  "the loads and tests are those of the C twin; what remains is the engine's code for 64-bit constants, which it makes anew for each table, the number of frames read again for each walk, and a check for interrupts in each turn of the loop";
const TLB_LIMIT =
  "one load of the tag, one compare, one load of the data, as in C; what remains is a check for interrupts in each turn of the loop";

export function walkSuite(effort: Effort): Table {
  const module = compileBuild("silicon");
  // The working set's frames need not exist: a walk reads tables only. Its tables do.
  const silicon = instantiateSilicon(module, 16384);
  const { exports } = silicon;
  const error = exports.benchEptBuild(LARGE_SET);
  if (error !== 0) throw new Error(`the tables of the walk benchmark do not fit: errno ${-error}`);
  exports.siliconReset(64, 0);
  const native = compile("walk.c");
  const rows: Row[] = [];
  const cases = [
    {
      name: "EPT walk, 64 pages",
      mode: "ept",
      pages: SMALL_SET,
      goal: { atMost: 1.4, limit: WALK_LIMIT },
      call: () => void exports.benchEptWalk(COUNT, SMALL_SET, SEED),
    },
    {
      name: "EPT walk, 1 GiB",
      mode: "ept",
      pages: LARGE_SET,
      goal: { atMost: 1.4, limit: WALK_LIMIT },
      call: () => void exports.benchEptWalk(COUNT, LARGE_SET, SEED),
    },
    {
      name: "TLB hit and load",
      mode: "tlb",
      pages: SMALL_SET,
      goal: { atMost: 1.15, limit: TLB_LIMIT },
      call: () => void exports.benchTlbHit(COUNT, SEED),
    },
  ];
  for (const { name, mode, pages, goal, call } of cases) {
    const ours = { name, operations: COUNT, call };
    if ("skipped" in native) {
      rows.push({ measurement: measure([ours], effort)[0]!, unit: "ns", goal });
      continue;
    }
    const args = [mode, String(COUNT), String(pages - 1), String(NATIVE_SAMPLES)];
    const [a, b] = measure([ours, nativeContestant(native.program, "the same in C -O2", COUNT, args)], effort);
    rows.push({ measurement: a!, unit: "ns", against: b!, goal }, { measurement: b!, unit: "ns" });
  }
  const miss = {
    name: "TLB miss, walk and fill",
    operations: COUNT,
    call: () => void exports.benchTlbMiss(COUNT, 4096, SEED),
  };
  rows.push({ measurement: measure([miss], effort)[0]!, unit: "ns" });
  return { title: "Translation (ns each)", rows, notes: "skipped" in native ? [native.skipped] : [] };
}
