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
  CONT_CONTINUE_OFFSET,
  CONT_CONTINUE_SIZE,
  CONT_DM_SCRATCH,
  CONT_DM_SCRATCH_SIZE,
  CONT_IDLE,
  CONT_KIND,
  CONT_LOOKUP_DOMAINS,
  CONT_LOOKUP_OFFSET,
  CONT_LOOKUP_SIZE,
  CONT_MODE_OFFSET,
  CONT_MODE_SIZE,
  CONT_PROCESSOR,
  CONT_REGISTERS,
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
import {
  CONTINUATION_SIZE,
  CONTINUATIONS_BASE,
  DOMAIN_SIZE,
  DOMAINS_BASE,
  MAILBOX_BASE,
  VCPU_HV_OFFSET,
  VCPUS_BASE,
} from "../../../hv-core/abi/layout.ts";
import { W_ACCESS } from "../../../hv-core/abi/windows.ts";
import type { Core, CoreExports, CoreOptions } from "../core.ts";

/** Hypervisor memory of one hypercall (hv-core/hv/hypercall/guest-copy.ts, Scratch). */
const SCRATCH_AT = MAILBOX_BASE + 0x8_0000;
const DM_SCRATCH_AT = MAILBOX_BASE + 0x9_0000;

/** State of a processor that stands in shared records (abi/continuation.ts). */
const REGISTERS: readonly (readonly [address: number, bytes: number])[] = [
  ...Array.from(
    { length: CONT_LOOKUP_DOMAINS },
    (_, slot) => [DOMAINS_BASE + slot * DOMAIN_SIZE + CONT_LOOKUP_OFFSET, CONT_LOOKUP_SIZE] as const,
  ),
  [VCPUS_BASE + VCPU_HV_OFFSET + CONT_MODE_OFFSET, CONT_MODE_SIZE],
  [VCPUS_BASE + VCPU_HV_OFFSET + CONT_CONTINUE_OFFSET, CONT_CONTINUE_SIZE],
];

/** Whether a word is such state: no other processor looks at it. */
export const isRegister = (address: number): boolean =>
  REGISTERS.some(([start, bytes]) => address >= start && address < start + bytes);

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
  /** dom0 turns paging on, with this page directory (guest-physical, 32-bit paging). */
  dom0LoadPageTable(directory: number): void;
  /** Instrumented build only: 1 = tell every access, 0 = no longer. */
  recordAccesses?(isRecording: number): void;
}

/** Set in `size` of an access when it is a store; the rest is bytes. */
export const ACCESS_STORE = 256;

/** Who hears of loads and stores of the instrumented build while they are recorded. */
export interface AccessListener {
  /** Asked before an access in the middle of a step: stop here and let others run? */
  switchesAt(id: number, address: number, size: number): boolean;
  /** The access happens now. `id` as in build/race-footprint.json, -1 for one by TypeScript. */
  note(id: number, address: number, size: number): void;
}

/** Where a continuation stands. */
export interface Suspension {
  readonly window: number;
  readonly addr: number;
  readonly isWrite: boolean;
  /** At W_ACCESS: number of the access, whose function is in build/race-footprint.json. */
  readonly access: number;
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
  /** Set while a tap listens (footprint.ts). */
  listener: AccessListener | undefined;
  /** Function in which an access stands, where that is known (automatic-windows.ts). */
  accessFunction?: (id: number) => string | undefined;
  /** Begins an operation in `slot`. @returns its result, undefined when it suspended. */
  start(slot: number, call: Call): number | undefined;
  /** Goes on where `slot` stands. @returns the operation's result, undefined when it suspended again. */
  resume(slot: number): number | undefined;
  /** Undefined: no operation is under way. */
  suspension(slot: number): Suspension | undefined;
  clearRegisters(): void;
  /** Bytes of the slot that mean something; what lies behind them is zero. */
  used(slot: number): number;
}

export const continuationAt = (slot: number): number => CONTINUATIONS_BASE + slot * CONTINUATION_SIZE;

/** What a build of the core that can be suspended imports. */
export type CoreHooks = Required<Pick<CoreOptions, "suspend" | "imports">>;

