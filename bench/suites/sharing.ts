/**
 * Copy on write: what a guest's store to a shared page costs, from the store to the retired instruction, beside its bare parts in the same
 * run; the reverse map as a list and as a hash while sharers grow; nominating and sharing; the deduplicator's scan against C.
 */
import { hashFrame, visitPages } from "../../host/lib/dedup/pages.ts";
import { logDirtyClean, logDirtyEnable, logDirtyOff } from "../../host/lib/toolstack/log-dirty.ts";
import { allocSharingOp, handleOf, nominateGfn, shareGfns } from "../../host/lib/toolstack/sharing.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { type Contestant, type Effort, type Measurement, measure } from "../harness.ts";
import { compile, nativeContestant } from "../native.ts";
import type { Row, Table } from "../report.ts";
import { roundMedians } from "../rounds.ts";
import {
  LOGDIRTY_FAULTS,
  type SharingBench,
  sharingBench,
  TARGET,
  UNSHARE_COPIES,
  UNSHARE_LAST,
} from "../sharing-world.ts";
import { summarize } from "../statistics.ts";
import type { Sweep } from "../sweep.ts";

/** Cold: 64 MiB on each side, more than any cache; hot: 256 KiB. */
const COLD = 16_384;
const HOT = 64;
const STEP = 7919;
const SHARE_LIMIT = "beside the copy: the record of the sharer, two frames' counts, and the p2m entry";
const FRAMES = 40_000;

interface Parts {
  _initialize(): void;
  benchCreate(frames: number, pages: number): number;
  benchCopy(n: number, first: number, mask: number, step: number): void;
  benchWalk(n: number, mask: number, step: number): number;
}

function createParts(): Parts {
  const memory = new WebAssembly.Memory({ initial: (FRAMES_BASE + FRAMES * 4096) / 65536, maximum: 65535 });
  const instance = new WebAssembly.Instance(compileBuild("p2m-bench"), { env: { memory, suspend: () => {} } });
  const parts = instance.exports as unknown as Parts;
  parts._initialize();
  const error = parts.benchCreate(FRAMES, COLD);
  if (error !== 0) throw new Error(`the parts do not fit: errno ${-error}`);
  return parts;
}

/** A batch of unshares by the guest; everything is shared again in between, untimed. */
function unshareContestant(name: string, bench: SharingBench, count: number): Contestant {
  return {
    name,
    operations: 1,
    sample() {
      bench.share(count);
      const seconds = bench.run(count, UNSHARE_COPIES);
      bench.release(count);
      return [seconds];
    },
  };
}

function lastContestant(bench: SharingBench, count: number): Contestant {
  return {
    name: "unshare by the last sharer, hot",
    operations: 1,
    sample() {
      bench.own(count);
      bench.nominateOwn(count);
      const seconds = bench.run(count, UNSHARE_LAST);
      bench.release(count);
      return [seconds];
    },
  };
}

/** A violation that changes the type of the page and nothing else. */
function violationContestant(bench: SharingBench, count: number): Contestant {
  return {
    name: "bare violation (log-dirty), hot",
    operations: 1,
    sample() {
      const { dom0 } = bench.machine;
      bench.own(count);
      logDirtyEnable(dom0, bench.client);
      logDirtyClean(dom0, bench.client, TARGET + count);
      const seconds = bench.run(count, LOGDIRTY_FAULTS);
      logDirtyOff(dom0, bench.client);
      bench.release(count);
      return [seconds];
    },
  };
}

function shareRate(bench: SharingBench, count: number): Contestant {
  return {
    name: "nominate both and share, three hypercalls by the host",
    operations: count,
    sample() {
      const { dom0 } = bench.machine;
      bench.own(count);
      using op = allocSharingOp(dom0);
      const began = performance.now();
      for (let i = 0; i < count; i++) {
        const source = { domid: bench.source, gfn: i };
        const client = { domid: bench.client, gfn: TARGET + i };
        nominateGfn(dom0, op, source);
        const sh = handleOf(op);
        nominateGfn(dom0, op, client);
        if (shareGfns(dom0, op, source, sh, client, handleOf(op)) !== 0) throw new Error("share failed");
      }
      const took = performance.now() - began;
      bench.release(count);
      return [took / 1000];
    },
  };
}

/** Two samples side by side, added: the bare parts one after the other. */
const together = (name: string, a: Measurement, b: Measurement): Measurement => ({
  name,
  samples: roundMedians(a).map((value, i) => value + roundMedians(b)[i]!),
});

const SHARERS = [2, 8, 32, 128, 512, 2048, 8192, 32_768, 100_000];
/** So many take long to share again: not in every round. */
const MANY = 5000;
/** Unshares in one sample. */
const GROWTH_BATCH = 32;

/** Cost of an unshare on a page with so many sharers. */
function growthContestant(form: "list" | "hash", sharers: number): Contestant {
  const clients = sharers - 1;
  const mask = 2 ** Math.floor(Math.log2(clients)) - 1;
  const bench = sharingBench(1024, mask, clients, { "sharing.rmap": form === "list" ? 1 : 2 });
  bench.share(clients, true);
  const count = Math.min(GROWTH_BATCH, mask + 1);
  return {
    name: `${form}, ${sharers.toLocaleString("en")} sharers`,
    operations: 1,
    ...(sharers > MANY ? { every: 3 } : {}),
    sample() {
      const seconds = bench.run(count, UNSHARE_COPIES);
      bench.shareAgain(clients);
      return [seconds];
    },
  };
}

