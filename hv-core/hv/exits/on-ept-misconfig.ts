/**
 * EPT misconfiguration (exit 49, spec 02 section 2.4): the processor met an entry that was made invalid so that its type would be
 * recomputed. Repair the path (p2m/resolve.ts) and run the instruction again.
 *
 * Nothing to repair is an error, unless another vCPU has just repaired it: then this vCPU's flag says so.
 */
import { CTR_P2M_SPURIOUS } from "../../abi/counters";
import { CRASH_EPT_MISCONFIG, CRASH_NO_TABLE } from "../../abi/crash";
import { Count } from "../../base/counters";
import { domainCrash } from "../domain/shutdown";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { requeueEvent } from "./requeue";

/** Repairs the path to the address of the last exit. False when the domain has been crashed. */
export function resolveExit(v: Vcpu): bool {
  const d = v.domain;
  P2m.lock(d);
  const isSpurious = v.eptSpuriousMisconfig != 0;
  const rc = P2m.resolve(d, v.cpu.exitGpa >> 12);
  v.eptSpuriousMisconfig = 0;
  P2m.unlock(d);
  if (rc == 0 && isSpurious) Count.one(CTR_P2M_SPURIOUS);
  if (rc > 0 || (rc == 0 && isSpurious)) return true;
  domainCrash(d, rc < 0 ? CRASH_NO_TABLE : CRASH_EPT_MISCONFIG);
  return false;
}

export function onEptMisconfig(v: Vcpu): Verdict {
  if (!resolveExit(v)) return Verdict.Crash;
  requeueEvent(v.cpu);
  return Verdict.Retry;
}
