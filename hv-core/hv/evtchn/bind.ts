/**
 * How ports come and go: allocate, connect, bind to a VIRQ, a PIRQ or an IPI, close (spec 08 section 8.4; errno as Xen 4.17 answers).
 * Caller holds the domain's event lock. Next: evtchn/op.ts (the hypercall), evtchn/pending.ts (what an event does).
 */
import { EEXIST, EINVAL, ENOENT, OK } from "../../abi/errno";
import {
  DOMID_SELF,
  EVTCHNSTAT_CLOSED,
  EVTCHNSTAT_INTERDOMAIN,
  EVTCHNSTAT_IPI,
  EVTCHNSTAT_PIRQ,
  EVTCHNSTAT_UNBOUND,
  EVTCHNSTAT_VIRQ,
  NR_VIRQS,
} from "../../abi/hypercalls";
import { Lock } from "../../base/lock";
import { Domain } from "../domain";
import { findOtherDomain, findVcpu } from "../domain/find";
import { lineUnbind } from "../iocap/lines";
import { Vcpu } from "../vcpu";
import { fifoDestroy } from "./fifo-control";
import { evtchnClearPending, evtchnSetPending } from "./pending";
import { isPortValid, Port, portAt, portFindFree, portReset } from "./port";
import { isGlobalVirq } from "./virq";

/** A port of `d` that `remoteDomid` may connect to. Whether that domain exists does not matter. */
export function evtchnAllocUnbound(d: Domain, remoteDomid: u32): i32 {
  const port = portFindFree(d);
  if (port < 0) return port;
  const p = portAt(d, port);
  p.state = <u8>EVTCHNSTAT_UNBOUND;
  p.remoteDomid = remoteDomid;
  return port;
}

/**
 * Connects a new port of `d` to `remotePort`, which must be unbound and reserved for `d`. The new port starts pending: events
 * sent before it existed are lost otherwise. @returns the port, -EINVAL, -ENOSPC or -ENOMEM.
 */
export function evtchnBindInterdomain(d: Domain, remote: Domain, remotePort: u32): i32 {
  const port = portFindFree(d);
  if (port < 0) return port;
  if (!isPortValid(remote, remotePort)) return -EINVAL;
  const far = portAt(remote, remotePort);
  if (far.state != EVTCHNSTAT_UNBOUND || far.remoteDomid != d.domid) return -EINVAL;
  const near = portAt(d, port);
  near.state = <u8>EVTCHNSTAT_INTERDOMAIN;
  near.remoteDomid = remote.domid;
  near.remotePort = remotePort;
  far.state = <u8>EVTCHNSTAT_INTERDOMAIN;
  far.remoteDomid = d.domid;
  far.remotePort = port;
  evtchnSetPending(d, Vcpu.at(d.firstVcpu + near.vcpuId), port);
  return port;
}

/** @returns the port; -EINVAL (no such VIRQ, or a global one on another vCPU than 0), -ENOENT, -EEXIST, -ENOSPC. */
export function evtchnBindVirq(d: Domain, virq: u32, vcpuId: u32): i32 {
  if (virq >= <u32>NR_VIRQS || (isGlobalVirq(virq) && vcpuId != 0)) return -EINVAL;
  const found = findVcpu(d, vcpuId);
  if (found == 0) return -ENOENT;
  const v = changetype<Vcpu>(found);
  if (v.virqPort(virq) != 0) return -EEXIST;
  const port = portFindFree(d);
  if (port < 0) return port;
  const p = portAt(d, port);
  p.state = <u8>EVTCHNSTAT_VIRQ;
  p.vcpuId = <u16>vcpuId;
  p.remotePort = virq;
  v.setVirqPort(virq, port);
  return port;
}

export function evtchnBindIpi(d: Domain, vcpuId: u32): i32 {
  if (findVcpu(d, vcpuId) == 0) return -ENOENT;
  const port = portFindFree(d);
  if (port < 0) return port;
  const p = portAt(d, port);
  p.state = <u8>EVTCHNSTAT_IPI;
  p.vcpuId = <u16>vcpuId;
  return port;
}

/** Physical interrupts a domain may bind; one is raised by the line behind it, when the domain holds that (hv/iocap/lines.ts). */
const PIRQS: u32 = 64;

