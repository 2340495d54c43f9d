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
import { EACCES, ENOSYS, EOPNOTSUPP, EPERM, ESRCH, errnoNames } from "./errors.ts";
import { brokenBooks, brokenMaps, createWildMachine, records, type WildMachine } from "./machine.ts";
import type { Resident } from "./resident.ts";

export type Role = "dom0" | "stub" | "stranger";

export interface WildRun {
  readonly role: Role;
  readonly calls: readonly WildCall[];
}

/** Refusals before anything is done. */
const REFUSALS = new Set([-EPERM, -ESRCH, -EACCES, -ENOSYS, -EOPNOTSUPP]);
const ERESTART = 85;
const LAST_ERRNO = 133;

export interface WildOptions {
  readonly knobs?: readonly (readonly [number, number])[];
  readonly isTainted?: boolean;
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
  return resident.call(nr, args);
}

/** What is wrong after the calls, as a sentence; undefined = nothing. */
export function wrongAfter({ role, calls }: WildRun, options: WildOptions, made = { calls: 0 }): string | undefined {
  const { knobs = [], isTainted = false } = options;
  const m = createWildMachine(knobs, isTainted);
  const { door } = m;
  const is0a = knobs.some(([index, value]) => index === KNOB_DOMCTL_ERA && value === DOMCTL_ERA_0A);
  const version = is0a ? DOMCTL_INTERFACE_VERSION_0A : DOMCTL_INTERFACE_VERSION_4_17;
  for (const [i, call] of calls.entries()) {
    const before = i % COMPARED_EACH === 0 && role !== "stub" ? records(door) : undefined;
    const result = make(m, role, call, version);
    if (result === undefined) break; // it was paused, destroyed or crashed by a call before, or waits
    made.calls++;
    const text = `${role}: ${callText(call)} answers ${errnoNames(result)}`;
    if (result < -LAST_ERRNO || result === -ERESTART) return `${text}: no errno that a caller may see`;
    if (before && REFUSALS.has(result)) {
      const after = records(door);
      const at = after.findIndex((byte, i) => byte !== before[i]);
      if (at >= 0) return `${text}, and byte ${at} of the records changed from ${before[at]} to ${after[at]}`;
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
/** Every so many calls the records are compared, when the call is refused. */
const COMPARED_EACH = 4;

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
