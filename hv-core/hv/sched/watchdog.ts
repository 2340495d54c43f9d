/**
 * SCHEDOP_watchdog: two timers that shut the domain down unless the guest sets them again in time. Ids are 1 and 2; id 0 asks
 * for a free one. A timeout of 0 switches one off.
 */
import { EEXIST, EFAULT, EINVAL, OK } from "../../abi/errno";
import { SHUTDOWN_WATCHDOG } from "../../abi/hypercalls";
import { Machine } from "../../base/machine";
import { Domain } from "../domain";
import { domainShutdown } from "../domain/shutdown";
import { copyFromGuest, Scratch } from "../hypercall/guest-copy";
import { nsToTicks } from "../time/time";
import { timerArm } from "../time/timer-arm";
import { Vcpu } from "../vcpu";

const WATCHDOGS: u32 = 2;
const NS_PER_SECOND: u64 = 1_000_000_000;

class Watchdog {
  @inline static word(d: Domain, id: u32): usize {
    return changetype<usize>(d) + offsetof<Domain>("watchdog0") + ((<usize>(id - 1)) << 3);
  }
}

function start(d: Domain, id: u32, seconds: u32): void {
  const deadline = Machine.get().now + nsToTicks(<u64>seconds * NS_PER_SECOND);
  store<u64>(Watchdog.word(d, id), deadline);
  timerArm(deadline);
}

/** {id u32, timeout u32 in seconds}. @returns the id of a new one, 0, -EINVAL (no such id, or not running), -EEXIST (none free). */
export function watchdogOp(v: Vcpu, argGva: u64): i32 {
  if (copyFromGuest(v, Scratch.at, argGva, 8) != 0) return -EFAULT;
  const id = load<u32>(Scratch.at);
  const seconds = load<u32>(Scratch.at, 4);
  const d = v.domain;
  if (id > WATCHDOGS) return -EINVAL;
  if (id == 0) {
    if (seconds == 0) return OK;
    for (let free: u32 = 1; free <= WATCHDOGS; free++) {
      if (load<u64>(Watchdog.word(d, free)) != 0) continue;
      start(d, free, seconds);
      return <i32>free;
    }
    return -EEXIST;
  }
  if (load<u64>(Watchdog.word(d, id)) == 0) return -EINVAL;
  if (seconds == 0) store<u64>(Watchdog.word(d, id), 0);
  else start(d, id, seconds);
  return OK;
}

/** Shuts the domain down if one of its watchdogs is due. */
export function watchdogsRun(d: Domain, now: u64): void {
  for (let id: u32 = 1; id <= WATCHDOGS; id++) {
    const deadline = load<u64>(Watchdog.word(d, id));
    if (deadline == 0) continue;
    if (deadline > now) {
      timerArm(deadline);
      continue;
    }
    store<u64>(Watchdog.word(d, id), 0);
    domainShutdown(d, SHUTDOWN_WATCHDOG);
  }
}

export function watchdogsStop(d: Domain): void {
  for (let id: u32 = 1; id <= WATCHDOGS; id++) store<u64>(Watchdog.word(d, id), 0);
}