/** @returns the port; -EINVAL (no such interrupt), -EEXIST (bound already). */
export function evtchnBindPirq(d: Domain, pirq: u32): i32 {
  if (pirq >= PIRQS) return -EINVAL;
  for (let port: u32 = 1; isPortValid(d, port); port++) {
    const p = portAt(d, port);
    if (p.state == EVTCHNSTAT_PIRQ && p.remotePort == pirq) return -EEXIST;
  }
  const port = portFindFree(d);
  if (port < 0) return port;
  const p = portAt(d, port);
  p.state = <u8>EVTCHNSTAT_PIRQ;
  p.remotePort = pirq;
  return port;
}

/** Chooses the vCPU that hears of a port. VIRQs of one vCPU and IPIs stay where they are: -EINVAL. */
export function evtchnBindVcpu(d: Domain, port: u32, vcpuId: u32): i32 {
  if (findVcpu(d, vcpuId) == 0) return -ENOENT;
  if (!isPortValid(d, port)) return -EINVAL;
  const p = portAt(d, port);
  if (p.isXen != 0) return -EINVAL;
  switch (<i32>p.state) {
    case EVTCHNSTAT_VIRQ:
      if (!isGlobalVirq(p.remotePort)) return -EINVAL;
      break;
    case EVTCHNSTAT_UNBOUND:
    case EVTCHNSTAT_INTERDOMAIN:
    case EVTCHNSTAT_PIRQ:
      break;
    default:
      return -EINVAL;
  }
  p.vcpuId = <u16>vcpuId;
  return OK;
}

/** Closes a port; the other side of a connection becomes unbound again. The hypervisor's own ports: -EINVAL for a guest. */
export function evtchnClose(d: Domain, port: u32, isGuest: bool): i32 {
  if (!isPortValid(d, port)) return -EINVAL;
  const p = portAt(d, port);
  if (p.state == EVTCHNSTAT_CLOSED || (isGuest && p.isXen != 0)) return -EINVAL;
  if (p.state == EVTCHNSTAT_VIRQ) {
    const v = Vcpu.at(d.firstVcpu + p.vcpuId);
    if (v.virqPort(p.remotePort) == port) v.setVirqPort(p.remotePort, 0);
    else closeMovedVirq(d, p.remotePort, port);
  } else if (p.state == EVTCHNSTAT_INTERDOMAIN) {
    disconnect(d, p);
  } else if (p.state == EVTCHNSTAT_PIRQ) {
    lineUnbind(d, p.remotePort);
  }
  evtchnClearPending(d, port);
  portReset(p);
  return OK;
}

/** A global VIRQ whose port tells another vCPU than the one it was bound on. */
function closeMovedVirq(d: Domain, virq: u32, port: u32): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if (v.virqPort(virq) == port) v.setVirqPort(virq, 0);
  }
}

function disconnect(d: Domain, p: Port): void {
  const found = Domain.find(p.remoteDomid);
  if (found == 0) return;
  const remote = changetype<Domain>(found);
  if (!isPortValid(remote, p.remotePort)) return;
  const far = portAt(remote, p.remotePort);
  far.state = <u8>EVTCHNSTAT_UNBOUND;
  far.remoteDomid = d.domid;
  far.remotePort = 0;
}

/** Closes everything the guest may close; a domain with FIFO channels has two levels again. Under the lock of that domain, whoever asks. */
export function evtchnReset(d: Domain): void {
  const lock = changetype<usize>(d) + offsetof<Domain>("evtchnLock");
  Lock.acquire(lock);
  for (let port: u32 = 1; isPortValid(d, port); port++) evtchnClose(d, port, true);
  fifoDestroy(d);
  Lock.release(lock);
}

/** Closes every port, the hypervisor's too: the domain dies. */
export function evtchnDestroy(d: Domain): void {
  for (let port: u32 = 1; isPortValid(d, port); port++) evtchnClose(d, port, false);
  fifoDestroy(d);
}

/** The domain a caller means by `domid` in a binding, 0 = none. */
export function evtchnRemote(caller: Domain, domid: u32): usize {
  return domid == <u32>DOMID_SELF ? changetype<usize>(caller) : findOtherDomain(domid);
}
