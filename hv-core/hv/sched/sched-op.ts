/** HYPERVISOR_sched_op: give up the processor, sleep, poll, shut down (spec 08 section 8.5). */

import { CRASH_GUEST_REQUEST, CRASH_NONE } from "../../abi/crash";
import { EFAULT, EINVAL, ENOSYS, EPERM, ESRCH, OK } from "../../abi/errno";
import {
  SCHEDOP_BLOCK,
  SCHEDOP_POLL,
  SCHEDOP_REMOTE_SHUTDOWN,
  SCHEDOP_SHUTDOWN,
  SCHEDOP_YIELD,
  SHUTDOWN_CRASH,
} from "../../abi/hypercalls";
import { FLAG_IF } from "../../abi/regs";
import { Machine } from "../../base/machine";
import { Domain } from "../domain";
import { findOtherDomain } from "../domain/find";
import { domainShutdown } from "../domain/shutdown";
import { vcpuWake } from "../domain/vcpu-state";
import { isEvtchnPending } from "../evtchn/pending";
import { isPortValid, portAt } from "../evtchn/port";
import { copiedWord, copyFromGuest, copyWordFromGuest, Scratch } from "../hypercall/guest-copy";
import { vcpuInfoHost } from "../hypercall/shared-info";
import { hvmEventPending } from "../irq/assist";
import { nsToTicks } from "../time/time";
import { timerArm } from "../time/timers";
import { Vcpu, VPF_BLOCKED, VPF_POLL } from "../vcpu";
import { xsmDmPriv } from "../xsm/dummy";
import { watchdogOp } from "./watchdog";

const SCHEDOP_SHUTDOWN_CODE = 5;
const SCHEDOP_WATCHDOG = 6;
const SCHEDOP_PIN_OVERRIDE = 7;
const MAX_POLL_PORTS: u32 = 128;

/** Something the processor would take now. With IF = 0 a pending event does not keep it awake (as in Xen); the next one does. */
function mustStayAwake(v: Vcpu): bool {
  return (v.cpu.rflags & FLAG_IF) != 0 && hvmEventPending(v);
}

/** Sleeps until an event; returns at once when one is there. Upcalls are enabled first (the PV mask byte). */
export function schedBlock(v: Vcpu): void {
  const info = vcpuInfoHost(v);
  if (info != 0) store<u8>(info, 0, 1);
  v.pauseFlags |= VPF_BLOCKED;
  if (mustStayAwake(v)) vcpuWake(v);
}

/** One port of the list in guest memory: OK and *copiedWord*, or -EFAULT, or -EINVAL for a port that does not exist. */
function pollPort(v: Vcpu, ports: u64, index: u32): i32 {
  if (!copyWordFromGuest(v, ports + ((<u64>index) << 2))) return -EFAULT;
  return isPortValid(v.domain, copiedWord()) && portAt(v.domain, copiedWord()).state != 0 ? OK : -EINVAL;
}

function poll(v: Vcpu, ports: u64, count: u32, timeoutNs: u64): i32 {
  if (count > MAX_POLL_PORTS) return -EINVAL;
  const d = v.domain;
  if (mustStayAwake(v)) return OK;
  for (let i: u32 = 0; i < count; i++) {
    const error = pollPort(v, ports, i);
    if (error != OK) return error;
    if (isEvtchnPending(d, copiedWord())) return OK;
  }
  v.pauseFlags |= VPF_POLL;
  v.pollPort = count == 1 ? <i32>copiedWord() : -1;
  if (timeoutNs != 0) {
    v.pollDeadline = nsToTicks(timeoutNs);
    timerArm(v.pollDeadline);
  }
  return OK;
}

/** {ports handle, nr u32, timeout u64}: 24 bytes, or 16 from 32-bit code. */
function pollOp(v: Vcpu, argGva: u64): i32 {
  const arg = Scratch.at;
  const is64 = v.hypercall64 != 0;
  if (copyFromGuest(v, arg, argGva, is64 ? 24 : 16) != 0) return -EFAULT;
  if (is64) return poll(v, load<u64>(arg), load<u32>(arg, 8), load<u64>(arg, 16));
  return poll(v, load<u32>(arg), load<u32>(arg, 4), load<u64>(arg, 8));
}

function shutdown(v: Vcpu, argGva: u64): i32 {
  if (!copyWordFromGuest(v, argGva)) return -EFAULT;
  const d = v.domain;
  const reason = copiedWord() & 0xff;
  if (reason == <u32>SHUTDOWN_CRASH && d.crashReason == <u32>CRASH_NONE) d.crashReason = CRASH_GUEST_REQUEST;
  domainShutdown(d, reason);
  return OK;
}

/** {domid u16, reason u32}. Not for oneself: DOMID_SELF names nobody here. */
function remoteShutdown(v: Vcpu, argGva: u64): i32 {
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, 8) != 0) return -EFAULT;
  const found = findOtherDomain(load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmDmPriv(v.domain, d);
  if (denied != OK) return denied;
  domainShutdown(d, load<u32>(arg, 4) & 0xff);
  return OK;
}

export function schedOp(v: Vcpu, cmd: u32, arg: u64): i64 {
  switch (cmd) {
    case SCHEDOP_YIELD:
      Machine.get().yielded = 1;
      return OK;
    case SCHEDOP_BLOCK:
      schedBlock(v);
      return OK;
    case SCHEDOP_SHUTDOWN:
      return shutdown(v, arg);
    case SCHEDOP_POLL:
      return pollOp(v, arg);
    case SCHEDOP_REMOTE_SHUTDOWN:
      return remoteShutdown(v, arg);
    case SCHEDOP_SHUTDOWN_CODE:
      return setShutdownCode(v, arg);
    case SCHEDOP_WATCHDOG:
      return watchdogOp(v, arg);
    case SCHEDOP_PIN_OVERRIDE:
      return v.domain.isPrivileged != 0 ? -EINVAL : -EPERM; // no other processor to pin to
    default:
      return -ENOSYS;
  }
}

/** SCHEDOP_shutdown_code: the reason that a later shutdown or crash will report. */
function setShutdownCode(v: Vcpu, argGva: u64): i32 {
  if (!copyWordFromGuest(v, argGva)) return -EFAULT;
  v.domain.shutdownCode = copiedWord() & 0xff;
  return OK;
}
