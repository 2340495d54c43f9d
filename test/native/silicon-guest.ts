/**
 * Runs cases on our processor (build/silicon.wasm) in a small guest that looks to user mode as Linux does: the same linear addresses,
 * the same selectors, every exception gate ending in a HLT in the kernel, where the frame on the kernel stack tells what happened.
 *
 * Three environments: 64-bit mode and compatibility mode under four-level paging, and plain 32-bit protected mode under PAE.
 * Before: generate.ts. Next: compare.ts.
 */

import {
  CPU_AT,
  frameAt,
  instantiateSilicon,
  type SegmentState,
  type Silicon,
  setCpuState,
} from "../../host/lib/silicon.ts";
import {
  CPU_CR2,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SEG_SIZE,
  CPU_SEGS,
  SEG_CS,
  SEG_DS,
  SEG_ES,
  SEG_SS,
} from "../../hv-core/abi/cpu.ts";
import { EXIT_HLT } from "../../hv-core/abi/exits.ts";
import {
  CR0_ET,
  CR0_NE,
  CR0_PE,
  CR0_PG_BIT,
  CR0_WP,
  CR4_PAE,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
} from "../../hv-core/abi/regs.ts";
import { type TestCase, type TestResult, VECTOR_TIMEOUT } from "./case-format.ts";
import {
  CODE_BASE,
  CODE_BYTES,
  DATA_BASE,
  DATA_BYTES,
  FS_BASE,
  GS_BASE,
  KERNEL_BASE,
  READ_ONLY_BASE,
  SEL_CODE32,
  SEL_CODE64,
  SEL_DATA,
} from "./layout.ts";

/** How 32-bit cases are run: under a 64-bit kernel as on the real machine, or under a 32-bit one. */
export type Environment = "long64" | "compat32" | "pae32";

/** Vectors above this name an exit that no case should cause: 0x1000 + exit reason. */
export const VECTOR_UNEXPECTED_EXIT = 0x1000;

/** Instructions after which a case counts as endless. */
const BUDGET = 100_000;

// Guest-physical pages.
const PML4 = 1;
const PDPT_LONG = 2;
const PDPT_PAE = 3;
const DIRECTORY_LOW = 4;
const DIRECTORY_KERNEL = 5;
const TABLE_CODE = 6;
const TABLE_DATA = 7;
const TABLE_KERNEL = 8;
const GDT_LONG = 16;
const GDT_PAE = 17;
const IDT_LONG = 18;
const IDT_PAE = 19;
const TSS_LONG = 20;
const TSS_PAE = 21;
const HANDLERS = 22;
const STACK = 23;
const CODE = 32;
const DATA = 40;
const READ_ONLY = 48;

const STACK_TOP = KERNEL_BASE + (STACK + 1) * 0x1000;
const FRAMES = 256;
/** Bytes of the processor's structure that a case starts from (hw/cpu.ts). */
const CPU_BYTES = 1024;

const P = 1n;
const W = 2n;
const U = 4n;
const NX = 1n << 63n;

const UNUSABLE: SegmentState = { selector: 0, base: 0n, limit: 0, attributes: 0x10000 };
const flat = (selector: number, attributes: number): SegmentState => ({
  selector,
  base: 0n,
  limit: 0xffff_ffff,
  attributes,
});

export interface SiliconGuest {
  /** Puts a batch's data image in place. */
  setData(data: Uint8Array): void;
  run(test: TestCase, environment: Environment): TestResult;
}

export function createSiliconGuest(module: WebAssembly.Module): SiliconGuest {
  const silicon = instantiateSilicon(module, FRAMES);
  const { u8, view, exports } = silicon;
  buildPageTables(silicon);
  buildTables(silicon);
  const templates: Record<Environment, Uint8Array> = {
    long64: template(silicon, true, SEL_CODE64),
    compat32: template(silicon, true, SEL_CODE32),
    pae32: template(silicon, false, SEL_CODE32),
  };

  const cpu = CPU_AT;
  const codeAt = frameAt(CODE);
  const dataAt = frameAt(DATA);
  const words = new Int32Array(silicon.memory.buffer, dataAt, DATA_BYTES / 4);
  let image = new Uint8Array(DATA_BYTES);
  let imageWords = new Int32Array(image.buffer);
  let current: Environment | null = null;

  return {
    setData(data) {
      image = data.slice();
      imageWords = new Int32Array(image.buffer);
      u8.set(data.subarray(0, 0x1000), frameAt(READ_ONLY));
    },

    run(test, environment) {
      u8.fill(0xcc, codeAt, codeAt + CODE_BYTES);
      u8.set(test.code, codeAt + test.codeOffset);
      exports.siliconFrameWritten(CODE);
      exports.siliconFrameWritten(CODE + 1);
      u8.set(image, dataAt);
      u8.set(templates[environment], cpu);
      if (current !== environment) exports.siliconSync(); // other page tables: the TLB must not remember the old ones
      current = environment;
      for (let i = 0; i < 16; i++) view.setBigUint64(cpu + i * 8, test.regs[i]!, true);
      view.setBigUint64(cpu + CPU_RIP, BigInt(CODE_BASE + test.codeOffset), true);
      view.setUint32(cpu + CPU_RFLAGS, test.flags | 0x202, true);

      const exit = exports.siliconRun(BUDGET);
      const result = outcome(silicon, exit, environment === "pae32", frameAt(STACK));
      for (let i = 0; i < words.length; i += 2) {
        if (words[i] === imageWords[i] && words[i + 1] === imageWords[i + 1]) continue;
        result.changes.push([i * 4, view.getBigUint64(dataAt + i * 4, true)]);
      }
      return result;
    },
  };
}