/** @param boot makes the core with these imports: its hypervisor code calls `suspend` at every lock and window. */
export function createContinuations(boot: (hooks: CoreHooks) => Core): Continuations {
  /** Slot of the step under way: never set between steps, so it is no state. */
  let running = -1;
  let isRewinding = false;

  /** Whether this call is the end of a rewind: the actor goes on from here. */
  function goesOn(): boolean {
    if (!isRewinding) return false;
    isRewinding = false;
    exports.asyncify_stop_rewind();
    return true;
  }
  function unwind(window: number, addr: number, kind: number): void {
    const { u32 } = core;
    const at = continuationAt(running);
    u32[(at + CONT_STATE) >> 2] = CONT_SUSPENDED;
    u32[(at + CONT_WINDOW) >> 2] = window;
    u32[(at + CONT_ADDR) >> 2] = addr;
    u32[(at + CONT_KIND) >> 2] = kind;
    u32[(at + CONT_ASYNCIFY) >> 2] = at + CONT_STACK;
    u32[(at + CONT_ASYNCIFY + 4) >> 2] = at + CONT_STACK_END;
    exports.asyncify_start_unwind(at + CONT_ASYNCIFY);
  }

  const core = boot({
    suspend(window, addr, kind) {
      if (running >= 0 && !goesOn()) unwind(window, addr, kind); // in the set-up nobody else is there
    },
    imports: () => ({
      access(id: number, address: number, size: number) {
        const listener = continuations.listener;
        if (running >= 0 && !goesOn() && listener?.switchesAt(id, address >>> 0, size))
          return unwind(W_ACCESS, address, (id << 1) | (size >= ACCESS_STORE ? 1 : 0));
        listener?.note(id, address >>> 0, size);
      },
    }),
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

  /** Between their places and a continuation. */
  function moveRegisters(at: number, isIn: boolean): void {
    let saved = at + CONT_REGISTERS;
    for (const [address, bytes] of REGISTERS) {
      core.u8.copyWithin(isIn ? address : saved, isIn ? saved : address, (isIn ? saved : address) + bytes);
      saved += bytes;
    }
  }

  /** No value outlives a step there: it would only make states differ that are the same. */
  function clearRegisters(): void {
    for (const [address, bytes] of REGISTERS) core.u8.fill(0, address, address + bytes);
  }

  function step(slot: number): number | undefined {
    const { u8, u32 } = core;
    const at = continuationAt(slot);
    const wasSuspended = u32[(at + CONT_STATE) >> 2] === CONT_SUSPENDED;
    const oldEnd = wasSuspended ? u32[(at + CONT_ASYNCIFY) >> 2]! : at + CONT_STACK;
    u8.copyWithin(SCRATCH_AT, at + CONT_SCRATCH, at + CONT_SCRATCH + CONT_SCRATCH_SIZE);
    u8.copyWithin(DM_SCRATCH_AT, at + CONT_DM_SCRATCH, at + CONT_DM_SCRATCH + CONT_DM_SCRATCH_SIZE);
    if (wasSuspended) moveRegisters(at, true);
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
    } catch (error) {
      // What a trap leaves there is no continuation: whoever goes back to another state must not find it.
      u8.fill(0, at, at + CONT_STACK_END);
      throw error;
    } finally {
      running = -1;
      isRewinding = false;
    }
    const ticks = exports.exploreLeave();
    const isSuspended = u32[(at + CONT_STATE) >> 2] === CONT_SUSPENDED;
    if (isSuspended) moveRegisters(at, false);
    clearRegisters();
    if (!isSuspended) {
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

  const continuations: Continuations = {
    core,
    exports,
    listener: undefined,
    start(slot, call) {
      const { u32 } = core;
      const at = continuationAt(slot);
      u32[(at + CONT_CALL) >> 2] = call.kind;
      u32[(at + CONT_PROCESSOR) >> 2] = call.processor;
      for (let i = 0; i < 6; i++) u32[((at + CONT_ARGS) >> 2) + i] = call.args[i] ?? 0;
      return step(slot);
    },
    resume: step,
    clearRegisters,
    suspension(slot) {
      const word = continuationAt(slot) >> 2;
      const { u32 } = core;
      if (u32[word + (CONT_STATE >> 2)] !== CONT_SUSPENDED) return undefined;
      return {
        window: u32[word + (CONT_WINDOW >> 2)]!,
        addr: u32[word + (CONT_ADDR >> 2)]!,
        isWrite: (u32[word + (CONT_KIND >> 2)]! & 1) !== 0,
        access: u32[word + (CONT_KIND >> 2)]! >>> 1,
      };
    },
    used(slot) {
      const at = continuationAt(slot);
      return core.u32[(at + CONT_STATE) >> 2] === CONT_SUSPENDED ? core.u32[(at + CONT_ASYNCIFY) >> 2]! - at : 0;
    },
  };
  return continuations;
}
