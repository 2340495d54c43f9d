/**
 * HYPERVISOR_event_channel_op: copies the structure in, calls evtchn/bind.ts or send.ts, copies the answer out.
 * Layouts are the same for 32-bit and 64-bit callers. What only FIFO channels have is in evtchn/fifo-control.ts.
 */

import { EFAULT, EINVAL, ENOSYS, ESRCH, OK } from "../../abi/errno";
import {
  DOMID_SELF,
  EVTCHNOP_ALLOC_UNBOUND,
  EVTCHNOP_BIND_INTERDOMAIN,
  EVTCHNOP_BIND_IPI,
  EVTCHNOP_BIND_PIRQ,
  EVTCHNOP_BIND_VCPU,
  EVTCHNOP_BIND_VIRQ,
  EVTCHNOP_CLOSE,
  EVTCHNOP_EXPAND_ARRAY,
  EVTCHNOP_INIT_CONTROL,
  EVTCHNOP_RESET,
  EVTCHNOP_SEND,
  EVTCHNOP_SET_PRIORITY,
  EVTCHNOP_STATUS,
  EVTCHNOP_UNMASK,
  EVTCHNSTAT_INTERDOMAIN,
  EVTCHNSTAT_UNBOUND,
  EVTCHNSTAT_VIRQ,
} from "../../abi/hypercalls";
import { KNOB_SEND_LOCK, SEND_LOCK_EVENTS } from "../../abi/knobs";
import { MUTATION_EVTCHN_UNLOCKED } from "../../abi/mutations";
import { BIND_PIRQ_WILL_SHARE } from "../../abi/physdev";
import { Lock } from "../../base/lock";
import { Mutation } from "../../base/mutation";
import { Variant } from "../../base/variant";
import { Domain } from "../domain";
import { findDomain } from "../domain/find";
import { copyFromGuest, copyToGuest, Scratch } from "../hypercall/guest-copy";
import { lineBind } from "../iocap/lines";
import { Rangeset } from "../iocap/rangeset";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { xsmTarget } from "../xsm/dummy";
import {
  evtchnAllocUnbound,
  evtchnBindInterdomain,
  evtchnBindIpi,
  evtchnBindPirq,
  evtchnBindVcpu,
  evtchnBindVirq,
  evtchnClose,
  evtchnRemote,
  evtchnReset,
} from "./bind";
import { fifoOp, isFifoOp } from "./fifo-control";
import { evtchnUnmaskPort } from "./pending";
import { isPortValid, portAt } from "./port";
import { evtchnSend } from "./send";

/** EVTCHNOP_reset_cont: the internal continuation of reset, same structure. */
const EVTCHNOP_RESET_CONT = 14;

/** Bytes of each operation's structure; 0 = unknown operation. */
function argumentSize(cmd: u32): u32 {
  switch (cmd) {
    case EVTCHNOP_BIND_INTERDOMAIN:
    case EVTCHNOP_BIND_VIRQ:
    case EVTCHNOP_BIND_PIRQ:
      return 12;
    case EVTCHNOP_CLOSE:
    case EVTCHNOP_SEND:
    case EVTCHNOP_UNMASK:
      return 4;
    case EVTCHNOP_STATUS:
    case EVTCHNOP_INIT_CONTROL:
      return 24;
    case EVTCHNOP_ALLOC_UNBOUND:
    case EVTCHNOP_BIND_IPI:
    case EVTCHNOP_BIND_VCPU:
    case EVTCHNOP_EXPAND_ARRAY:
    case EVTCHNOP_SET_PRIORITY:
      return 8;
    case EVTCHNOP_RESET:
    case EVTCHNOP_RESET_CONT:
      return 2;
    default:
      return 0;
  }
}

function status(v: Vcpu, arg: usize): i32 {
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const port = load<u32>(arg, 4);
  if (!isPortValid(d, port)) return -EINVAL;
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  const p = portAt(d, port);
  store<u32>(arg, p.state, 8);
  store<u32>(arg, p.vcpuId, 12);
  switch (<i32>p.state) {
    case EVTCHNSTAT_UNBOUND:
      store<u16>(arg, <u16>p.remoteDomid, 16);
      break;
    case EVTCHNSTAT_INTERDOMAIN:
      store<u16>(arg, <u16>p.remoteDomid, 16);
      store<u32>(arg, p.remotePort, 20);
      break;
    case EVTCHNSTAT_VIRQ:
      store<u32>(arg, p.remotePort, 16);
      break;
    default:
      break;
  }
  return OK;
}

function allocUnbound(v: Vcpu, arg: usize): i32 {
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  const remote: u32 = load<u16>(arg, 2);
  const port = evtchnAllocUnbound(d, remote == <u32>DOMID_SELF ? v.domid : remote);
  if (port < 0) return port;
  store<u32>(arg, port, 4);
  return OK;
}

function bindInterdomain(v: Vcpu, arg: usize): i32 {
  const remote = evtchnRemote(v.domain, load<u16>(arg));
  if (remote == 0) return -ESRCH;
  const port = evtchnBindInterdomain(v.domain, changetype<Domain>(remote), load<u32>(arg, 4));
  if (port < 0) return port;
  store<u32>(arg, port, 8);
  return OK;
}

function bindVirq(v: Vcpu, arg: usize): i32 {
  const port = evtchnBindVirq(v.domain, load<u32>(arg), load<u32>(arg, 4));
  if (port < 0) return port;
  store<u32>(arg, port, 8);
  return OK;
}

