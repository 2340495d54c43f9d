/**
 * One instance of the core: its exports, its linear memory, and typed views of it.
 * Everything the host knows about the machine it reads through these views; everything it changes goes through hypercalls,
 * shared pages, or the actor slabs (actors.ts).
 *
 * Before: node/wasm.ts or the page compiles the module. After: dom0.ts (hypercalls), machine.ts.
 */
import { FRAMES_BASE, MAILBOX_BASE, MAX_FRAMES, PAGE_SIZE } from "../../hv-core/abi/layout.ts";
import { UsageError } from "./errors.ts";

/** What hv-core/index.ts exports; numbers are i32 or u32 by meaning, coerced with >>> 0 where that matters. */
export interface CoreExports {
  _initialize?(): void;
  setKnob(index: number, value: number): void;
  machineInit(frameCount: number, dom0Pages: number): number;
  run(maxInstructions: number): number;
  /** As run, and not beyond a virtual time (two halves). */
  runTo(maxInstructions: number, timeLow: number, timeHigh: number): number;
  runVcpu(slot: number, maxInstructions: number): number;
  hypercall(nr: number, a1: number, a2: number, a3: number, a4: number, a5: number): number;
  dom0Mfn(gfn: number): number;
  frameWritten(mfn: number): void;
  stateHash(): void;
  snapshotExtents(): number;
  restored(): void;
  /** Hashes of pages, as u64 in the mailbox; 0 = all zero (hv-core/run/page-hash.ts). */
  pageHashes(start: number, pages: number): void;
  walkGpa(domid: number, gpaLo: number, gpaHi: number): number;
  translateGva(slot: number, gvaLo: number, gvaHi: number): number;
  codeCacheReset(): void;
  /** The list of watches was changed (abi/watch.ts). */
  watchesChanged(): void;
  /** Bits of broken invariants of a domain's p2m; all ones in builds without checks. */
  p2mInvariants(domid: number): number;
  /** The board: one step of a device's DMA engine; a device raises its line (hv-core/run/io-inspect.ts). */
  deviceStep(index: number): number;
  deviceRaise(index: number): number;
  /** Before the first domain is made: a right of dom0, or a reservation. 0 or a negative errno. */
  bootGrant(
    kind: number,
    firstLow: number,
    firstHigh: number,
    lastLow: number,
    lastHigh: number,
    isReserve: number,
  ): number;
  /** IO_UNIT_* | holder << 8 of a frame, port or line; its count is the first word of the mailbox. */
  ioUnit(kind: number, low: number, high: number): number;
  ioCountBytes(): number;
  /** 1 and a range in the mailbox, or 0: the rights of a domain, and who holds what for the accountant. */
  ioRights(domid: number, kind: number, low: number, high: number): number;
  ioHolders(kind: number, low: number, high: number): number;
  /** Bits of broken invariants O-1..O-8; all ones in builds without checks. */
  ioInvariants(): number;
  /** A character for the in-core UART of the domain in a slot; 0 = its queue is full. */
  deviceInput(domainSlot: number, character: number): number;
}

export interface Core {
  readonly exports: CoreExports;
  readonly memory: WebAssembly.Memory;
  readonly frameCount: number;
  // Views of the whole memory. Never keep one across a call into the core: take it from here again.
  u8: Uint8Array;
  u16: Uint16Array;
  u32: Uint32Array;
  view: DataView;
}

/** Makes the views again if the memory grew during the last call (the old ones are then detached, of length 0). */
export function refreshViews(core: Core): void {
  if (core.u8.length !== 0) return;
  const buffer = core.memory.buffer;
  core.u8 = new Uint8Array(buffer);
  core.u16 = new Uint16Array(buffer);
  core.u32 = new Uint32Array(buffer);
  core.view = new DataView(buffer);
}

/** Largest machine: linear memory ends at 4 GiB. */
export const LARGEST_FRAME_COUNT = Math.min(MAX_FRAMES, Math.floor((65535 * 65536 - FRAMES_BASE) / PAGE_SIZE));

export interface CoreOptions {
  readonly frameCount: number;
  /** Called at every suspension point; only the race build has any. */
  readonly suspend?: (window: number, addr: number, kind: number) => void;
  /** What an instrumented build imports besides, made for its memory. */
  readonly imports?: (memory: WebAssembly.Memory) => Record<string, WebAssembly.ExportValue>;
}

/**
 * Instantiates a build of the core with memory for `frameCount` machine frames.
 * @throws UsageError when the host cannot give that much memory.
 */
export function instantiateCore(module: WebAssembly.Module, options: CoreOptions): Core {
  const { frameCount } = options;
  if (!Number.isInteger(frameCount) || frameCount < 64 || frameCount > LARGEST_FRAME_COUNT)
    throw new UsageError(
      `the machine would have ${Math.ceil(frameCount / 256)} MiB, at most ${Math.floor(LARGEST_FRAME_COUNT / 256)} MiB fit: choose less memory or fewer vCPUs`,
    );
  const pages = Math.ceil((FRAMES_BASE + frameCount * PAGE_SIZE) / 65536);
  let memory: WebAssembly.Memory;
  try {
    memory = new WebAssembly.Memory({ initial: pages, maximum: 65535 });
  } catch (cause) {
    throw new UsageError(
      `this computer cannot reserve ${Math.ceil(pages / 16)} MiB for the machine: choose less memory (${String(cause)})`,
    );
  }
  const suspend = options.suspend ?? (() => {});
  const instance = new WebAssembly.Instance(module, { env: { ...options.imports?.(memory), memory, suspend } });
  const exports = instance.exports as unknown as CoreExports;
  exports._initialize?.();
  const buffer = memory.buffer;
  return {
    exports,
    memory,
    frameCount,
    u8: new Uint8Array(buffer),
    u16: new Uint16Array(buffer),
    u32: new Uint32Array(buffer),
    view: new DataView(buffer),
  };
}

/** Address in linear memory of byte `offset` of machine frame `mfn`. */
export function frameAddress(mfn: number, offset = 0): number {
  return FRAMES_BASE + mfn * PAGE_SIZE + offset;
}

/** The 64-bit number that some exports leave at the start of the mailbox, as sixteen hexadecimal digits. */
export function mailboxHex(core: Core): string {
  return core.view.getBigUint64(MAILBOX_BASE, true).toString(16).padStart(16, "0");
}