/** Reads what the exception left on the kernel's stack. */
function outcome(silicon: Silicon, exit: number, is32: boolean, stack: number): TestResult {
  const { view } = silicon;
  const cpu = CPU_AT;
  const selector = (index: number) => view.getUint16(cpu + CPU_SEGS + index * CPU_SEG_SIZE + 16, true);
  const regs = new BigUint64Array(16);
  for (let i = 0; i < 16; i++) regs[i] = view.getBigUint64(cpu + i * 8, true);
  const result: TestResult = {
    vector: VECTOR_UNEXPECTED_EXIT + exit,
    error: 0,
    cr2: 0n,
    rip: view.getBigUint64(cpu + CPU_RIP, true),
    flags: view.getUint32(cpu + CPU_RFLAGS, true),
    cs: selector(SEG_CS),
    ss: selector(SEG_SS),
    ds: selector(SEG_DS),
    es: selector(SEG_ES),
    regs,
    changes: [],
  };
  const handler = Number(result.rip) - (KERNEL_BASE + HANDLERS * 0x1000);
  if (exit !== EXIT_HLT || handler < 0 || handler >= 0x1000) {
    if (exit >= 0x1000) result.vector = VECTOR_TIMEOUT;
    return result;
  }
  result.vector = handler >> 4;
  const hasError = result.vector === 8 || (result.vector >= 10 && result.vector <= 14) || result.vector === 17;
  const slot = is32 ? 4 : 8;
  const read = (at: number) => (is32 ? BigInt(view.getUint32(at, true)) : view.getBigUint64(at, true));
  const at = stack + 0x1000 - 5 * slot;
  if (hasError) result.error = Number(read(at - slot) & 0xffff_ffffn);
  result.rip = read(at);
  result.cs = Number(read(at + slot) & 0xffffn);
  result.flags = Number(read(at + 2 * slot) & 0xffff_ffffn);
  regs[4] = read(at + 3 * slot);
  result.ss = Number(read(at + 4 * slot) & 0xffffn);
  if (result.vector === 14) result.cr2 = view.getBigUint64(cpu + CPU_CR2, true);
  return result;
}

/** Four-level tables and PAE tables that share everything below the directory pointers. */
function buildPageTables(silicon: Silicon): void {
  const { view } = silicon;
  const put = (table: number, index: number, gfn: number, bits: bigint) =>
    view.setBigUint64(frameAt(table) + index * 8, (BigInt(gfn) << 12n) | bits, true);
  const directory = (linear: number) => Math.floor(linear / 0x20_0000) & 511;
  const entry = (linear: number) => Math.floor(linear / 0x1000) & 511;
  put(PML4, 0, PDPT_LONG, P | W | U);
  for (const [pdpt, bits] of [
    [PDPT_LONG, P | W | U],
    [PDPT_PAE, P],
  ] as const) {
    put(pdpt, 0, DIRECTORY_LOW, bits);
    put(pdpt, 3, DIRECTORY_KERNEL, bits);
  }
  put(DIRECTORY_LOW, directory(CODE_BASE), TABLE_CODE, P | W | U);
  put(DIRECTORY_LOW, directory(DATA_BASE), TABLE_DATA, P | W | U);
  put(DIRECTORY_KERNEL, directory(KERNEL_BASE), TABLE_KERNEL, P | W);
  for (let i = 0; i < 2; i++) {
    put(TABLE_CODE, entry(CODE_BASE) + i, CODE + i, P | W | U);
    put(TABLE_DATA, entry(DATA_BASE) + i, DATA + i, P | W | U | NX);
  }
  put(TABLE_DATA, entry(READ_ONLY_BASE), READ_ONLY, P | U | NX);
  for (let gfn = GDT_LONG; gfn <= STACK; gfn++) put(TABLE_KERNEL, gfn, gfn, P | W);
}

