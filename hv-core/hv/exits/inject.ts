/** Queues an exception for the guest: what an exit handler answers when the instruction was wrong. rip stays on it. */
import { VEC_GP, VEC_UD } from "../../abi/cpu";
import { EVENT_EXCEPTION, EVENT_HAS_ERROR, EVENT_VALID } from "../irq/event";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";

/** #GP(0). */
export function injectGp(v: Vcpu): Verdict {
  v.cpu.entryEvent = <u32>VEC_GP | EVENT_EXCEPTION | EVENT_HAS_ERROR | EVENT_VALID;
  v.cpu.entryErrorCode = 0;
  return Verdict.Inject;
}

export function injectUd(v: Vcpu): Verdict {
  v.cpu.entryEvent = <u32>VEC_UD | EVENT_EXCEPTION | EVENT_VALID;
  v.cpu.entryErrorCode = 0;
  return Verdict.Inject;
}
