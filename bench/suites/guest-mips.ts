/** Instructions per second of guest code on the processor, with the same loops on the real CPU for scale. */
import { frameAt, instantiateSilicon } from "../../host/lib/silicon.ts";
import { compileBuild } from "../../host/node/wasm.ts";
import { EXIT_BUDGET } from "../../hv-core/abi/exits.ts";
import { countersOf } from "../counted.ts";
import { type Contestant, type Effort, measure } from "../harness.ts";
import { compile, nativeContestant } from "../native.ts";
import {
  type BenchProgram,
  FAULT_PROGRAM,
  INSTRUCTIONS_PER_FAULT,
  PROGRAM_BASE,
  PROGRAM_RAM,
  PROGRAMS,
  programBytes,
  STRING_PROGRAMS,
} from "../programs.ts";
import type { Row, Table } from "../report.ts";
import { portContestant } from "./io.ts";

const COUNT = 2_000_000;
const STRING_COUNT = 100_000;
/** Samples of ten milliseconds or more, like ours: short ones would be disturbed less often by what else the machine does. */
const NATIVE_COUNT = 100_000_000;
const NATIVE_SAMPLES = 3;
/** More instructions than any program needs to build its tables. */
const SETUP = 200_000;
const NATIVE_NAMES: Readonly<Record<string, string>> = {
  "ALU loop": "alu",
  "memory loop, in order": "order",
  "memory loop, random": "random",
  "call/branch loop": "call",
};

const ALU_LIMIT =
  "each instruction is a record: load it, jump through a table, load and store registers and lazy flags in memory";

/** For scale: figures of others on one machine of the same kind, from the project's first issue; not measured here. */
const FOR_SCALE =
  "for scale (quoted, another run): Bochs 130 MIPS ALU, 92 calls; v86 122 and 137 without JIT, 2850 and 1472 with; random access to 64 MiB: Bochs 3.9, v86 6.7 M/s; page faults 3 to 9 M/s";

/** A processor that has run the program's set-up. */
export function programContestant(module: WebAssembly.Module, program: BenchProgram, count = COUNT): Contestant {
  // An eighth of the frames holds EPT tables.
  const silicon = instantiateSilicon(module, Math.ceil((PROGRAM_RAM / 4096) * (8 / 7)) + 64);
  silicon.u8.set(programBytes(program), frameAt(PROGRAM_BASE / 4096));
  silicon.exports.siliconReset(32, PROGRAM_BASE);
  const run = (budget: number): void => {
    const exit = silicon.exports.siliconRun(budget) >>> 0;
    if (exit !== EXIT_BUDGET) throw new Error(`${program.name}: unexpected exit ${exit.toString(16)}`);
  };
  run(SETUP);
  const u32 = new Uint32Array(silicon.memory.buffer);
  return { name: program.name, operations: count, call: () => run(count), counters: () => countersOf({ u32 }) };
}

export function guestMipsSuite(effort: Effort): Table {
  const module = compileBuild("silicon");
  const native = compile("loops.c");
  const rows: Row[] = [];
  for (const program of PROGRAMS) {
    const contestants = [programContestant(module, program)];
    if (!("skipped" in native)) {
      const args = [NATIVE_NAMES[program.name]!, String(NATIVE_COUNT), String(NATIVE_SAMPLES)];
      contestants.push(nativeContestant(native.program, "the real CPU", NATIVE_COUNT, args));
    }
    const [ours, real] = measure(contestants, effort);
    // 400 MIPS where the real CPU runs its loop at 10,000.
    const goal = program.name === "ALU loop" && real ? { goal: { atMost: 25, limit: ALU_LIMIT } } : {};
    rows.push({ measurement: ours!, unit: "MIPS", ...(real ? { against: real } : {}), note: program.what, ...goal });
    if (real) rows.push({ measurement: real, unit: "MIPS" });
  }
  const faults = programContestant(module, FAULT_PROGRAM);
  const perFault = { ...faults, operations: faults.operations / INSTRUCTIONS_PER_FAULT };
  rows.push({ measurement: measure([perFault], effort)[0]!, unit: "M/s", note: FAULT_PROGRAM.what });
  for (const program of STRING_PROGRAMS) {
    const ours = programContestant(module, program, STRING_COUNT);
    const elements = { ...ours, operations: ours.operations * program.elementsPerInstruction };
    rows.push({ measurement: measure([elements], effort)[0]!, unit: "M/s", note: program.what });
  }
  rows.push({
    measurement: measure([portContestant(compileBuild("release"))], effort)[0]!,
    unit: "M/s",
    note: "OUT to a device in the core, through the hypervisor",
  });
  return { title: "Guest code", rows, notes: [FOR_SCALE, ...("skipped" in native ? [native.skipped] : [])] };
}