/** GDT, IDT, TSS and handlers. Linux's GDT has 16 entries. */
function buildTables(silicon: Silicon): void {
  const { view, u8 } = silicon;
  const descriptor = (attributes: number, base = 0, limit = 0xfffff) =>
    BigInt(limit & 0xffff) |
    (BigInt(base & 0xffffff) << 16n) |
    (BigInt(attributes & 0xff) << 40n) |
    (BigInt(limit >> 16) << 48n) |
    (BigInt(attributes >> 8) << 52n) |
    (BigInt(base >>> 24) << 56n);
  for (const [gdt, tss, kernelCode] of [
    [GDT_LONG, TSS_LONG, 0xa9b],
    [GDT_PAE, TSS_PAE, 0xc9b],
  ] as const) {
    const at = frameAt(gdt);
    const put = (selector: number, value: bigint) => view.setBigUint64(at + (selector & ~7), value, true);
    put(0x08, descriptor(0xc9b));
    put(0x10, descriptor(kernelCode));
    put(0x18, descriptor(0xc93));
    put(SEL_CODE32, descriptor(0xcfb));
    put(SEL_DATA, descriptor(0xcf3));
    put(SEL_CODE64, descriptor(0xafb));
    put(0x40, descriptor(0x08b, KERNEL_BASE + tss * 0x1000, 0x67));
  }
  view.setBigUint64(frameAt(TSS_LONG) + 4, BigInt(STACK_TOP), true); // RSP0
  view.setUint32(frameAt(TSS_PAE) + 4, STACK_TOP, true); // ESP0
  view.setUint32(frameAt(TSS_PAE) + 8, 0x18, true); // SS0
  // No I/O permission map: it would begin behind the limit.
  view.setUint16(frameAt(TSS_LONG) + 0x66, 0x68, true);
  view.setUint16(frameAt(TSS_PAE) + 0x66, 0x68, true);
  for (let vector = 0; vector < 256; vector++) {
    const handler = KERNEL_BASE + HANDLERS * 0x1000 + vector * 16;
    const type = vector === 3 || vector === 4 ? 0xee : 0x8e;
    const gate = BigInt(handler & 0xffff) | (0x10n << 16n) | (BigInt(type) << 40n) | (BigInt(handler >>> 16) << 48n);
    view.setBigUint64(frameAt(IDT_LONG) + vector * 16, gate, true);
    view.setBigUint64(frameAt(IDT_PAE) + vector * 8, gate, true);
  }
  u8.fill(0xf4, frameAt(HANDLERS), frameAt(HANDLERS) + 0x1000); // HLT
}

/** The processor as user mode finds it, as bytes to copy before each case. */
function template(silicon: Silicon, isLong: boolean, code: number): Uint8Array {
  const tss = isLong ? TSS_LONG : TSS_PAE;
  const data = flat(SEL_DATA, 0xc0f3);
  const paging = 2 ** CR0_PG_BIT;
  setCpuState(silicon, {
    cr0: BigInt(paging + CR0_PE + CR0_ET + CR0_NE + CR0_WP),
    cr3: BigInt((isLong ? PML4 : PDPT_PAE) * 0x1000),
    cr4: BigInt(CR4_PAE),
    efer: BigInt(isLong ? EFER_LME | EFER_LMA | EFER_NXE : EFER_NXE),
    cpl: 3,
    rip: BigInt(CODE_BASE),
    rflags: 0x202,
    segments: [
      data,
      flat(code, code === SEL_CODE64 ? 0xa0fb : 0xc0fb),
      data,
      data,
      { ...UNUSABLE, base: BigInt(FS_BASE) },
      { ...UNUSABLE, base: BigInt(GS_BASE) },
      UNUSABLE,
      { selector: 0x40, base: BigInt(KERNEL_BASE + tss * 0x1000), limit: 0x67, attributes: 0x8b },
    ],
    gdtr: { base: BigInt(KERNEL_BASE + (isLong ? GDT_LONG : GDT_PAE) * 0x1000), limit: 127 },
    idtr: { base: BigInt(KERNEL_BASE + (isLong ? IDT_LONG : IDT_PAE) * 0x1000), limit: isLong ? 0xfff : 0x7ff },
  });
  const cpu = CPU_AT;
  if (!isLong) {
    // The four directory pointers that a load of CR3 would have read.
    for (const [i, gfn] of [
      [0, DIRECTORY_LOW],
      [3, DIRECTORY_KERNEL],
    ] as const) {
      silicon.view.setBigUint64(cpu + CPU_PDPTES + i * 8, BigInt(gfn * 0x1000) | P, true);
    }
  }
  return silicon.u8.slice(cpu, cpu + CPU_BYTES);
}

/** hw/cpu.ts: pdpte0..3 follow efer. */
const CPU_PDPTES = 440;
