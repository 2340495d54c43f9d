/**
 * A vCPU waits for the answer in its slot (spec 03 section 3.5, completion). The device model writes the slot whenever it likes, so
 * the state is read once for each decision, may only go forward (XSA-262), and is looked at again after the vCPU has said that it
 * sleeps: an answer in between would wake nobody otherwise.
 *
 * Caller: complete.ts. The historic loops at the end exist in builds with variants only (docs/explorer.md).
 */

import { CRASH_IOREQ_STATE } from "../../abi/crash";
import { STATE_IOREQ_INPROCESS, STATE_IOREQ_NONE, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../abi/ioreq";
import { KNOB_WAIT, WAIT_CHECK_THEN_JUMP, WAIT_NO_RETEST, WAIT_REREAD } from "../../abi/knobs";
import { MUTATION_WAIT_BACKWARDS, MUTATION_WAIT_NO_SECOND_LOOK } from "../../abi/mutations";
import { W_FALLING_ASLEEP, W_NOT_ANSWERED, W_STATE_CHECKED } from "../../abi/windows";
import { Hv } from "../../base/assert";
import { Mutation } from "../../base/mutation";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { domainCrash } from "../domain/shutdown";
import { vcpuClear } from "../domain/vcpu-state";
import { Vcpu, VPF_BLOCKED_IN_XEN } from "../vcpu";
import { Slot } from "./slot";

const SITE_WILD_JUMP: u32 = 31;

/** What a look at the slot came to. */
export const WAIT_ANSWERED: u32 = 0;
/** The device model gave the request up. */
export const WAIT_GIVEN_UP: u32 = 1;
/** Not yet: the vCPU sleeps and comes back here when it is notified. */
export const WAIT_SLEEPS: u32 = 2;
/** A state that cannot be: the domain has been crashed. */
export const WAIT_CRASHED: u32 = 3;

function isUnderWay(state: u32): bool {
  return state == <u32>STATE_IOREQ_READY || state == <u32>STATE_IOREQ_INPROCESS;
}

/** Looks at the slot of `v` until it is answered or the vCPU sleeps. @returns WAIT_*; an answer is still in the slot. */
export function waitForAnswer(v: Vcpu, slot: usize): u32 {
  if (Variant.is(KNOB_WAIT, WAIT_REREAD)) return historicReread(v, slot);
  let state = Slot.state(slot);
  if (Variant.is(KNOB_WAIT, WAIT_CHECK_THEN_JUMP)) state = historicDoubleRead(slot, state);
  let previous: u32 = STATE_IOREQ_NONE;
  while (state != <u32>STATE_IOREQ_NONE) {
    const isBackwards = state < previous && !Mutation.is(MUTATION_WAIT_BACKWARDS);
    if (isBackwards || state > <u32>STATE_IOREQ_RESP_READY) {
      domainCrash(v.domain, CRASH_IOREQ_STATE);
      return WAIT_CRASHED;
    }
    if (state == <u32>STATE_IOREQ_RESP_READY) return WAIT_ANSWERED;
    previous = state;
    Window.at(W_NOT_ANSWERED, slot, ACCESS_READ); // the answer may come now, and its event finds nobody asleep
    v.pauseFlags |= VPF_BLOCKED_IN_XEN;
    if (Variant.is(KNOB_WAIT, WAIT_NO_RETEST) || Mutation.is(MUTATION_WAIT_NO_SECOND_LOOK)) return WAIT_SLEEPS;
    Window.at(W_FALLING_ASLEEP, slot, ACCESS_READ);
    state = Slot.state(slot);
    if (state == previous) return WAIT_SLEEPS;
    vcpuClear(v, VPF_BLOCKED_IN_XEN);
  }
  return WAIT_GIVEN_UP;
}

/** Before XSA-262: the condition of the wait and the head of the loop each read the slot for themselves. */
function historicReread(v: Vcpu, slot: usize): u32 {
  while (true) {
    const state = Slot.state(slot);
    if (state == <u32>STATE_IOREQ_NONE) return WAIT_GIVEN_UP;
    if (state == <u32>STATE_IOREQ_RESP_READY) return WAIT_ANSWERED;
    if (!isUnderWay(state)) {
      domainCrash(v.domain, CRASH_IOREQ_STATE);
      return WAIT_CRASHED;
    }
    Window.at(W_NOT_ANSWERED, slot, ACCESS_READ);
    if (!isUnderWay(Slot.state(slot))) {
      Window.at(W_FALLING_ASLEEP, slot, ACCESS_READ); // answered, says the condition; the head of the loop looks again
      continue;
    }
    v.pauseFlags |= VPF_BLOCKED_IN_XEN;
    if (isUnderWay(Slot.state(slot))) return WAIT_SLEEPS;
    vcpuClear(v, VPF_BLOCKED_IN_XEN);
  }
}

/** Before XSA-166: the compiler checked one read of the state against the jump table's size and jumped with another. */
function historicDoubleRead(slot: usize, checked: u32): u32 {
  if (checked > <u32>STATE_IOREQ_RESP_READY) return checked;
  Window.at(W_STATE_CHECKED, slot, ACCESS_READ);
  const state = Slot.state(slot);
  Hv.assert(state <= <u32>STATE_IOREQ_RESP_READY, SITE_WILD_JUMP);
  return state;
}