function bindIpi(v: Vcpu, arg: usize): i32 {
  const port = evtchnBindIpi(v.domain, load<u32>(arg));
  if (port < 0) return port;
  store<u32>(arg, port, 4);
  return OK;
}

/** {pirq u32, flags u32, port out}. A domain that holds the line is bound to it; for any other the port is one that nobody raises. */
function bindPirq(v: Vcpu, arg: usize): i32 {
  const d = v.domain;
  const line = load<u32>(arg);
  const port = evtchnBindPirq(d, line);
  if (port < 0) return port;
  if (Rangeset.contains(d.irqCaps, line, line)) {
    const rc = lineBind(d, line, port, (load<u32>(arg, 4) & BIND_PIRQ_WILL_SHARE) != 0);
    if (rc != OK) {
      evtchnClose(d, port, true);
      return rc;
    }
  }
  store<u32>(arg, port, 8);
  return OK;
}

function unmask(d: Domain, port: u32): i32 {
  if (!isPortValid(d, port)) return -EINVAL;
  const p = portAt(d, port);
  if (p.state == 0 || p.isXen != 0) return -EINVAL;
  evtchnUnmaskPort(d, Vcpu.at(d.firstVcpu + p.vcpuId), port);
  return OK;
}

/** Another domain may be reset only while its controller has it paused. */
function reset(v: Vcpu, arg: usize): i32 {
  const found = findDomain(v, load<u16>(arg));
  if (found == 0) return -ESRCH;
  const d = changetype<Domain>(found);
  const denied = xsmTarget(v.domain, d);
  if (denied != OK) return denied;
  if (d.slot != v.domainSlot && d.controllerPause == 0) return -EINVAL;
  evtchnReset(d);
  return OK;
}

function operate(v: Vcpu, cmd: u32, arg: usize): i32 {
  switch (cmd) {
    case EVTCHNOP_BIND_INTERDOMAIN:
      return bindInterdomain(v, arg);
    case EVTCHNOP_BIND_VIRQ:
      return bindVirq(v, arg);
    case EVTCHNOP_BIND_PIRQ:
      return bindPirq(v, arg);
    case EVTCHNOP_CLOSE:
      return evtchnClose(v.domain, load<u32>(arg), true);
    case EVTCHNOP_SEND:
      return evtchnSend(v.domain, load<u32>(arg));
    case EVTCHNOP_STATUS:
      return status(v, arg);
    case EVTCHNOP_ALLOC_UNBOUND:
      return allocUnbound(v, arg);
    case EVTCHNOP_BIND_IPI:
      return bindIpi(v, arg);
    case EVTCHNOP_BIND_VCPU:
      return evtchnBindVcpu(v.domain, load<u32>(arg), load<u32>(arg, 4));
    case EVTCHNOP_UNMASK:
      return unmask(v.domain, load<u32>(arg));
    default:
      return -ENOSYS;
  }
}

/** Operations that give something back in their structure. */
function hasOutput(cmd: u32): bool {
  return (
    cmd == <u32>EVTCHNOP_BIND_INTERDOMAIN ||
    cmd == <u32>EVTCHNOP_BIND_VIRQ ||
    cmd == <u32>EVTCHNOP_BIND_PIRQ ||
    cmd == <u32>EVTCHNOP_STATUS ||
    cmd == <u32>EVTCHNOP_ALLOC_UNBOUND ||
    cmd == <u32>EVTCHNOP_BIND_IPI ||
    cmd == <u32>EVTCHNOP_INIT_CONTROL
  );
}

/** @returns 0 or -errno. A port allocated just before the answer could not be written stays allocated, as in Xen. */
export function eventChannelOp(v: Vcpu, cmd: u32, argGva: u64): i64 {
  const bytes = argumentSize(cmd);
  if (bytes == 0) return -ENOSYS;
  const arg = Scratch.at;
  if (copyFromGuest(v, arg, argGva, bytes) != 0) return -EFAULT;
  if (isFifoOp(cmd)) {
    const rc = fifoOp(v.domain, cmd, arg);
    return rc == OK && hasOutput(cmd) && copyToGuest(v, argGva, arg, bytes) != 0 ? -EFAULT : rc;
  }
  // Takes the lock of the domain that is reset, which need not be the caller's.
  if (cmd == <u32>EVTCHNOP_RESET || cmd == <u32>EVTCHNOP_RESET_CONT) return reset(v, arg);
  const lock = changetype<usize>(v.domain) + offsetof<Domain>("evtchnLock");
  const isLocked = !Mutation.is(MUTATION_EVTCHN_UNLOCKED);
  if (isLocked) Lock.acquire(lock);
  const result = operate(v, cmd, arg);
  // Variant C-13: the answer was copied out before the lock was let go, and a copy to a guest takes its p2m lock (dom0 is PV: none).
  const isUnderLock = Variant.is(KNOB_SEND_LOCK, SEND_LOCK_EVENTS) && v.domain.isPrivileged == 0;
  let isLost = false;
  if (isUnderLock && result == OK && hasOutput(cmd)) {
    P2m.lock(v.domain);
    isLost = copyToGuest(v, argGva, arg, bytes) != 0;
    P2m.unlock(v.domain);
  }
  if (isLocked) Lock.release(lock);
  if (!isUnderLock && result == OK && hasOutput(cmd)) isLost = copyToGuest(v, argGva, arg, bytes) != 0;
  return isLost ? -EFAULT : result;
}
