/**
 * The cost model: what each counted event would cost on a real machine, in processor cycles. The emulator has one thread, so its own
 * nanoseconds cannot rank pauses, interrupts between processors or flushes; exact counts times declared costs can (docs/cost-model.md).
 *
 * The defaults are orders of magnitude with a source each, not a measurement of one machine. `--cost FILE` replaces any of them.
 */
import { EXIT_BUDGET } from "../../../hv-core/abi/exits.ts";
import { EXIT_REASONS, exitName } from "../exits.ts";
import type { Stats } from "../machine.ts";

export interface CostEvent {
  readonly name: string;
  /** Cycles for one. */
  readonly cycles: number;
  /** What is counted, in words. */
  readonly text: string;
  /** Where the default comes from. */
  readonly source: string;
  /** How often it happened. */
  count(stats: Stats): number;
}

/** Exits that a processor would take: ours from 0x1000 on are the end of a slice, a look at the outside, the outcomes of replay. */
export function hardwareExits(stats: Stats): number {
  let sum = 0;
  for (const reason of EXIT_REASONS) if (reason < EXIT_BUDGET) sum += stats.exits[exitName(reason)] ?? 0;
  return sum;
}

const counter = (name: string) => (stats: Stats) => stats.counters[name] ?? 0;

export const COST_EVENTS: readonly CostEvent[] = [
  {
    name: "instruction",
    cycles: 1,
    text: "a guest instruction that retires",
    source: "assumed: one a cycle; processors differ by program, so compare runs of the same guest only",
    count: (stats) => stats.instructions,
  },
  {
    name: "vmExit",
    cycles: 1350,
    text: "a VM exit and the entry after it, without what the handler does",
    source: "1,344 to 1,376 cycles around VMRUN, Linux kernel mailing list, December 2020 (AMD, vmload series)",
    count: hardwareExits,
  },
  {
    name: "dom0Call",
    cycles: 300,
    text: "a hypercall by dom0, without what it does (a guest's is a vmExit)",
    source: "assumed: entry and exit of a system call with the mitigations of recent kernels",
    count: (stats) => Math.max(0, counter("hypercalls")(stats) - (stats.exits.VMCALL ?? 0)),
  },
  {
    name: "walkStep",
    cycles: 14,
    text: "one entry read by a guest or EPT walk",
    source: "a load that hits the second-level cache: 14 cycles, Intel optimisation manual, Skylake",
    count: (stats) => counter("guestWalkSteps")(stats) + counter("eptWalkSteps")(stats),
  },
  {
    name: "p2mSet",
    cycles: 70,
    text: "one p2m entry written: the way down four tables, and the store",
    source: "assumed: five accesses that hit the second-level cache",
    count: counter("p2mSets"),
  },
  {
    name: "p2mMark",
    cycles: 4,
    text: "one entry of a table marked for recalculation, or repaired, among its neighbours",
    source: "assumed: a load and a store of a cache line that is there already",
    count: (stats) => counter("p2mInvalidated")(stats) + counter("p2mResolvedEntries")(stats),
  },
  {
    name: "loopStep",
    cycles: 5,
    text: "one turn of a loop in a domctl or in the security module",
    source: "assumed: a few instructions",
    count: counter("loopSteps"),
  },
  {
    name: "systemCall",
    cycles: 300,
    text: "a system call of a modelled process of dom0, without what it does",
    source: "assumed: as a hypercall of dom0",
    count: counter("systemCalls"),
  },
  {
    name: "pageLock",
    cycles: 1000,
    text: "a page locked or unlocked by mlock, munlock or a count",
    source: "assumed: the lock of the address space, a walk of its tables, the lists of pages",
    count: counter("pagesLocked"),
  },
  {
    name: "pageMap",
    cycles: 2500,
    text: "a page mapped for a process, and unmapped in the end",
    source: "assumed: a page is found and cleared, tables are written, translations flushed",
    count: counter("pagesMapped"),
  },
  {
    name: "pageClear",
    cycles: 130,
    text: "4 KiB cleared that are in the cache",
    source: "assumed: 32 bytes a cycle",
    count: counter("pagesCleared"),
  },
  {
    name: "userCopy",
    cycles: 40,
    text: "an argument copied within a process",
    source: "assumed: as a copy from guest memory",
    count: counter("userCopies"),
  },
  {
    name: "rightsCheck",
    cycles: 60,
    text: "a look into a domain's I/O rights: a search in a tree of ranges",
    source: "assumed: three or four cache lines that hit the second-level cache",
    count: counter("ioChecks"),
  },
  {
    name: "countStep",
    cycles: 14,
    text: "a record that the I/O accountant touches when it counts mappings",
    source: "a load that hits the second-level cache: 14 cycles, Intel optimisation manual, Skylake",
    count: counter("ioCountSteps"),
  },
  {
    name: "rmapStep",
    cycles: 14,
    text: "a record that is looked at in the reverse map of a shared page",
    source: "a load that hits the second-level cache: 14 cycles, Intel optimisation manual, Skylake",
    count: counter("rmapSteps"),
  },
  {
    name: "guestCopy",
    cycles: 40,
    text: "one copy from or to guest memory by the hypervisor, whatever its size",
    source: "assumed: checks and a short copy",
    count: counter("guestCopies"),
  },
  {
    name: "flush",
    cycles: 500,
    text: "a flush of one processor's translations; filling them again is counted as walk steps",
    source: "assumed: a few serialising instructions; no figure published by the vendors",
    count: counter("tlbFlushes"),
  },
  {
    name: "shootdownSent",
    cycles: 2000,
    text: "an interrupt to another processor that must flush, and the wait until it has",
    source:
      "1 to 3 microseconds a round trip and at least 1,000 cycles until the answer, as reported for Linux shoot-downs",
    count: counter("shootdownsSent"),
  },
  {
    name: "shootdownTaken",
    cycles: 1000,
    text: "the same on the processor that is interrupted",
    source: "assumed: half of the round trip",
    count: counter("shootdownsAcked"),
  },
  {
    name: "pageCopy",
    cycles: 1400,
    text: "a copy of 4 KiB that is in no cache",
    source: "0.47 microseconds at 3 GHz: a cold copy measured for this project's native baseline",
    count: counter("pagesCopied"),
  },
  {
    name: "lock",
    cycles: 20,
    text: "a lock that is free",
    source: "latency of LOCK CMPXCHG, 18 to 20 cycles in published instruction tables",
    count: counter("locksTaken"),
  },
  {
    name: "lockWait",
    cycles: 200,
    text: "a look at a lock that somebody holds",
    source: "assumed: a cache line that comes from another core",
    count: counter("locksContended"),
  },
  {
    name: "request",
    cycles: 6000,
    text: "a synchronous request: switch to the device model's process and back, without its work",
    source: "assumed: two switches between a guest and a process of dom0, about 1 microsecond each",
    count: counter("ioreqSent"),
  },
  {
    name: "bufferedRequest",
    cycles: 60,
    text: "a request put into the buffered ring",
    source: "assumed: a lock and three cache lines",
    count: counter("ioreqBuffered"),
  },
  {
    name: "event",
    cycles: 150,
    text: "an event sent through an event channel",
    source: "assumed: two locked bit operations and a wake-up",
    count: counter("evtchnSends"),
  },
  {
    name: "pause",
    cycles: 2000,
    text: "a pause of a domain",
    source: "assumed: as one shoot-down, since every vCPU must leave its processor",
    count: counter("domainPauses"),
  },
];

/** Cycles of each event by name. */
export type CostModel = Readonly<Record<string, number>>;

export const DEFAULT_COSTS: CostModel = Object.fromEntries(COST_EVENTS.map((event) => [event.name, event.cycles]));
