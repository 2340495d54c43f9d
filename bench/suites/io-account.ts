/**
 * What the I/O Resource Accountant costs: accesses to a mapped device and to ports with it on and off; a check of a port by bitmap, rangeset and
 * accountant; mapping and unmapping of frames in each way of counting. The figures of docs/io.md come from here (scripts/io-costs.mjs).
 */
import { asm, assemble } from "../../guests/asm/assembler.ts";
import { createMachine, type Machine } from "../../host/lib/machine.ts";
import { iomemPermission, ioportMapping, ioportPermission, memoryMapping } from "../../host/lib/toolstack/io-rights.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { BUS_FIRST_FRAME, BUS_FIRST_PORT } from "../../hv-core/abi/bus.ts";
import { ACCOUNT_NONE, ACCOUNT_RADIX } from "../../hv-core/abi/knobs.ts";
import { FRAMES_BASE } from "../../hv-core/abi/layout.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import { compile, nativeContestant } from "../native.ts";
import type { Row, Table } from "../report.ts";
import type { Sweep } from "../sweep.ts";

const BASE = 0x10_0000;
const MEMORY = 0x40_0000;
const GFN = 0x8_0000;
const GPORT = 0x1000;
const COUNT = 100_000;

const LOOPS: Readonly<Record<string, string>> = {
  "store to the device": asm`
        bits 32
        org ${BASE}
start:  mov edi, ${GFN * 4096}
loop:   mov [edi], eax
        jmp loop
`,
  "OUT to a passed port": asm`
        bits 32
        org ${BASE}
start:  mov edx, ${GPORT}
loop:   out dx, eax
        jmp loop
`,
};

function deviceMachine(source: string, account: number): Machine {
  const machine = createMachine(compileBuild("release"), {
    memoryBytes: MEMORY * 3,
    vcpus: 1,
    knobs: { "io.devices": 1, "iomem.account": account },
  });
  const segments = assemble(source).sections.map((s) => ({ gpa: s.address, data: s.bytes, memBytes: s.bytes.length }));
  const image = { format: "flat", description: "loop", entry: BASE, segments } as const;
  const { domid } = machine.createGuest({ image, memoryBytes: MEMORY, vcpus: 1, cmdline: "", modules: [] });
  const { dom0 } = machine;
  iomemPermission(dom0, domid, BUS_FIRST_FRAME, 1, true);
  ioportPermission(dom0, domid, BUS_FIRST_PORT, 8, true);
  memoryMapping(dom0, domid, GFN, BUS_FIRST_FRAME, 1, true);
  ioportMapping(dom0, domid, GPORT, BUS_FIRST_PORT, 8, true);
  return machine;
}

function accessContestant(what: string, source: string, account: number): Contestant {
  const machine = deviceMachine(source, account);
  const run = (): void => void machine.run({ maxInstructions: COUNT });
  const done = (): number => machine.stats().counters.busAccesses!;
  run();
  const before = done();
  run();
  return {
    name: `${what}, accountant ${account === ACCOUNT_NONE ? "off" : "on"}`,
    operations: done() - before,
    call: run,
  };
}

interface Exports {
  _initialize(): void;
  benchCreate(frames: number, method: number): void;
  benchPorts(ranges: number): number;
  benchBitmap(set: number): number;
  checkBitmap(bitmap: number, n: number): number;
  checkRangeset(set: number, n: number): number;
  checkAccountant(set: number, n: number): number;
  benchFrames(first: number, ranges: number): number;
  checkFrames(set: number, first: number, ranges: number, n: number, withAccountant: number): number;
  countFrames(first: number, n: number, step: number): number;
  uncountFrames(first: number, n: number, step: number): void;
  countBytes(): number;
}

const FRAMES = 8192;
export const FIRST_FRAME = 0xe_0000;
export const METHODS: Readonly<Record<string, number>> = { headers: 1, slab: 2, radix: 3, ranges: 4 };
export const RANGE_COUNTS = [1, 10, 100, 1000, 10_000] as const;

export function ioBench(method: number): Exports {
  const memory = new WebAssembly.Memory({ initial: (FRAMES_BASE + FRAMES * 4096) / 65536, maximum: 65535 });
  const instance = new WebAssembly.Instance(compileBuild("io-bench"), { env: { memory, suspend: () => {} } });
  const exports = instance.exports as unknown as Exports;
  exports._initialize();
  exports.benchCreate(FRAMES, method);
  return exports;
}

const CHECKS = 20_000;
const PORT_LIMIT =
  "a load, a shift and an add for each check, as in C; what remains is a check for interrupts in each turn of the loop, which is as long as the test itself";

/** Contestants for one number of ranges: bitmap, rangeset, accountant. */
export function portContestants(ranges: number): Contestant[] {
  const core = ioBench(ACCOUNT_RADIX);
  const set = core.benchPorts(ranges);
  const bitmap = core.benchBitmap(set);
  const wanted = core.checkRangeset(set, CHECKS);
  const same = (what: string, call: () => number): Contestant => ({
    name: `${what}, ${ranges} range${ranges === 1 ? "" : "s"}`,
    operations: CHECKS,
    call() {
      const allowed = call();
      if (allowed !== wanted) throw new Error(`${what}: ${allowed} ports are allowed instead of ${wanted}`);
    },
  });
  return [
    same("bitmap", () => core.checkBitmap(bitmap, CHECKS)),
    same("rangeset", () => core.checkRangeset(set, CHECKS)),
    same("accountant", () => core.checkAccountant(set, CHECKS)),
  ];
}

