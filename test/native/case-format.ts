/**
 * Cases and results as bytes: what harness.c reads and writes (`struct test_case`, `struct result`), and what the golden file holds.
 * Everything is little endian. Before: generate.ts makes cases. Next: native-cpu.ts and silicon-guest.ts run them, compare.ts judges.
 */
import { DATA_BYTES, FS_BASE, GS_BASE } from "./layout.ts";

export const CODE_MAX = 64;
const MAGIC = 0x314e5856; // "VXN1"
const BATCH_BYTES = 24 + DATA_BYTES;
export const CASE_BYTES = 16 + 16 * 8 + CODE_MAX;
const RESULT_BYTES = 40 + 16 * 8 + 8;
const CHANGE_BYTES = 16;

/** The vector reported for a case that did not end. */
export const VECTOR_TIMEOUT = 0x1ff;

/** One sequence of instructions with the state it starts from. */
export interface TestCase {
  readonly bits: 32 | 64;
  /** Leaves for 64-bit code: only under a 64-bit kernel. */
  readonly compatibilityOnly: boolean;
  /** Where the code begins, from CODE_BASE. */
  readonly codeOffset: number;
  readonly code: Uint8Array;
  readonly flags: number;
  /** rax rcx rdx rbx rsp rbp rsi rdi r8..r15 */
  readonly regs: BigUint64Array;
  /**
   * Flags that the manual leaves undefined, by instruction boundary: [offset in the code, mask] sorted by offset. The entry in force
   * at the final rip is masked out of the comparison (undefined-flags.ts).
   */
  readonly undefinedAt: readonly (readonly [number, number])[];
}

/** What a case did. */
export interface TestResult {
  /** Exception vector that ended it; every case ends in one, INT3 (3) when nothing else happened. */
  vector: number;
  error: number;
  cr2: bigint;
  rip: bigint;
  flags: number;
  cs: number;
  ss: number;
  ds: number;
  es: number;
  regs: BigUint64Array;
  /** Aligned 8-byte words of the data pages that differ from the batch's image, as [offset, value]. */
  changes: (readonly [number, bigint])[];
}

/** Cases that share one image of the data pages. */
export interface Batch {
  readonly data: Uint8Array;
  readonly cases: readonly TestCase[];
}

/** The input of harness.c. */
export function encodeBatch(batch: Batch): Uint8Array {
  const bytes = new Uint8Array(BATCH_BYTES + batch.cases.length * CASE_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, batch.cases.length, true);
  view.setBigUint64(8, BigInt(FS_BASE), true);
  view.setBigUint64(16, BigInt(GS_BASE), true);
  bytes.set(batch.data, 24);
  let at = BATCH_BYTES;
  for (const c of batch.cases) {
    view.setUint16(at, c.code.length, true);
    view.setUint16(at + 2, c.bits, true);
    view.setUint16(at + 4, c.codeOffset, true);
    view.setUint32(at + 8, c.flags, true);
    for (let i = 0; i < 16; i++) view.setBigUint64(at + 16 + i * 8, c.regs[i]!, true);
    bytes.set(c.code, at + 144);
    at += CASE_BYTES;
  }
  return bytes;
}

/** The output of harness.c. */
export function decodeResults(bytes: Uint8Array, count: number): TestResult[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const results: TestResult[] = [];
  let at = 0;
  for (let n = 0; n < count; n++) {
    const regs = new BigUint64Array(16);
    for (let i = 0; i < 16; i++) regs[i] = view.getBigUint64(at + 40 + i * 8, true);
    const changeCount = view.getUint32(at + 168, true);
    const result: TestResult = {
      vector: view.getUint32(at, true),
      error: view.getUint32(at + 4, true),
      cr2: view.getBigUint64(at + 8, true),
      rip: view.getBigUint64(at + 16, true),
      flags: view.getUint32(at + 24, true),
      cs: view.getUint16(at + 32, true),
      ss: view.getUint16(at + 34, true),
      ds: view.getUint16(at + 36, true),
      es: view.getUint16(at + 38, true),
      regs,
      changes: [],
    };
    at += RESULT_BYTES;
    for (let i = 0; i < changeCount; i++, at += CHANGE_BYTES) {
      result.changes.push([view.getUint32(at, true), view.getBigUint64(at + 8, true)]);
    }
    results.push(result);
  }
  return results;
}
