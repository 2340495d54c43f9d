/**
 * Copy on write: what a guest's store to a shared page costs, from the store to the retired instruction, beside its bare parts in the same
 * run; the reverse map as a list and as a hash while sharers grow; nominating and sharing; the deduplicator's scan against C.
 */
import { hashFrame, visitPages } from "../../host/lib/dedup/pages.ts";
import { ServerId } from "../../host/lib/ids.ts";
import { mapMemType, setMemType } from "../../host/lib/toolstack/dm-op.ts";
import { allocSharingOp, handleOf, nominateGfn, shareGfns } from "../../host/lib/toolstack/sharing.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { DMOP_MEM_ACCESS_WRITE } from "../../hv-core/abi/hypercalls.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { HVMMEM_IOREQ_SERVER } from "../../hv-core/abi/p2m-types.ts";
import { countersOf } from "../counted.ts";
import { startLoop } from "../guest-loop.ts";
import { type Contestant, type Effort, type Measurement, measure } from "../harness.ts";
import { compile, nativeContestant } from "../native.ts";
import type { Row, Table } from "../report.ts";
import { roundMedians } from "../rounds.ts";
import { type SharingBench, sharingBench, TARGET, UNSHARE_COPIES, UNSHARE_LAST } from "../sharing-world.ts";
import { summarize } from "../statistics.ts";
import type { Sweep } from "../sweep.ts";

/** Cold: 256 MiB on each side, 512 MiB together, each page once in a random order: no cache has it. Hot: 256 KiB. */
const COLD = 65_536;
const HOT = 64;
/** Pages that the deduplicator scans: 64 MiB. */
const SCANNED = 16_384;
/** Copies or walks in one call. */
const BATCH = 4096;
/** What a goal that is missed has beside its parts: a list from the code, not yet a profile. */
const BESIDE_COPY =
  "a frame from the heap, the sharer's record found and freed, owner and counts of two frames, the p2m entry, the flush of the TLB and the walk after it; which of them weighs most is not profiled yet";
const COLD_LIMIT = `beside copy and walk: the exit, and ${BESIDE_COPY}`;
const HOT_LIMIT = `beside exit and copy: ${BESIDE_COPY}`;
/** First frame of the copies; below are the tables of the p2m. */
const FIRST = 4096;
const FRAMES = FIRST + 2 * COLD + 4096;

interface Parts {
  _initialize(): void;
  benchCreate(frames: number, pages: number): number;
  benchCopy(n: number, at: number, first: number, mask: number): number;
  benchWalk(n: number, at: number, mask: number): number;
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

/** Copies that go on where the last call ended; the first time each page is written is over (the system gives it then). */
function copyContestant(name: string, parts: Parts, pages: number): Contestant {
  let at = parts.benchCopy(pages, 0, FIRST, pages - 1);
  if (at !== 0) throw new Error("the order does not come back to its beginning: it has not visited every page");
  return {
    name,
    operations: BATCH,
    call: () => {
      at = parts.benchCopy(BATCH, at, FIRST, pages - 1);
    },
  };
}

function walkContestant(parts: Parts): Contestant {
  let at = 0;
  return {
    name: "bare walk, cold",
    operations: BATCH,
    call: () => {
      at = parts.benchWalk(BATCH, at, COLD - 1);
      if (at >= COLD) throw new Error("a gfn was not found");
    },
  };
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

const PAGE = 0x40_0000;
const VIOLATIONS = 1000;

/**
 * The smallest EPT violation there is: the guest leaves, the entry is looked up under the lock, nothing is found that could be done, the
 * guest goes on. It is the fetch from a page of type ioreq_server, which ends in the same fetch (N-1), so every budget unit is one exit.
 */
export function violationContestant(): Contestant {
  const settings = { knobs: { "p2m.superpages": 0, "trace.mask": 0 }, memoryBytes: 16 * 2 ** 20 };
  const loop = startLoop(compileBuild("release"), settings, `mov edi, ${PAGE}`, "jmp edi");
  const { dom0 } = loop.machine;
  mapMemType(dom0, loop.domid, ServerId(0), DMOP_MEM_ACCESS_WRITE);
  setMemType(dom0, loop.domid, PAGE / 4096, 1, HVMMEM_IOREQ_SERVER);
  loop.run(VIOLATIONS);
  const already = loop.machine.stats().exits.EPT_VIOLATION ?? 0;
  loop.run(VIOLATIONS);
  const operations = (loop.machine.stats().exits.EPT_VIOLATION ?? 0) - already;
  if (operations === 0) throw new Error("the guest does not leave");
  return {
    name: "bare violation, resumed with nothing done, hot",
    operations,
    call: () => loop.run(VIOLATIONS),
    counters: () => countersOf(loop.machine.core),
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
  const bench = sharingBench(SCANNED, HOT - 1, HOT);
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
  const coldUnshares = unshareContestant("unshare on a guest's write, cold", cold, COLD);
  const hot = sharingBench(HOT, HOT - 1, HOT);
  // The first time pages are shared their copies are frames that nobody has touched; and the next ones lie in no order.
  coldUnshares.sample!();
  const [coldCopy, coldWalk, hotCopy, violation, coldUnshare, hotUnshare, last, rate] = measure(
    [
      copyContestant("bare copy of 4 KiB, cold", parts, COLD),
      walkContestant(parts),
      copyContestant("bare copy of 4 KiB, hot", parts, 8),
      violationContestant(),
      coldUnshares,
      unshareContestant("unshare on a guest's write, hot", hot, HOT),
      lastContestant(hot, HOT),
      shareRate(hot, HOT),
    ],
    effort,
  );
  const coldParts = together("bare cold copy + walk", coldCopy!, coldWalk!);
  const hotParts = together("bare violation + hot copy", violation!, hotCopy!);
  const growth = growthRows(effort);
  const scan = scanRows(effort);
  return {
    title: "Memory sharing: copy on write",
    rows: [
      { measurement: coldCopy!, unit: "ns" },
      { measurement: coldWalk!, unit: "ns" },
      { measurement: coldUnshare!, unit: "ns", against: coldParts, goal: { atMost: 1.5, limit: COLD_LIMIT } },
      { measurement: coldParts, unit: "ns", note: "the goal's parts" },
      { measurement: hotCopy!, unit: "ns" },
      { measurement: violation!, unit: "ns" },
      { measurement: hotUnshare!, unit: "ns", against: hotParts, goal: { atMost: 1.3, limit: HOT_LIMIT } },
      { measurement: last!, unit: "ns", against: violation!, note: "no copy" },
      { measurement: rate!, unit: "ns" },
      ...growth.rows,
      ...scan.rows,
    ],
    notes: [
      growth.crossover,
      scan.note,
      `cold: ${COLD.toLocaleString("en")} pages on each side, 512 MiB together, each once in a random order, unshares and bare parts alike`,
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
