/**
 * The lock of a domain's ioreq servers. Recursive, because whoever holds it may ask whether a frame is a page of some server
 * (isServerPage). With knob ioreq.lock=plain that second taking is what it would be in a hypervisor: a processor that waits for
 * itself. Here the domain crashes with that reason, and the caller goes on.
 */
import { CRASH_DEADLOCK } from "../../abi/crash";
import { MAX_NR_IOREQ_SERVERS } from "../../abi/ioreq";
import { IOREQ_LOCK_PLAIN, KNOB_IOREQ_LOCK } from "../../abi/knobs";
import { Lock } from "../../base/lock";
import { Knobs } from "../../base/machine";
import { Domain, NO_SERVER } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { IoreqServer, NO_GFN } from "./server";

export class IoreqLock {
  @inline private static word(d: Domain): usize {
    return changetype<usize>(d) + offsetof<Domain>("ioreqLock");
  }

  static acquire(d: Domain): void {
    const word = IoreqLock.word(d);
    const isPlain = Knobs.get(KNOB_IOREQ_LOCK) == <u32>IOREQ_LOCK_PLAIN;
    if (isPlain && (load<u32>(word) & 0xffff) == Lock.me()) domainCrash(d, CRASH_DEADLOCK);
    Lock.acquire(word);
  }

  static release(d: Domain): void {
    Lock.release(IoreqLock.word(d));
  }
}

/** Whether a frame is a shared page that a server of `d` got through acquire_resource: no gfn of the domain may lead there. */
export function isServerPage(d: Domain, mfn: u32): bool {
  IoreqLock.acquire(d);
  let isFound = false;
  for (let id: u32 = 0; id < <u32>MAX_NR_IOREQ_SERVERS && !isFound; id++) {
    const address = d.ioreqServer(id);
    if (address == NO_SERVER) continue;
    const s = IoreqServer.at(address);
    isFound = (s.syncMfn == mfn && s.syncGfn == NO_GFN) || (s.bufMfn == mfn && s.bufGfn == NO_GFN);
  }
  IoreqLock.release(d);
  return isFound;
}
