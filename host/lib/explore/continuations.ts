/**
 * Suspension of hypervisor code in the race build: `env.suspend` unwinds the WebAssembly stack into the caller's continuation slot
 * (hv-core/abi/continuation.ts), calling the same export again rewinds it. All of a continuation is in linear memory, so that
 * going back to a state is a copy.
 *
 * After: world.ts (states), actors.ts (who calls).
 */
import {
  CONT_ADDR,
  CONT_ARGS,
  CONT_ASYNCIFY,
  CONT_CALL,
  CONT_DM_SCRATCH,
  CONT_DM_SCRATCH_SIZE,
  CONT_IDLE,
  CONT_KIND,
  CONT_PROCESSOR,
  CONT_RUN_VCPU,
  CONT_SCRATCH,
  CONT_SCRATCH_SIZE,
  CONT_STACK,
  CONT_STACK_END,
  CONT_STATE,
  CONT_SUSPENDED,
  CONT_TICKS,
  CONT_WINDOW,
} from "../../../hv-core/abi/continuation.ts";
import { CONTINUATION_SIZE, CONTINUATIONS_BASE, MAILBOX_BASE } from "../../../hv-core/abi/layout.ts";
import type { Core, CoreExports } from "../core.ts";

/** Hypervisor memory of one hypercall (hv-core/hv/hypercall/guest-copy.ts, Scratch). */
const SCRATCH_AT = MAILBOX_BASE + 0x8_0000;
const DM_SCRATCH_AT = MAILBOX_BASE + 0x9_0000;

export interface RaceExports extends CoreExports {
  asyncify_start_unwind(data: number): void;
  asyncify_stop_unwind(): void;
  asyncify_start_rewind(data: number): void;
  asyncify_stop_rewind(): void;
  exploreEnter(processor: number, ticks: number): void;
  exploreLeave(): number;
  exploreRun(slot: number): number;
  exploreTrace(mask: number): void;
  vcpuWork(slot: number): number;
}

/** Where a continuation stands. */
export interface Suspension {
  readonly window: number;
  readonly addr: number;
  readonly isWrite: boolean;
}

/** CONT_RUN_VCPU with a vCPU slot, or CONT_HYPERCALL with number and five arguments. */
export interface Call {
  readonly kind: number;
  readonly args: readonly number[];
  readonly processor: number;
}

export interface Continuations {
  readonly core: Core;
  readonly exports: RaceExports;
  /** Begins an operation in `slot`. @returns its result, undefined when it suspended. */
  start(slot: number, call: Call): number | undefined;
  /** Goes on where `slot` stands. @returns the operation's result, undefined when it suspended again. */
  resume(slot: number): number | undefined;
  /** Undefined: no operation is under way. */
  suspension(slot: number): Suspension | undefined;
  /** Bytes of the slot that mean something; what lies behind them is zero. */
  used(slot: number): number;
}

export const continuationAt = (slot: number): number => CONTINUATIONS_BASE + slot * CONTINUATION_SIZE;

export type Suspend = (window: number, addr: number, kind: number) => void;