/** Contestants for a check of an MMIO frame, with so many ranges of 15 frames: rangeset, and with the accountant. */
export function frameContestants(ranges: number): Contestant[] {
  const core = ioBench(ACCOUNT_RADIX);
  const set = core.benchFrames(FIRST_FRAME, ranges);
  return [
    ["rangeset", 0],
    ["accountant", 1],
  ].map(([what, account]) => ({
    name: `frame, ${what}, ${ranges} range${ranges === 1 ? "" : "s"}`,
    operations: CHECKS,
    call() {
      const allowed = core.checkFrames(set, FIRST_FRAME, ranges, CHECKS, account as number);
      if (allowed < CHECKS * 0.9) throw new Error(`${what}: ${allowed} of ${CHECKS} frames are allowed`);
    },
  }));
}

/** Maps and unmaps `n` frames, every `step`-th one. */
export function mapContestant(name: string, n: number, step: number): { contestant: Contestant; bytes: number } {
  const core = ioBench(METHODS[name]!);
  const map = (): void => {
    const rc = core.countFrames(FIRST_FRAME, n, step);
    if (rc !== 0) throw new Error(`${name}: mapping of ${n} frames: errno ${-rc}`);
  };
  map();
  const bytes = core.countBytes();
  core.uncountFrames(FIRST_FRAME, n, step);
  const call = (): void => {
    map();
    core.uncountFrames(FIRST_FRAME, n, step);
  };
  return { contestant: { name: `${name}, ${n} frames${step > 1 ? " one apart" : ""}`, operations: n, call }, bytes };
}

export function ioAccountSuite(effort: Effort): Table {
  const rows: Row[] = [];
  for (const [what, source] of Object.entries(LOOPS)) {
    const [off, on] = measure(
      [accessContestant(what, source, ACCOUNT_NONE), accessContestant(what, source, ACCOUNT_RADIX)],
      effort,
    );
    rows.push({ measurement: off!, unit: "ns" }, { measurement: on!, unit: "ns", against: off! });
  }
  const native = compile("checks.c");
  for (const ranges of RANGE_COUNTS) {
    const bare =
      "program" in native && ranges === 1
        ? [nativeContestant(native.program, "a bare bitmap test in C -O2", CHECKS, [String(CHECKS), "5"])]
        : [];
    const [bitmap, rangeset, accountant, c] = measure([...portContestants(ranges), ...bare], effort);
    rows.push({
      measurement: bitmap!,
      unit: "ns",
      ...(c ? { against: c, goal: { atMost: 2, limit: PORT_LIMIT } } : {}),
    });
    if (c) rows.push({ measurement: c, unit: "ns" });
    rows.push({ measurement: rangeset!, unit: "ns", against: bitmap! });
    rows.push({ measurement: accountant!, unit: "ns", against: bitmap! });
  }
  for (const ranges of [1, 100, 1000]) {
    const [rangeset, accountant] = measure(frameContestants(ranges), effort);
    rows.push({ measurement: rangeset!, unit: "ns" }, { measurement: accountant!, unit: "ns", against: rangeset! });
  }
  for (const n of [1, 100, 10_000, 1_000_000]) {
    const made = Object.keys(METHODS).map((name) => mapContestant(name, n, 1));
    const measured = measure(
      made.map((m) => m.contestant),
      effort,
    );
    measured.forEach((measurement, i) => {
      rows.push({ measurement, unit: "ns", note: `${(made[i]!.bytes / n).toPrecision(3)} bytes a frame` });
    });
  }
  const notes = [
    "mapping rows: nanoseconds for one frame mapped and unmapped, counting alone, without the page table entry",
    "for scale in C (quoted, another run): bitmap 0.3-2.5 ns, list of 256 ranges 133 ns, binary search 36 ns",
  ];
  if ("skipped" in native) notes.push(native.skipped);
  return { title: "The I/O Resource Accountant", rows, notes };
}

/** A tree of 10,000 ranges leaves the first caches, and its turns cannot be foretold; a list would still grow by 0.86. */
const TREE = 0.6;

const port = (index: number, what: string, documented: Sweep["documented"], why: string): Sweep => ({
  name: `check of a port, ${what}`,
  sizeLabel: "ranges",
  sizes: RANGE_COUNTS,
  documented,
  why,
  ...(documented === "logarithmic" ? { tolerance: TREE } : {}),
  at: (ranges) => portContestants(ranges)[index]!,
});

export const IO_ACCOUNT_SWEEPS: readonly Sweep[] = [
  port(0, "bitmap", "constant", "one byte is read"),
  port(1, "rangeset", "logarithmic", "a search tree"),
  port(2, "accountant", "logarithmic", "two search trees"),
  ...Object.keys(METHODS).map(
    (name): Sweep => ({
      name: `a frame mapped and unmapped, counted in ${name}`,
      sizeLabel: "frames mapped at once",
      sizes: [10, 100, 1000, 10_000, 100_000],
      documented: "constant",
      why: "a frame's count is found without looking at the others",
      at: (n) => mapContestant(name, n, 1).contestant,
    }),
  ),
];
