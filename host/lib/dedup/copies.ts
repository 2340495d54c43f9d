/**
 * Many copies of one guest in a machine that is too small for them: each is started when the pages of those before it are shared, then
 * all run in turns while the deduplicator goes on (vmexit dedup). The copies take turns by the toolstack's pause, so that what comes
 * out on the console belongs to one of them.
 */
import { CTR_UNSHARE_COPIED, CTR_UNSHARE_LAST } from "../../../hv-core/abi/counters.ts";
import { DEVICE_AT_CORE } from "../../../hv-core/abi/knobs.ts";
import { MACHINE_BASE } from "../../../hv-core/abi/layout.ts";
import { readCounter } from "../counters.ts";
import { UsageError } from "../errors.ts";
import type { DomId } from "../ids.ts";
import type { KnobValues } from "../knobs.ts";
import type { GuestImage } from "../loader/image.ts";
import { createMachine, type Machine } from "../machine.ts";
import { overheadFrames } from "../toolstack/build.ts";
import { domainPause, domainUnpause } from "../toolstack/domctl.ts";
import { sharingCounts } from "../toolstack/sharing.ts";
import { createDeduplicator, type Deduplicator } from "./deduplicator.ts";

export interface CopiesOptions {
  readonly image: GuestImage;
  readonly cmdline: string;
  readonly vcpus: number;
  readonly copies: number;
  /** RAM of each copy, and of the whole machine, in bytes. */
  readonly memoryBytes: number;
  readonly machineBytes: number;
  /** Instructions of one turn of one copy. */
  readonly slice: number;
  /** Instructions after which a copy that has not ended is stopped. */
  readonly maxInstructions: number;
  readonly knobs?: KnobValues;
  readonly onProgress?: (progress: Progress) => void;
}

export interface Progress {
  readonly started: number;
  readonly ended: number;
  readonly framesUsed: number;
  readonly freedPages: number;
  readonly usedFrames: number;
  readonly unshares: number;
}

export interface CopiesResult {
  readonly copies: number;
  /** Pages of RAM of all copies together. */
  readonly guestPages: number;
  /** Most frames of the machine that were ever in use at once. */
  readonly framesUsed: number;
  /** Frames that sharing saved when the last copy had ended, and shared frames there were. */
  readonly freedPages: number;
  readonly usedFrames: number;
  readonly unshares: number;
  /** Every copy printed the same, and ended the same way. */
  readonly outputsEqual: boolean;
}

export interface CopiesRun extends CopiesResult {
  readonly machine: Machine;
  readonly outputs: readonly string[];
  readonly outcomes: readonly string[];
  readonly scannedBytes: number;
}

interface Copy {
  readonly domid: DomId;
  output: string;
  outcome: string | undefined;
  instructions: number;
}

/** Frames that somebody has. */
function framesInUse(machine: Machine): number {
  const { u32 } = machine.core;
  const at = MACHINE_BASE >> 2;
  return u32[at + 1]! - u32[at + 3]!; // frameMark - freeCount: hv-core/base/machine.ts
}

const unsharesOf = (machine: Machine): number =>
  readCounter(machine.core, CTR_UNSHARE_COPIED) + readCounter(machine.core, CTR_UNSHARE_LAST);

/** Starts and runs the copies. @throws UsageError when the machine is too small even with sharing. */
export function runCopies(wasm: WebAssembly.Module, options: CopiesOptions): CopiesRun {
  const frames = Math.floor(options.machineBytes / 4096);
  const one = options.memoryBytes / 4096 + overheadFrames(options.memoryBytes, options.vcpus);
  if (one > frames)
    throw new UsageError(`one guest needs ${one} frames and the machine has ${frames}: give it more with --machine`);
  const machine = createMachine(wasm, {
    memoryBytes: options.machineBytes,
    frameCount: frames,
    knobs: { ...options.knobs, "device.at": DEVICE_AT_CORE },
  });
  const dedup = createDeduplicator(machine.dom0);
  const copies: Copy[] = [];
  let framesUsed = 0;
  let scannedBytes = 0;

  function look(): void {
    framesUsed = Math.max(framesUsed, framesInUse(machine));
  }

  function scan(which: Deduplicator, domids: readonly DomId[]): void {
    look();
    scannedBytes += which.scan(domids).scanned * 4096;
    options.onProgress?.({
      started: copies.length,
      ended: copies.filter((c) => c.outcome !== undefined).length,
      framesUsed: framesInUse(machine),
      ...sharingCounts(machine.dom0),
      unshares: unsharesOf(machine),
    });
  }

  /** One turn: nobody else runs meanwhile. */
  function turn(copy: Copy): void {
    const from = machine.console().length;
    const before = machine.stats().instructions;
    domainUnpause(machine.dom0, copy.domid);
    machine.run({ maxInstructions: options.slice });
    domainPause(machine.dom0, copy.domid);
    copy.output += machine.console().slice(from);
    copy.instructions += machine.stats().instructions - before;
    copy.outcome = machine.ended(copy.domid)?.outcome;
    if (copy.outcome === undefined && copy.instructions >= options.maxInstructions) copy.outcome = "budget";
    look();
  }

  const running = (): Copy[] => copies.filter((copy) => copy.outcome === undefined);

  for (let i = 0; i < options.copies; i++) {
    const { domid } = machine.createGuest({
      image: options.image,
      memoryBytes: options.memoryBytes,
      vcpus: options.vcpus,
      cmdline: options.cmdline,
      modules: [],
    });
    domainPause(machine.dom0, domid);
    copies.push({ domid, output: "", outcome: undefined, instructions: 0 });
    scan(dedup, [domid]);
    for (const copy of running()) turn(copy);
    scan(
      dedup,
      copies.map((copy) => copy.domid),
    );
  }
  while (running().length > 0) {
    for (const copy of running()) turn(copy);
    scan(
      dedup,
      copies.map((copy) => copy.domid),
    );
  }

  const outputs = copies.map((copy) => copy.output);
  const outcomes = copies.map((copy) => copy.outcome ?? "budget");
  return {
    machine,
    outputs,
    outcomes,
    scannedBytes,
    copies: copies.length,
    guestPages: copies.length * (options.memoryBytes / 4096),
    framesUsed,
    ...sharingCounts(machine.dom0),
    unshares: unsharesOf(machine),
    outputsEqual: outputs.every((text) => text === outputs[0]) && outcomes.every((text) => text === outcomes[0]),
  };
}