function growthRows(effort: Effort): { rows: Row[]; crossover: string } {
  const rows: Row[] = [];
  /** The smallest number from which on the hash was always the faster one. */
  let from: number | undefined;
  for (const sharers of SHARERS) {
    const [list, hash] = measure([growthContestant("list", sharers), growthContestant("hash", sharers)], effort);
    rows.push({ measurement: list!, unit: "ns" }, { measurement: hash!, unit: "ns", against: list! });
    const isSlower = summarize(list!.samples).median > summarize(hash!.samples).median * 1.05;
    from = isSlower ? (from ?? sharers) : undefined;
  }
  const crossover =
    from === undefined
      ? "the list was not the slower one at the end"
      : `the hash is the faster one (by more than 5 %) from ${from.toLocaleString("en")} sharers on; Xen changes to it at 256 and back at 64`;
  return { rows, crossover };
}

function scanRows(effort: Effort): { rows: Row[]; note: string } {
  const bench = sharingBench(COLD, HOT - 1, HOT);
  const { core } = bench.machine;
  const mfns: number[] = [];
  visitPages(core, bench.source, (_, mfn) => void mfns.push(mfn));
  let sum = 0;
  const here: Contestant = {
    name: "scan: hash of a page",
    operations: mfns.length,
    call: () => {
      for (const mfn of mfns) sum += hashFrame(core, mfn);
    },
  };
  const native = compile("page-hash.c");
  const contestants = "program" in native ? [here, nativeContestant(native.program, "the same in C", 1, [])] : [here];
  const [scan, c] = measure(contestants, effort);
  const gib = (m: Measurement): string => (4096 / summarize(m.samples).median / 1.073741824).toFixed(2);
  if (!Number.isFinite(sum)) throw new Error("no sum");
  return {
    rows: [
      { measurement: scan!, unit: "ns", ...(c ? { against: c } : {}), note: `${gib(scan!)} GiB/s` },
      ...(c ? [{ measurement: c, unit: "ns" as const, note: `${gib(c)} GiB/s` }] : []),
    ],
    note: "skipped" in native ? native.skipped : "scan: 64 MiB, each page once",
  };
}

export function sharingSuite(effort: Effort): Table {
  const parts = createParts();
  const cold = sharingBench(COLD, COLD - 1, COLD);
  const hot = sharingBench(HOT, HOT - 1, HOT);
  const dirty = sharingBench(HOT, HOT - 1, HOT);
  const copies = 4096;
  const [coldCopy, coldWalk, hotCopy, violation, coldUnshare, hotUnshare, last] = measure(
    [
      {
        name: "bare copy of 4 KiB, cold",
        operations: copies,
        call: () => parts.benchCopy(copies, 4096, COLD - 1, STEP),
      },
      { name: "bare walk, cold", operations: copies, call: () => void parts.benchWalk(copies, COLD - 1, STEP) },
      { name: "bare copy of 4 KiB, hot", operations: copies, call: () => parts.benchCopy(copies, 4096, 7, 3) },
      violationContestant(dirty, HOT),
      unshareContestant("unshare on a guest's write, cold", cold, COLD),
      unshareContestant("unshare on a guest's write, hot", hot, HOT),
      lastContestant(hot, HOT),
    ],
    effort,
  );
  const [rate] = measure([shareRate(hot, HOT)], effort);
  const coldParts = together("bare cold copy + walk", coldCopy!, coldWalk!);
  const hotParts = together("bare violation + hot copy", violation!, hotCopy!);
  const growth = growthRows(effort);
  const scan = scanRows(effort);
  return {
    title: "Memory sharing: copy on write",
    rows: [
      { measurement: coldCopy!, unit: "ns" },
      { measurement: coldWalk!, unit: "ns" },
      { measurement: coldUnshare!, unit: "ns", against: coldParts, goal: { atMost: 1.5, limit: SHARE_LIMIT } },
      { measurement: hotCopy!, unit: "ns" },
      { measurement: violation!, unit: "ns" },
      { measurement: hotUnshare!, unit: "ns", against: hotParts, goal: { atMost: 1.3, limit: SHARE_LIMIT } },
      { measurement: last!, unit: "ns", against: violation!, note: "no copy" },
      { measurement: rate!, unit: "ns" },
      ...growth.rows,
      ...scan.rows,
    ],
    notes: [
      growth.crossover,
      scan.note,
      "for scale: a minimal hypervisor does 0.05 M unshares/s under QEMU's emulated SVM and 0.01 M/s under Bochs' VMX",
    ],
  };
}

const rmap = (form: "list" | "hash", documented: Sweep["documented"], why: string): Sweep => ({
  name: `unshare on a guest's write, reverse map as a ${form}`,
  sizeLabel: "sharers of the page",
  sizes: [2, 8, 32, 128, 512, 2048],
  documented,
  why,
  at: (sharers) => growthContestant(form, sharers),
});

export const SHARING_SWEEPS: readonly Sweep[] = [
  rmap("list", "linear", "the record of the page is searched for"),
  rmap("hash", "constant", "the record is found through its hash"),
];
