/**
 * The domctl lock: two words that are tried, never waited for (spec 05 section 5.1, step 5). First the calling domain's own, so that
 * one domain cannot pile its vCPUs up on the other; then the machine's. When either is held the hypercall is made again from its
 * start, which is a busy loop in which other processors run.
 */
import { W_DOMCTL_BUSY } from "../../abi/windows";
import { Machine } from "../../base/machine";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";

function tryWord(word: usize, me: u32): bool {
  if (load<u32>(word) != 0) return false;
  store<u32>(word, me);
  return true;
}

class Words {
  @inline static caller(v: Vcpu): usize {
    return changetype<usize>(v.domain) + offsetof<Domain>("hypercallLock");
  }

  @inline static machine(): usize {
    return changetype<usize>(Machine.get()) + offsetof<Machine>("domctlLock");
  }
}

/** False when somebody holds it. */
export function domctlLockTry(v: Vcpu): bool {
  const me = v.slot + 1;
  const caller = Words.caller(v);
  if (!tryWord(caller, me)) return busy(caller);
  if (tryWord(Words.machine(), me)) return true;
  store<u32>(caller, 0);
  return busy(Words.machine());
}

function busy(word: usize): bool {
  Window.at(W_DOMCTL_BUSY, word, ACCESS_WRITE);
  return false;
}

export function domctlUnlock(v: Vcpu): void {
  store<u32>(Words.machine(), 0);
  store<u32>(Words.caller(v), 0);
}