/** @param boot makes the core; its hypervisor code calls `suspend` at every lock and window. */
export function createContinuations(boot: (suspend: Suspend) => Core): Continuations {
  /** Slot of the step under way: never set between steps, so it is no state. */
  let running = -1;
  let isRewinding = false;

  const core = boot((window, addr, kind) => {
    if (running < 0) return; // set-up: nobody else is there
    if (isRewinding) {
      isRewinding = false;
      exports.asyncify_stop_rewind();
      return;
    }
    const { u32 } = core;
    const at = continuationAt(running);
    u32[(at + CONT_STATE) >> 2] = CONT_SUSPENDED;
    u32[(at + CONT_WINDOW) >> 2] = window;
    u32[(at + CONT_ADDR) >> 2] = addr;
    u32[(at + CONT_KIND) >> 2] = kind;
    u32[(at + CONT_ASYNCIFY) >> 2] = at + CONT_STACK;
    u32[(at + CONT_ASYNCIFY + 4) >> 2] = at + CONT_STACK_END;
    exports.asyncify_start_unwind(at + CONT_ASYNCIFY);
  });
  const exports = core.exports as RaceExports;

  function invoke(at: number): number {
    const { u32 } = core;
    const word = (at + CONT_ARGS) >> 2;
    if (u32[(at + CONT_CALL) >> 2] === CONT_RUN_VCPU) return exports.exploreRun(u32[word]!);
    return exports.hypercall(
      u32[word]!,
      u32[word + 1]!,
      u32[word + 2]!,
      u32[word + 3]!,
      u32[word + 4]!,
      u32[word + 5]!,
    );
  }

  function step(slot: number): number | undefined {
    const { u8, u32 } = core;
    const at = continuationAt(slot);
    const wasSuspended = u32[(at + CONT_STATE) >> 2] === CONT_SUSPENDED;
    const oldEnd = wasSuspended ? u32[(at + CONT_ASYNCIFY) >> 2]! : at + CONT_STACK;
    u8.copyWithin(SCRATCH_AT, at + CONT_SCRATCH, at + CONT_SCRATCH + CONT_SCRATCH_SIZE);
    u8.copyWithin(DM_SCRATCH_AT, at + CONT_DM_SCRATCH, at + CONT_DM_SCRATCH + CONT_DM_SCRATCH_SIZE);
    exports.exploreEnter(u32[(at + CONT_PROCESSOR) >> 2]!, u32[(at + CONT_TICKS) >> 2]!);
    u32[(at + CONT_STATE) >> 2] = CONT_IDLE;
    running = slot;
    let result: number;
    try {
      if (wasSuspended) {
        isRewinding = true;
        exports.asyncify_start_rewind(at + CONT_ASYNCIFY);
      }
      result = invoke(at);
      if (u32[(at + CONT_STATE) >> 2] === CONT_SUSPENDED) exports.asyncify_stop_unwind();
    } finally {
      running = -1;
      isRewinding = false;
    }
    const ticks = exports.exploreLeave();
    if (u32[(at + CONT_STATE) >> 2] !== CONT_SUSPENDED) {
      u8.fill(0, at, oldEnd);
      return result;
    }
    u32[(at + CONT_TICKS) >> 2] = ticks;
    u8.copyWithin(at + CONT_SCRATCH, SCRATCH_AT, SCRATCH_AT + CONT_SCRATCH_SIZE);
    u8.copyWithin(at + CONT_DM_SCRATCH, DM_SCRATCH_AT, DM_SCRATCH_AT + CONT_DM_SCRATCH_SIZE);
    const end = u32[(at + CONT_ASYNCIFY) >> 2]!;
    if (end < oldEnd) u8.fill(0, end, oldEnd);
    return undefined;
  }

  return {
    core,
    exports,
    start(slot, call) {
      const { u32 } = core;
      const at = continuationAt(slot);
      u32[(at + CONT_CALL) >> 2] = call.kind;
      u32[(at + CONT_PROCESSOR) >> 2] = call.processor;
      for (let i = 0; i < 6; i++) u32[((at + CONT_ARGS) >> 2) + i] = call.args[i] ?? 0;
      return step(slot);
    },
    resume: step,
    suspension(slot) {
      const word = continuationAt(slot) >> 2;
      const { u32 } = core;
      if (u32[word + (CONT_STATE >> 2)] !== CONT_SUSPENDED) return undefined;
      return {
        window: u32[word + (CONT_WINDOW >> 2)]!,
        addr: u32[word + (CONT_ADDR >> 2)]!,
        isWrite: u32[word + (CONT_KIND >> 2)] !== 0,
      };
    },
    used(slot) {
      const at = continuationAt(slot);
      return core.u32[(at + CONT_STATE) >> 2] === CONT_SUSPENDED ? core.u32[(at + CONT_ASYNCIFY) >> 2]! - at : 0;
    },
  };
}
