/**
 * The domctl lock: two words that are tried, never waited for (spec 05 section 5.1, step 5). First the calling domain's own, so that
 * one domain cannot pile its vCPUs up on the other; then the machine's. When either is held the hypercall is made again from its
 * start, which is a busy loop in which other processors run.
 */
import {
  CTR_DOMCTL_BUSY,
  CTR_DOMCTL_LOCK_START,
  CTR_DOMCTL_LOCK_STEPS,
  CTR_GUEST_COPIES,
  CTR_LOOP_STEPS,
} from "../../abi/counters";
import {
  DOMCTL_BIND_PT_IRQ,
  DOMCTL_GET_DEVICE_GROUP,
  DOMCTL_GETPAGEFRAMEINFO3,
  DOMCTL_IOMEM_PERMISSION,
  DOMCTL_IOPORT_MAPPING,
  DOMCTL_IOPORT_PERMISSION,
  DOMCTL_IRQ_PERMISSION,
  DOMCTL_MEMORY_MAPPING,
  DOMCTL_SET_TARGET,
  DOMCTL_UNBIND_PT_IRQ,
} from "../../abi/domctl";
import {
  DOMCTL_GETDOMAININFO,
  DOMCTL_GETVCPUINFO,
  DOMCTL_SHADOW_OP,
  SHADOW_OP_CLEAN,
  SHADOW_OP_PEEK,
} from "../../abi/hypercalls";
import { KNOB_DOMCTL_LOCK } from "../../abi/knobs";
import { W_DOMCTL_BUSY } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs, Machine } from "../../base/machine";
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

  /** Work done so far, for the time the lock is held. */
  @inline static steps(): u64 {
    return Count.get(CTR_GUEST_COPIES) + Count.get(CTR_LOOP_STEPS);
  }

  @inline static machine(): usize {
    return changetype<usize>(Machine.get()) + offsetof<Machine>("domctlLock");
  }
}

/**
 * Whether `cmd` goes without the lock (knob domctl.lock): what a device model's domain may do, so that it cannot keep the control
 * domain waiting (XSA-492). `sub` is the operation of shadow_op.
 */
export function isUnlocked(cmd: u32, sub: u32): bool {
  if (Knobs.get(KNOB_DOMCTL_LOCK) == 0) return false;
  switch (cmd) {
    case DOMCTL_GETDOMAININFO:
    case DOMCTL_GETVCPUINFO:
    case DOMCTL_IRQ_PERMISSION:
    case DOMCTL_IOMEM_PERMISSION:
    case DOMCTL_IOPORT_PERMISSION:
    case DOMCTL_BIND_PT_IRQ:
    case DOMCTL_MEMORY_MAPPING:
    case DOMCTL_IOPORT_MAPPING:
    case DOMCTL_SET_TARGET:
    case DOMCTL_UNBIND_PT_IRQ:
    case DOMCTL_GET_DEVICE_GROUP:
    case DOMCTL_GETPAGEFRAMEINFO3:
      return true;
    case DOMCTL_SHADOW_OP:
      return sub == <u32>SHADOW_OP_CLEAN || sub == <u32>SHADOW_OP_PEEK;
    default:
      return false;
  }
}

/** False when somebody holds it. */
export function domctlLockTry(v: Vcpu): bool {
  const me = v.slot + 1;
  const caller = Words.caller(v);
  if (!tryWord(caller, me)) return busy(caller);
  if (tryWord(Words.machine(), me)) {
    Count.set(CTR_DOMCTL_LOCK_START, Words.steps());
    return true;
  }
  store<u32>(caller, 0);
  return busy(Words.machine());
}

function busy(word: usize): bool {
  Count.one(CTR_DOMCTL_BUSY);
  Window.at(W_DOMCTL_BUSY, word, ACCESS_WRITE);
  return false;
}

export function domctlUnlock(v: Vcpu): void {
  Count.add(CTR_DOMCTL_LOCK_STEPS, Words.steps() - Count.get(CTR_DOMCTL_LOCK_START));
  store<u32>(Words.machine(), 0);
  store<u32>(Words.caller(v), 0);
}
