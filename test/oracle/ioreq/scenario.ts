/**
 * The recorded scenario, in its order: each function sets up a domain and runs snippets in it; the rows are in world.rows. What a
 * snippet starts with stands in the recorded rows themselves (record.ts); those that never finished on Xen do not say it, so they
 * are listed here.
 */
import { FAULT, FLAGS_OUT, MAILBOX, REGISTERS_OUT } from "./program.ts";
import type { RecordedTest } from "./record.ts";
import type { Registers, ScenarioWorld } from "./world.ts";

const MMIO = 0xf0000000n;
const TYPED = 0x300000;
const BUFIOREQ_ATOMIC = 2;
const PORT = 0;
const MEMORY = 1;
const PCI = 2;
/** CF PF AF ZF SF DF OF: what the recording shows of the flags. */
const SHOWN_FLAGS = 0xcd5n;
/** DOMCTL_shadow_op. */
const LOG_DIRTY_ON = 2;
const CLEAN = 11;
const ALL_ONES = 0xffffffffffffffffn;

/** Snippets that did not finish on Xen: what they were and what is shown of memory. */
const UNFINISHED: Readonly<Record<string, { snippet: string; registers: Registers; check: number }>> = {
  "cross-add8-mmio": { snippet: "add8", registers: [1n, 0n, 0n, 0n, 0n, MMIO + 0xffcn], check: 0xf0000ff8 },
  "port-repinsb-to-mmio": { snippet: "repinsb", registers: [0n, 0n, 3n, 0x504n, 0n, MMIO + 0x20n], check: 0xf0000020 },
  "type-repinsb-claimed-port-into-type-1": {
    snippet: "repinsb",
    registers: [0n, 0n, 1n, 0x504n, 0n, BigInt(TYPED + 0x80)],
    check: TYPED + 0x80,
  },
  "mmio-repinsb-claimed-port-1": {
    snippet: "repinsb",
    registers: [0n, 0n, 1n, 0x504n, 0n, MMIO + 0x80n],
    check: 0xf0000080,
  },
  "fetch-from-typed-page": { snippet: "callmem", registers: [0n, 0n, 0n, 0n, 0n, BigInt(TYPED)], check: 0 },
};

/** Device and buffers are filled anew before these. */
const FILLED = new Set(
  [
    "mmio-push mmio-pop mmio-cmpxchg4-fail mmio-cmpxchg4-ok mmio-cmpxchg8-ok mmio-cmpxchg8b-ok mmio-cmpxchg16b mmio-bts-far",
    "unaligned-w4 cross-w8-two-mmio-pages cross-add8-mmio movsd-ram-to-mmio repmovsb-ram-to-mmio-8 repmovsd-mmio-to-mmio-4",
    "repmovsd-df-ram-to-mmio-4 repmovsd-mmio-page-cross repstosb-8",
  ]
    .join(" ")
    .split(" "),
);

const x = (value: bigint): string => value.toString(16);
const NAMES = ["rax", "rbx", "rcx", "rdx", "rsi", "rdi"];
const show = (registers: readonly bigint[]): string => registers.map((v, i) => `${NAMES[i]}=${x(v)}`).join(" ");

/** Runs one recorded snippet and writes its rows. @returns false when it did not finish. */
function run(world: ScenarioWorld, recorded: RecordedTest): boolean {
  const known = UNFINISHED[recorded.name];
  const snippet = known?.snippet ?? recorded.snippet;
  const registers = known?.registers ?? recorded.registers;
  const check = known?.check ?? recorded.check;
  world.test = recorded.name;
  world.requests = 0;
  world.post(snippet, registers);
  const isFinished = world.finish();
  world.drainRing();
  const fields = new Array<string>(8).fill("-");
  const memory = check === 0 ? "" : ` ${memoryNote(world, check)}`;
  if (!isFinished) {
    const flags = world.domainFlags().toString(16).padStart(8, "0");
    world.row("result", fields, `NOT FINISHED flags=${flags} slot.state=${world.slotState()}${memory}`);
    return false;
  }
  const mailbox = (offset: number) => world.peek64(MAILBOX + offset);
  const out = NAMES.map((_, i) => mailbox(REGISTERS_OUT + i * 8));
  const flags = x(mailbox(FLAGS_OUT) & SHOWN_FLAGS);
  const fault =
    mailbox(FAULT) === ALL_ONES
      ? ""
      : ` FAULT vec=${mailbox(FAULT)} err=${x(mailbox(FAULT + 8))} rip=${x(mailbox(FAULT + 16))}`;
  world.row(
    "result",
    fields,
    `snippet=${snippet} in(${show(registers)}) out(${show(out)} fl=${flags})${memory}${fault}`,
  );
  return true;
}

function memoryNote(world: ScenarioWorld, at: number): string {
  const isRam = at < 0x400000;
  const view = new DataView(world.device.buffer);
  const words = [0, 8].map((n) => (isRam ? world.peek64(at + n) : view.getBigUint64((at & 0xffff) + n, true)));
  return `${isRam ? "ram" : "dev"}[${at.toString(16)}]=${words.map((w) => x(w).padStart(16, "0")).join(",")}`;
}

/** Domain, server without a ring, buffers filled: what most parts begin with. */
function memoryDomain(world: ScenarioWorld): void {
  world.createDomain();
  world.attach(0);
  world.fill();
  world.start();
}

