/**
 * The `silicon` build: a processor without a hypervisor. The caller is the board: it builds the EPT in frames, sets registers through
 * memory, and looks at exits. Used by the comparison with the real CPU, the fuzzers and the walk benchmarks; never to run guests.
 *
 * After: test/native/silicon-guest.ts, test/fuzz/, bench/suites/.
 */
import {
  CPU_CPL,
  CPU_CR0,
  CPU_CR3,
  CPU_CR4,
  CPU_EFER,
  CPU_FLAG_KIND,
  CPU_GDTR_BASE,
  CPU_IDTR_BASE,
  CPU_RFLAGS,
  CPU_RIP,
  CPU_SEG_SIZE,
  CPU_SEGS,
} from "../../hv-core/abi/cpu.ts";
import { EMT_WB, EPTE_EMT_SHIFT, EPTE_LEAF_BIT } from "../../hv-core/abi/ept.ts";
import { FRAMES_BASE, PAGE_SIZE, VCPU_SIZE, VCPUS_BASE } from "../../hv-core/abi/layout.ts";

/** What hv-core/silicon.ts exports. */
export interface SiliconExports {
  _initialize?(): void;
  /** Makes processors 0 .. count - 1, reset and idle, on a machine of `frameCount` frames. */
  siliconInit(frameCount: number, cpus: number, tlbEntries: number): void;
  /** To be called after registers, segments or control registers were changed through memory: derives the mode, empties the TLB. */
  siliconRefresh(slot: number): void;
  /** Runs at most `budget` instructions; returns the exit reason (abi/exits.ts). */
  siliconRun(slot: number, budget: number): number;
  /** Folds lazy flags into rflags, so that memory shows them. */
  siliconFlags(slot: number): number;
  /** The frame was changed from outside: decoded code on it is dropped. */
  siliconFrameWritten(mfn: number): void;
  /** Walks the EPT of processor `slot` for `count` pseudo-random page numbers below `mask` + 1; returns a checksum. */
  siliconWalks(slot: number, count: number, mask: number, seed: number): number;
  /** The same through the TLB, with linear addresses. */
  siliconTlbReads(slot: number, count: number, mask: number, seed: number): number;
}

export interface Silicon {
  readonly exports: SiliconExports;
  readonly memory: WebAssembly.Memory;
  readonly frameCount: number;
  readonly u8: Uint8Array;
  readonly view: DataView;
}

/** Instantiates the build with `frameCount` frames and `cpus` processors. The memory never grows, so the views stay valid. */
export function instantiateSilicon(module: WebAssembly.Module, frameCount: number, cpus = 1, tlbEntries = 256): Silicon {
  const pages = Math.ceil((FRAMES_BASE + frameCount * PAGE_SIZE) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65535 });
  const instance = new WebAssembly.Instance(module, { env: { memory, suspend: () => {} } });
  const exports = instance.exports as unknown as SiliconExports;
  exports._initialize?.();
  exports.siliconInit(frameCount, cpus, tlbEntries);
  return { exports, memory, frameCount, u8: new Uint8Array(memory.buffer), view: new DataView(memory.buffer) };
}

export const frameAt = (mfn: number): number => FRAMES_BASE + mfn * PAGE_SIZE;
export const cpuAt = (slot: number): number => VCPUS_BASE + slot * VCPU_SIZE;

const WRITE_BACK = BigInt(EMT_WB << EPTE_EMT_SHIFT);
const RIGHTS = 7n;

/**
 * Fills EPT tables in the frames from `firstTable` on, so that guest frames 0 .. pages - 1 lie at machine frames `mfnOf(gfn)`.
 * @returns the first frame after the tables; `firstTable` itself is the root.
 */
