/** Judges two results of one case, and says in words what differs. Before: native-cpu.ts or golden.ts, and silicon-guest.ts. */

import { REGISTER_NAMES } from "../../host/lib/inspect.ts";
import type { TestCase, TestResult } from "./case-format.ts";
import { describeCase, flagText } from "./disassemble.ts";
import { CODE_BASE, KERNEL_BASE, KERNEL_BYTES } from "./layout.ts";

/** Arithmetic flags, DF, TF, IF, IOPL, NT, VM, AC, ID; not RF, which only says how the exception was reported. */
const COMPARED_FLAGS = 0x267fd5;

const LINUX_USER_END = 0x7fff_ffff_f000n;
const VECTOR_BP = 3;
const VECTOR_GP = 13;
const VECTOR_PF = 14;

/** Flags that the manual leaves undefined at the place where the case ended. */
function undefinedFlags(test: TestCase, result: TestResult): number {
  const offset = Number(result.rip - BigInt(CODE_BASE + test.codeOffset)) - (result.vector === VECTOR_BP ? 1 : 0);
  let all = 0;
  let found = -1;
  for (const [at, mask] of test.undefinedAt) {
    all |= mask;
    if (at === offset) found = mask;
  }
  return found >= 0 ? found : all;
}

const notNull = (selector: number): number => (selector < 4 ? 0 : selector);

/** The lines of a difference, or none when the results agree. */
export function differences(test: TestCase, expected: TestResult, actual: TestResult): string[] {
  const out: string[] = [];
  const differ = (what: string, want: bigint | number, got: bigint | number) => {
    if (want !== got) out.push(`  ${what}: real CPU ${want.toString(16)}, ours ${got.toString(16)}`);
  };
  // With FS or GS some processors want the address to be canonical before the base is added as well.
  const isBeforeBase = expected.vector === VECTOR_GP && actual.vector === VECTOR_PF && actual.cr2 >= 1n << 63n;
  if (!isBeforeBase) differ("vector", expected.vector, actual.vector);
  differ("rip", expected.rip, actual.rip);
  if (expected.vector === actual.vector) {
    // In the kernel's half (and the guard page below it) the real system reports "present" whatever is there; so do our kernel's pages.
    const isKernel =
      expected.cr2 >= LINUX_USER_END || (expected.cr2 >= KERNEL_BASE && expected.cr2 < KERNEL_BASE + KERNEL_BYTES);
    const ignored = expected.vector === VECTOR_PF && isKernel ? 1 : 0;
    differ("error code", expected.error | ignored, actual.error | ignored);
    differ("cr2", expected.cr2, actual.cr2);
  }
  const flagsDiffer = (expected.flags ^ actual.flags) & COMPARED_FLAGS & ~undefinedFlags(test, expected);
  if (flagsDiffer !== 0) {
    out.push(
      `  flags: real CPU ${flagText(expected.flags)}, ours ${flagText(actual.flags)}, wrong ${flagText(flagsDiffer)}`,
    );
  }
  for (let i = 0; i < 16; i++) differ(REGISTER_NAMES[i]!, expected.regs[i]!, actual.regs[i]!);
  differ("cs", expected.cs, actual.cs);
  differ("ss", expected.ss, actual.ss);
  // Between the case and the record the real system returned to user mode once, and that turns every null selector into 0.
  differ("ds", notNull(expected.ds), notNull(actual.ds));
  differ("es", notNull(expected.es), notNull(actual.es));
  const memory = new Map(expected.changes);
  for (const [offset, value] of actual.changes) {
    const want = memory.get(offset);
    memory.delete(offset);
    if (want !== value)
      out.push(
        `  data+${offset.toString(16)}: real CPU ${want === undefined ? "unchanged" : want.toString(16)}, ours ${value.toString(16)}`,
      );
    if (out.length > 24) break;
  }
  for (const [offset, value] of memory) {
    if (out.length > 24) break;
    out.push(`  data+${offset.toString(16)}: real CPU ${value.toString(16)}, ours unchanged`);
  }
  return out;
}

/** A mismatch for people: the case, where it comes from, what differs. */
export function describeMismatch(test: TestCase, name: string, lines: readonly string[]): string {
  return `${name}\n${describeCase(test)}\n${lines.join("\n")}`;
}
