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
      aim: "<= 1.4",
      call: () => void exports.benchEptWalk(COUNT, SMALL_SET, SEED),
    },
    {
      name: "EPT walk, 1 GiB",
      mode: "ept",
      pages: LARGE_SET,
      aim: "<= 1.4",
      call: () => void exports.benchEptWalk(COUNT, LARGE_SET, SEED),
    },
    {
      name: "TLB hit and load",
      mode: "tlb",
      pages: SMALL_SET,
      aim: "<= 1.15",
      call: () => void exports.benchTlbHit(COUNT, SEED),
    },
  ];
  for (const { name, mode, pages, aim, call } of cases) {
    const ours = { name, operations: COUNT, call };
    if ("skipped" in native) {
      rows.push({ measurement: measure([ours], effort)[0]!, unit: "ns", aim });
      continue;
    }
    const args = [mode, String(COUNT), String(pages - 1), String(NATIVE_SAMPLES)];
    const [a, b] = measure([ours, nativeContestant(native.program, "the same in C -O2", COUNT, args)], effort);
    rows.push({ measurement: a!, unit: "ns", against: b!, aim }, { measurement: b!, unit: "ns" });
  }
  const miss = {
    name: "TLB miss, walk and fill",
    operations: COUNT,
    call: () => void exports.benchTlbMiss(COUNT, 4096, SEED),
  };
  rows.push({ measurement: measure([miss], effort)[0]!, unit: "ns" });
  return { title: "Translation (ns each)", rows, notes: "skipped" in native ? [native.skipped] : [] };
}
