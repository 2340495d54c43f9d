/**
 * Actors of a race: whoever takes steps. All state of an actor is in linear memory (its slab, its continuation, the machine); the
 * code here is a function of that and nothing else, so that any state can be copied, put back and stepped again.
 *
 * A step runs to the next lock or window, or to the end of the operation: one guest instruction of a vCPU, one hypercall of a
 * toolstack program, one change of a device model's state. Kinds: vcpu-actor.ts, toolstack-actor.ts, device-actor.ts, writer-actor.ts.
 */

import { DOM_DOMID, VCPU_DOMID, VCPU_IN_USE } from "../../../hv-core/abi/domain.ts";
import { DEFECT_SELF_PAUSE, KNOB_DOMCTL_DEFECTS } from "../../../hv-core/abi/knobs.ts";
import { KNOBS_BASE, VCPU_HV_OFFSET, VCPU_SIZE, VCPUS_BASE } from "../../../hv-core/abi/layout.ts";
import { W_ACCESS, W_LOCK, W_PAUSE } from "../../../hv-core/abi/windows.ts";
import { accessText } from "./access-text.ts";
import { lockName, lockOwner } from "./locks.ts";
import { windowName, windowText } from "./windows.ts";
import type { World } from "./world.ts";

export interface Actor {
  readonly name: string;
  /** Index in the race, and its continuation slot. */
  readonly index: number;
  /** The processor its hypervisor code runs on (Lock words name it); 0 = none. */
  readonly processor: number;
  /** Who it is and what it is to do, for reports: "vCPU 0 of the guest: mov dword [0x2000], 1". */
  readonly role?: string;
  /** Whether an operation could begin or go on now, apart from locks and pauses. */
  isReady(): boolean;
  /** Whether the race is not over before it has taken another step. */
  hasWork(): boolean;
  /** What an operation that begins now would be: one word for schedules, and a sentence without a subject. */
  next(): { readonly word: string; readonly text: string };
  /** Begins an operation, or makes a whole step without one. Called only when ready. */
  begin(): void;
  /** An operation of its has ended with this result. */
  ended(result: number): void;
}

/** What an actor waits for. */
export type Wait =
  | { readonly kind: "lock"; readonly address: number; readonly owner: number }
  | { readonly kind: "pause" }
  | { readonly kind: "not ready" };

/** A word at a place in its slab or elsewhere: actors keep numbers only. */
export const word = (world: World, at: number): number => world.core.u32[at >> 2]!;
export function setWord(world: World, at: number, value: number): void {
  world.core.u32[at >> 2] = value;
}

const RUNSTATE_AT = (slot: number): number => VCPUS_BASE + slot * VCPU_SIZE + VCPU_HV_OFFSET;

/**
 * Whether some vCPU of the domain at `domainAt` has a processor (runstate running = 0), apart from `processor` itself. With the defect of
 * XSA-127 put back it waits for itself as well (hv-core/hv/domain/pause.ts).
 */
function isDomainRunning(world: World, domainAt: number, processor: number): boolean {
  const domid = word(world, domainAt + DOM_DOMID);
  const isSelfToo = (word(world, KNOBS_BASE + KNOB_DOMCTL_DEFECTS * 4) & DEFECT_SELF_PAUSE) !== 0;
  return world.vcpus.some((slot) => {
    const at = RUNSTATE_AT(slot);
    return (
      (isSelfToo || slot + 1 !== processor) &&
      word(world, at + VCPU_IN_USE) !== 0 &&
      word(world, at + VCPU_DOMID) === domid &&
      (world.exports.vcpuWork(slot) & WORK_RUNNING) !== 0
    );
  });
}

/** Bits of vcpuWork (hv-core/run/explore.ts). */
export const WORK_RUNNABLE = 1;
export const WORK_IO = 2;
export const WORK_RUNNING = 4;

/** Why an actor cannot take a step now; undefined when it can. */
export function waitOf(world: World, actor: Actor): Wait | undefined {
  const at = world.continuations.suspension(actor.index);
  if (!at) return actor.isReady() ? undefined : { kind: "not ready" };
  if (at.window === W_LOCK) {
    const owner = lockOwner(world.core, at.addr);
    return owner === 0 || owner === actor.processor ? undefined : { kind: "lock", address: at.addr, owner };
  }
  if (at.window === W_PAUSE) return isDomainRunning(world, at.addr, actor.processor) ? { kind: "pause" } : undefined;
  return undefined;
}

/** Word of a schedule for the next step of an actor: the window it stands at, or the operation it would begin. */
export function placeOf(world: World, actor: Actor): string {
  const at = world.continuations.suspension(actor.index);
  return at ? windowName(at.window) : actor.next().word;
}

/** The next step as a sentence without a subject. */
export function describeNext(world: World, actor: Actor): string {
  const at = world.continuations.suspension(actor.index);
  if (!at) return actor.next().text;
  if (at.window === W_ACCESS) return accessText(world.core, at, world.continuations.accessFunction?.(at.access));
  return at.window === W_LOCK ? `takes the ${lockName(world.core, at.addr)}` : windowText(at.window);
}

/** One step. @throws WebAssembly.RuntimeError when an invariant of the core breaks. */
export function stepActor(world: World, actor: Actor): void {
  if (!world.continuations.suspension(actor.index)) {
    actor.begin();
    return;
  }
  const result = world.continuations.resume(actor.index);
  if (result !== undefined) actor.ended(result);
}
