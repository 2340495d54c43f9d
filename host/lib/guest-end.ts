/** How a guest ended, for people: from the shutdown code and the crash reason that the hypervisor keeps. */
import { CRASH_DEAD_HALT, CRASH_NONE, CRASH_TRIPLE_FAULT } from "../../hv-core/abi/crash.ts";
import { SHUTDOWN_CRASH, SHUTDOWN_POWEROFF, SHUTDOWN_REBOOT } from "../../hv-core/abi/hypercalls.ts";
import { crashSentence } from "./crash.ts";

export type Outcome = "poweroff" | "reboot" | "crash" | "halted" | "budget";

/** How a guest ended. */
export interface GuestEnd {
  readonly outcome: Outcome;
  /** A sentence. */
  readonly reason: string;
  /** The guest did not ask for it: registers and last exits are worth a look (debug/crash-dump.ts). */
  readonly isFault?: true;
}

/** @param code SHUTDOWN_* @param crash CRASH_* */
export function endOf(code: number, crash: number): GuestEnd {
  // Xen shuts a domain down as if it had powered off when its last vCPU halts for good; people want to know that it did not ask.
  if (crash === CRASH_DEAD_HALT) return { outcome: "halted", reason: crashSentence(crash) };
  switch (code) {
    case SHUTDOWN_POWEROFF:
      return { outcome: "poweroff", reason: "the guest powered off" };
    case SHUTDOWN_REBOOT:
      if (crash === CRASH_TRIPLE_FAULT)
        return { outcome: "reboot", reason: "a triple fault, which reboots a machine", isFault: true };
      return { outcome: "reboot", reason: "the guest asked for a reboot" };
    case SHUTDOWN_CRASH:
      return { outcome: "crash", reason: crash === CRASH_NONE ? "the guest asked for a crash" : crashSentence(crash) };
    default:
      return { outcome: "crash", reason: `the guest shut down with reason ${code}` };
  }
}