export function buildEpt(silicon: Silicon, firstTable: number, pages: number, mfnOf: (gfn: number) => number): number {
  const { view, u8 } = silicon;
  let next = firstTable + 1;
  u8.fill(0, frameAt(firstTable), frameAt(firstTable + 1));
  const tableBelow = (table: number, index: number): number => {
    const at = frameAt(table) + index * 8;
    const entry = view.getBigUint64(at, true);
    if (entry !== 0n) return Number(entry >> 12n);
    const below = next++;
    u8.fill(0, frameAt(below), frameAt(below + 1));
    view.setBigUint64(at, (BigInt(below) << 12n) | RIGHTS, true);
    return below;
  };
  for (let gfn = 0; gfn < pages; gfn++) {
    const l3 = tableBelow(firstTable, Math.floor(gfn / 2 ** 27) & 511);
    const l2 = tableBelow(l3, (gfn >> 18) & 511);
    const l1 = tableBelow(l2, (gfn >> 9) & 511);
    view.setBigUint64(frameAt(l1) + (gfn & 511) * 8, (BigInt(mfnOf(gfn)) << 12n) | WRITE_BACK | RIGHTS, true);
  }
  return next;
}

/** A 2 MiB leaf at level 2, for machines too large for 4 KiB leaves. */
export const largeLeaf = (mfn: number): bigint => (BigInt(mfn) << 12n) | WRITE_BACK | RIGHTS | (1n << BigInt(EPTE_LEAF_BIT));

export interface SegmentState {
  readonly selector: number;
  readonly base?: bigint;
  readonly limit?: number;
  /** VMX access rights; 0x10000 = unusable. */
  readonly attributes: number;
}

export interface CpuState {
  readonly eptRoot: number;
  readonly cr0: bigint;
  readonly cr3: bigint;
  readonly cr4: bigint;
  readonly efer: bigint;
  readonly cpl: number;
  readonly rip: bigint;
  readonly rflags: number;
  /** ES CS SS DS FS GS LDTR TR */
  readonly segments: readonly SegmentState[];
  readonly gdtr: { readonly base: bigint; readonly limit: number };
  readonly idtr: { readonly base: bigint; readonly limit: number };
  readonly regs?: readonly bigint[];
}

const CPU_GDTR_LIMIT = CPU_GDTR_BASE + 16;
const CPU_IDTR_LIMIT = CPU_GDTR_BASE + 20;
const CPU_EPT_ROOT = CPU_CPL + 8;

/** Writes a processor's state and derives what follows from it. */
export function setCpuState(silicon: Silicon, slot: number, state: CpuState): void {
  const { view } = silicon;
  const cpu = cpuAt(slot);
  for (let i = 0; i < 16; i++) view.setBigUint64(cpu + i * 8, state.regs?.[i] ?? 0n, true);
  view.setBigUint64(cpu + CPU_RIP, state.rip, true);
  view.setUint32(cpu + CPU_FLAG_KIND, 0, true);
  view.setUint32(cpu + CPU_RFLAGS, state.rflags, true);
  state.segments.forEach((segment, i) => {
    const at = cpu + CPU_SEGS + i * CPU_SEG_SIZE;
    view.setBigUint64(at, segment.base ?? 0n, true);
    view.setUint32(at + 8, segment.limit ?? 0xffff_ffff, true);
    view.setUint32(at + 12, segment.attributes, true);
    view.setUint32(at + 16, segment.selector, true);
  });
  view.setBigUint64(cpu + CPU_GDTR_BASE, state.gdtr.base, true);
  view.setUint32(cpu + CPU_GDTR_LIMIT, state.gdtr.limit, true);
  view.setBigUint64(cpu + CPU_IDTR_BASE, state.idtr.base, true);
  view.setUint32(cpu + CPU_IDTR_LIMIT, state.idtr.limit, true);
  view.setBigUint64(cpu + CPU_CR0, state.cr0, true);
  view.setBigUint64(cpu + CPU_CR3, state.cr3, true);
  view.setBigUint64(cpu + CPU_CR4, state.cr4, true);
  view.setBigUint64(cpu + CPU_EFER, state.efer, true);
  view.setUint32(cpu + CPU_CPL, state.cpl, true);
  view.setUint32(cpu + CPU_EPT_ROOT, state.eptRoot, true);
  silicon.exports.siliconRefresh(slot);
}
