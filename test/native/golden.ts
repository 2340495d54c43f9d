/**
 * Recorded cases with the results of a real CPU: test/golden/cpu-vectors.bin.gz, for machines that cannot run harness.c.
 *
 * The file, unpacked: "VXG1", u32 seed, u32 batches, then per batch u32 cases, the data image, and per case a header of flags and
 * lengths, the code, the undefined-flag table, the initial registers and the result; registers of the result are stored as XOR with
 * the initial ones, which packs well.
 */
import { gunzipSync, gzipSync } from "node:zlib";
import type { Batch, TestCase, TestResult } from "./case-format.ts";
import { DATA_BYTES } from "./layout.ts";

const MAGIC = 0x31475856; // "VXG1"

export interface GoldenBatch {
  readonly batch: Batch;
  readonly expected: readonly TestResult[];
}

export interface Golden {
  readonly seed: number;
  readonly batches: readonly GoldenBatch[];
}

class Writer {
  private bytes = new Uint8Array(1 << 22);
  private view = new DataView(this.bytes.buffer);
  private at = 0;
  u8(value: number): void {
    this.view.setUint8(this.at++, value);
  }
  u16(value: number): void {
    this.view.setUint16(this.at, value, true);
    this.at += 2;
  }
  u32(value: number): void {
    this.view.setUint32(this.at, value, true);
    this.at += 4;
  }
  u64(value: bigint): void {
    this.view.setBigUint64(this.at, value, true);
    this.at += 8;
  }
  raw(bytes: Uint8Array): void {
    this.bytes.set(bytes, this.at);
    this.at += bytes.length;
  }
  done(): Uint8Array {
    return this.bytes.subarray(0, this.at);
  }
}

class Reader {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private at = 0;
  constructor(bytes: Uint8Array) {
    this.bytes = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength); // not a Buffer: its slices share memory
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  u8(): number {
    return this.view.getUint8(this.at++);
  }
  u16(): number {
    this.at += 2;
    return this.view.getUint16(this.at - 2, true);
  }
  u32(): number {
    this.at += 4;
    return this.view.getUint32(this.at - 4, true);
  }
  u64(): bigint {
    this.at += 8;
    return this.view.getBigUint64(this.at - 8, true);
  }
  raw(length: number): Uint8Array {
    this.at += length;
    return this.bytes.slice(this.at - length, this.at);
  }
}

export function encodeGolden(golden: Golden): Uint8Array {
  const w = new Writer();
  w.u32(MAGIC);
  w.u32(golden.seed);
  w.u32(golden.batches.length);
  for (const { batch, expected } of golden.batches) {
    w.u32(batch.cases.length);
    w.raw(batch.data);
    batch.cases.forEach((test, i) => {
      writeCase(w, test);
      writeResult(w, test, expected[i]!);
    });
  }
  return gzipSync(w.done(), { level: 9 });
}

export function decodeGolden(packed: Uint8Array): Golden {
  const r = new Reader(gunzipSync(packed));
  if (r.u32() !== MAGIC)
    throw new Error("not a file of recorded CPU vectors: record it again (golden.test.ts says how)");
  const seed = r.u32();
  const batches: GoldenBatch[] = [];
  for (let n = r.u32(); n > 0; n--) {
    const count = r.u32();
    const data = r.raw(DATA_BYTES);
    const cases: TestCase[] = [];
    const expected: TestResult[] = [];
    for (let i = 0; i < count; i++) {
      const test = readCase(r);
      cases.push(test);
      expected.push(readResult(r, test));
    }
    batches.push({ batch: { data, cases }, expected });
  }
  return { seed, batches };
}

function writeCase(w: Writer, test: TestCase): void {
  w.u8(test.bits | (test.compatibilityOnly ? 1 : 0));
  w.u8(test.code.length);
  w.u8(test.undefinedAt.length);
  w.u16(test.codeOffset);
  w.u16(test.flags);
  w.raw(test.code);
  for (const [at, mask] of test.undefinedAt) {
    w.u8(at);
    w.u16(mask);
  }
  for (let i = 0; i < (test.bits === 32 ? 8 : 16); i++) w.u64(test.regs[i]!);
}

function readCase(r: Reader): TestCase {
  const kind = r.u8();
  const bits = (kind & ~1) as 32 | 64;
  const length = r.u8();
  const boundaries = r.u8();
  const codeOffset = r.u16();
  const flags = r.u16();
  const code = r.raw(length);
  const undefinedAt: [number, number][] = [];
  for (let i = 0; i < boundaries; i++) undefinedAt.push([r.u8(), r.u16()]);
  const regs = new BigUint64Array(16);
  for (let i = 0; i < (bits === 32 ? 8 : 16); i++) regs[i] = r.u64();
  return { bits, compatibilityOnly: (kind & 1) !== 0, codeOffset, code, flags, regs, undefinedAt };
}

function writeResult(w: Writer, test: TestCase, result: TestResult): void {
  w.u16(result.vector);
  w.u32(result.error);
  w.u64(result.cr2);
  w.u64(result.rip);
  w.u32(result.flags);
  for (const selector of [result.cs, result.ss, result.ds, result.es]) w.u16(selector);
  for (let i = 0; i < 16; i++) w.u64(result.regs[i]! ^ test.regs[i]!);
  w.u16(result.changes.length);
  for (const [offset, value] of result.changes) {
    w.u16(offset);
    w.u64(value);
  }
}

function readResult(r: Reader, test: TestCase): TestResult {
  const vector = r.u16();
  const error = r.u32();
  const cr2 = r.u64();
  const rip = r.u64();
  const flags = r.u32();
  const [cs, ss, ds, es] = [r.u16(), r.u16(), r.u16(), r.u16()];
  const regs = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) regs[i] = r.u64() ^ test.regs[i]!;
  const changes: [number, bigint][] = [];
  for (let n = r.u16(); n > 0; n--) changes.push([r.u16(), r.u64()]);
  return { vector, error, cr2, rip, flags, cs, ss, ds, es, regs, changes };
}
