/**
 * Wild hypercalls from a control domain, a device model's domain and a stranger: no trap, an answer that is a number, books and maps
 * that add up, nothing changed by a refusal, and, in the taint build, no byte of the hypervisor that goes out.
 */
import fc from "fast-check";
import { DOMCTL_INTERFACE_VERSION_0A } from "../../../hv-core/abi/domctl.ts";
import { DOMCTL_DESTROYDOMAIN, DOMCTL_INTERFACE_VERSION_4_17 } from "../../../hv-core/abi/hypercalls.ts";
import { DOMCTL_ERA_0A, KNOB_DOMCTL_ERA } from "../../../hv-core/abi/knobs.ts";
import { ARG, LIST } from "../../hv/door.ts";
import { callText, layOut, type WildCall, wildCall } from "./calls.ts";
import { errnoNames } from "./errors.ts";
import { allow, brokenBooks, brokenMaps, createWildMachine, type WildMachine } from "./machine.ts";
import type { Resident } from "./resident.ts";
import { learned, type Unprivileged } from "./twins.ts";
import { reasonToChange, remember } from "./unchanged.ts";

export type Role = "dom0" | "stub" | "stranger";

export interface WildRun {
  readonly role: Role;
  readonly calls: readonly WildCall[];
}

const ERESTART = 85;
const LAST_ERRNO = 133;

/** Slots of the machine's domains: 1 and 2 the victims, then the callers; the first victim is the stub domain's target. */
const SLOTS = { stub: 3, stranger: 4 } as const;
const STUB_TARGET_SLOT = 1;
const running = (role: Role): readonly number[] => (role === "dom0" ? [] : [SLOTS.stub, SLOTS.stranger]);

export interface WildOptions {
  readonly knobs?: readonly (readonly [number, number])[];
  readonly isTainted?: boolean;
  /** Domctls that a policy lets a caller without privilege do to every domain. */
  readonly allowed?: readonly number[];
}

/** One call. @returns its answer; undefined when the caller does not run any more. */
function make(m: WildMachine, role: Role, call: WildCall, version: number): number | undefined {
  const { door } = m;
  const laid = layOut(call, m.ids, version);
  const [nr, ...args] = laid.call(ARG);
  const u8 = new Uint8Array(door.view.buffer);
  if (role === "dom0") {
    u8.set(laid.bytes, door.at(ARG));
    u8.set(laid.list, door.at(LIST));
    return door.call(nr, ...args);
  }
  const resident: Resident = m[role];
  u8.set(laid.bytes, resident.arg);
  u8.set(laid.list, resident.list);
  return door.watch(SLOTS[role], role === "stub" ? STUB_TARGET_SLOT : SLOTS[role], () => resident.call(nr, args));
}

/** What is wrong after the calls, as a sentence; undefined = nothing. */
export function wrongAfter({ role, calls }: WildRun, options: WildOptions, made = { calls: 0 }): string | undefined {
  const { knobs = [], isTainted = false } = options;
  const m = createWildMachine(knobs, isTainted);
  const { door } = m;
  if (role !== "dom0") allow(m, role, options.allowed ?? []);
  const is0a = knobs.some(([index, value]) => index === KNOB_DOMCTL_ERA && value === DOMCTL_ERA_0A);
  const version = is0a ? DOMCTL_INTERFACE_VERSION_0A : DOMCTL_INTERFACE_VERSION_4_17;
  for (const [i, call] of calls.entries()) {
    const before = remember(door, running(role), i % CONTENTS_EACH === 0 ? othersMemory(role) : []);
    const result = make(m, role, call, version);
    if (result === undefined) break; // it was paused, destroyed or crashed by a call before, or waits
    made.calls++;
    const text = `${role}: ${callText(call)} answers ${errnoNames(result)}`;
    if (result < -LAST_ERRNO || result === -ERESTART) return `${text}: no errno that a caller may see`;
    if (result < 0 && reasonToChange(call.structure.name, errnoNames(result)) === undefined) {
      const changed = before.difference();
      if (changed !== undefined && before.excuse() === undefined) return `${text}, and ${changed}`;
    }
    const leak = door.leak();
    if (leak)
      return `${text}: ${leak.bytes} bytes of ${leak.kind} from 0x${leak.from.toString(16)} to 0x${leak.to.toString(16)}`;
  }
  const books = brokenBooks(door);
  if (books) return books;
  const [map] = brokenMaps(m);
  if (map) return map;
  for (const domid of m.ids) door.domctl(DOMCTL_DESTROYDOMAIN, domid, [], version);
  return brokenBooks(door);
}

const CALLS_EACH = 200;
/** Every so many calls the contents of the other domains' memory are compared, too. */
const CONTENTS_EACH = 4;

const othersMemory = (role: Role): readonly number[] => (role === "dom0" ? [1, 2, SLOTS.stub, SLOTS.stranger] : [1, 2]);

/** @returns how many were made: a caller that waits or is gone makes none. @param count hypercalls in all. The seed is in the message of a failure, with the smallest run that shows it. */
export function fuzzHypercalls(role: Role, count: number, seed: number, options: WildOptions = {}): number {
  const made = { calls: 0 };
  const run = fc.array(wildCall, { minLength: CALLS_EACH, maxLength: CALLS_EACH, size: "max" });
  fc.assert(
    fc.property(run, (calls) => {
      const wrong = wrongAfter({ role, calls }, options, made);
      if (wrong !== undefined) throw new Error(wrong);
    }),
    {
      seed,
      numRuns: Math.max(1, Math.round(count / CALLS_EACH)),
      endOnFailure: process.env.VMEXIT_FUZZ_SHRINK === undefined,
    },
  );
  console.log(`fuzz hypercalls: ${role}, seed ${seed}, ${made.calls} of ${count} calls made: nothing wrong`);
  return made.calls;
}

/** The same calls beside two third domains that differ (twins.ts). @returns how many pairs of runs were made. */
export function fuzzTwins(role: Unprivileged, count: number, seed: number, allowed: readonly number[] = []): number {
  const runs = Math.max(1, Math.round(count / CALLS_EACH));
  fc.assert(
    fc.property(fc.array(wildCall, { minLength: CALLS_EACH, maxLength: CALLS_EACH, size: "max" }), (calls) => {
      const wrong = learned(role, calls, [3, 200], allowed);
      if (wrong !== undefined) throw new Error(wrong);
    }),
    { seed, numRuns: runs, endOnFailure: process.env.VMEXIT_FUZZ_SHRINK === undefined },
  );
  console.log(`fuzz hypercalls: ${role} beside two different domains, seed ${seed}: it learns nothing`);
  return runs;
}
