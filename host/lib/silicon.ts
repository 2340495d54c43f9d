/**
 * The `silicon` build: a processor without a hypervisor. The caller is the board: it fills frames, sets registers
 * through memory, and looks at exits. Used by the comparison with the real CPU, the fuzzers and the walk benchmarks; never to run guests.
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
import { FRAMES_BASE, PAGE_SIZE, VCPUS_BASE } from "../../hv-core/abi/layout.ts";

/** What of hv-core/silicon.ts is used outside test/hw. */
export interface SiliconExports {
  _initialize?(): void;
  /** One processor on a machine of `frameCount` frames, gfn = mfn; returns the number of frames the guest has, or -errno. */
  siliconInit(frameCount: number): number;
  /** Writes the raw EPT entry that covers gfn at a level (4 = PML4 ... 1). */
  siliconSetEntry(gfn: number, level: number, low: number, high: number): number;
  /** Puts the processor at `rip` with flat segments: mode 32 without paging, or 64. */
  siliconReset(mode: number, rip: number): void;
  /** To be called after control registers, CS, SS or CPL were changed through memory: derives the mode, empties the TLB. */
  siliconSync(): void;
  /** Runs at most `budget` instructions; returns the exit reason (abi/exits.ts). */
  siliconRun(budget: number): number;
  /** The frame was changed from outside: code decoded from it is dropped. */
  siliconFrameWritten(mfn: number): void;
  benchEptBuild(pages: number): number;
  benchEptBuildLarge(pages: number, level: number): number;
  benchEptPattern(count: number, pages: number, step: number, seed: number): number;
  benchTlbEntries(entries: number): void;
  benchEptWalk(count: number, pages: number, seed: number): number;
  benchTlbHit(count: number, seed: number): number;
  benchTlbMiss(count: number, pages: number, seed: number): number;
}

export interface Silicon {
  readonly exports: SiliconExports;
  readonly memory: WebAssembly.Memory;
  /** Frames 0 .. guestFrames - 1 are the guest's, identity-mapped; EPT tables lie above. */
  readonly guestFrames: number;
  readonly u8: Uint8Array;
  readonly view: DataView;
}

/** Instantiates the build with `frameCount` frames. The memory never grows, so the views stay valid. */
export function instantiateSilicon(module: WebAssembly.Module, frameCount: number): Silicon {
  const pages = Math.ceil((FRAMES_BASE + frameCount * PAGE_SIZE) / 65536);
  const memory = new WebAssembly.Memory({ initial: pages, maximum: 65535 });
  const instance = new WebAssembly.Instance(module, { env: { memory, suspend: () => {} } });
  const exports = instance.exports as unknown as SiliconExports;
  exports._initialize?.();
  const guestFrames = exports.siliconInit(frameCount);
  if (guestFrames <= 0)
    throw new Error(`the silicon build refuses a machine of ${frameCount} frames: errno ${-guestFrames}`);
  return { exports, memory, guestFrames, u8: new Uint8Array(memory.buffer), view: new DataView(memory.buffer) };
}

/** Address in linear memory of a frame's first byte. */
export const frameAt = (mfn: number): number => FRAMES_BASE + mfn * PAGE_SIZE;
/** Address of the processor (hw/cpu.ts; offsets in abi/cpu.ts). */
export const CPU_AT: number = VCPUS_BASE;

export interface SegmentState {
  readonly selector: number;
  readonly base?: bigint;
  readonly limit?: number;
  /** VMX access rights; 0x10000 = unusable. */
  readonly attributes: number;
}

export interface CpuState {
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

/** Writes a processor's state and derives what follows from it. */
export function setCpuState(silicon: Silicon, state: CpuState): void {
  const { view } = silicon;
  const cpu = CPU_AT;
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
  silicon.exports.siliconSync();
}