/** Memory, ports, PCI configuration, and the page that is given back. */
export function basic(world: ScenarioWorld, tests: readonly RecordedTest[]): void {
  const setUp = (): void => {
    world.createDomain();
    world.attach(BUFIOREQ_ATOMIC);
    world.range(MEMORY, MMIO, MMIO + 0x3fffn);
    world.range(MEMORY, MMIO + 0x5000n, MMIO + 0x50ffn);
    world.range(MEMORY, 0x400000n, 0x400fffn);
    world.range(PORT, 0x500n, 0x50fn);
    world.range(PCI, 0x18n, 0x18n);
    world.fill();
    world.start();
  };
  setUp();
  for (const test of tests) {
    const isPlain = /^mmio-/.test(test.name) && !FILLED.has(test.name);
    if (FILLED.has(test.name) || isPlain) world.fill();
    const isFinished = test.name === "invalidate" ? giveBack(world) : run(world, test);
    if (!isFinished) {
      world.destroyDomain();
      setUp();
    }
  }
  world.destroyDomain();
}

/** XENMEM_decrease_reservation by the guest itself: the device models hear of it. */
function giveBack(world: ScenarioWorld): boolean {
  world.write(0x210000, new Uint8Array(64));
  world.poke64(0x210000, 0x210100n);
  world.poke64(0x210008, 1n);
  world.poke64(0x210018, 0x7ff0n);
  world.poke64(0x210100, 0x3a0n);
  world.test = "invalidate";
  world.requests = 0;
  world.post("vmmcall_", [12n, 0n, 0n, 0n, 0x210000n, 1n]);
  return world.finish();
}

/** A page of the type, with a server. */
export function typed(world: ScenarioWorld, tests: readonly RecordedTest[]): void {
  memoryDomain(world);
  world.write(TYPED, world.device.subarray(0, 0x1000));
  world.write(TYPED + 0x1000, world.device.subarray(0, 0x1000));
  world.mapType(2);
  world.setType(TYPED >> 12, 1, 4);
  for (const test of tests) {
    if (test.name === "type-repoutsb-from-type") world.range(PORT, 0x500n, 0x50fn);
    if (test.name === "type-repmovsd-mmio-to-type") world.range(MEMORY, MMIO, MMIO + 0xfffn);
    run(world, test);
  }
  world.destroyDomain();
}

/** The server is destroyed while it has the type. */
export function destroyed(world: ScenarioWorld, tests: readonly RecordedTest[]): void {
  memoryDomain(world);
  world.mapType(2);
  world.setType(TYPED >> 12, 2, 4);
  run(world, tests[0]!);
  world.destroyServer();
  run(world, tests[1]!);
  world.destroyDomain();
}

/** Log-dirty mode beside the type: the requests and registers of the snippets. */
export function logDirty(world: ScenarioWorld, tests: readonly RecordedTest[], isTyped: boolean): void {
  memoryDomain(world);
  world.mapType(2);
  world.shadowOp(LOG_DIRTY_ON);
  run(world, tests[0]!);
  if (isTyped) world.setType(TYPED >> 12, 1, 4);
  world.shadowOp(CLEAN);
  run(world, tests[1]!);
  world.mapType(0);
  run(world, tests[2]!);
  world.shadowOp(CLEAN);
  run(world, tests[3]!);
  world.destroyDomain();
}

/** The emulated clock of an HVM domain: buffered TIMEOFFSET. */
export function clock(world: ScenarioWorld, tests: readonly RecordedTest[]): void {
  world.createDomain(0x3ff);
  world.attach(BUFIOREQ_ATOMIC);
  world.fill();
  world.range(MEMORY, 0xa0000n, 0xbffffn);
  world.start();
  for (const test of tests) run(world, test);
  world.destroyDomain();
}

/** INS into emulated memory. */
export function portIntoMemory(world: ScenarioWorld, tests: readonly RecordedTest[]): void {
  memoryDomain(world);
  world.range(PORT, 0x500n, 0x50fn);
  world.mapType(2);
  world.setType(TYPED >> 12, 1, 4);
  run(world, tests[0]!);
  world.destroyDomain();
  memoryDomain(world);
  world.range(PORT, 0x500n, 0x50fn);
  world.range(MEMORY, MMIO, MMIO + 0xfffn);
  run(world, tests[1]!);
  world.destroyDomain();
}

/** Code on a page of the type. */
export function fetched(world: ScenarioWorld, tests: readonly RecordedTest[]): void {
  memoryDomain(world);
  world.write(TYPED, new Uint8Array(16).fill(0xc3));
  world.mapType(2);
  world.setType(TYPED >> 12, 1, 4);
  run(world, tests[0]!);
  world.destroyDomain();
}

/** Plays everything. @returns the rows, in the recording's columns and order. */
export function play(world: ScenarioWorld, tests: readonly RecordedTest[]): readonly string[] {
  const part = (first: string, last: string): readonly RecordedTest[] =>
    tests.slice(
      tests.findIndex((t) => t.name === first),
      tests.findLastIndex((t) => t.name === last) + 1,
    );
  basic(world, part("mmio-w1", "fetch-from-mmio"));
  typed(world, part("type-w1", "type-repmovsd-mmio-to-type"));
  destroyed(world, part("S1-before-w4", "S1-r4-after-destroy"));
  const s2 = part("S2-w4-X", "S2-w4-Y3");
  logDirty(world, s2.slice(0, 4), true);
  logDirty(world, s2.slice(4), false);
  clock(world, part("rtc-index", "vga-seq-index"));
  portIntoMemory(world, part("type-repinsb-claimed-port-into-type-1", "mmio-repinsb-claimed-port-1"));
  fetched(world, part("fetch-from-typed-page", "fetch-from-typed-page"));
  return world.rows;
}
