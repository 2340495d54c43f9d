/**
 * Birth, state and death of ioreq servers (spec 03 section 3.4). All of it happens with the domain's ioreqLock held and the
 * domain paused: so the paths of a vCPU may read the servers without a lock.
 */
import { E2BIG, EINVAL, ENOMEM, ENOSPC, OK } from "../../abi/errno";
import {
  BUFIOREQ_OFF,
  IO_RANGE_PCI,
  IO_RANGE_PORT,
  IOREQ_VP_EPORT,
  MAX_NR_IO_RANGES,
  MAX_NR_IOREQ_SERVERS,
} from "../../abi/ioreq";
import { AS_FIXED, DESTROY_PENDING_WAKE, KNOB_DESTROY_PENDING } from "../../abi/knobs";
import { MUTATION_DESTROY_DOES_NOT_WAKE, MUTATION_DESTROY_UNPAUSED } from "../../abi/mutations";
import { Knobs } from "../../base/machine";
import { Mutation } from "../../base/mutation";
import { Variant } from "../../base/variant";
import { DOMAIN_ALIVE, Domain, NO_SERVER } from "../domain";
import { domainPause, domainUnpause } from "../domain/pause";
import { IoKind } from "../emulate/io-kind";
import { xenPortNotified } from "../evtchn/send";
import { evtchnAllocXen, evtchnFree } from "../evtchn/xen-port";
import { Rangeset } from "../iocap/rangeset";
import { Vcpu } from "../vcpu";
import { IoreqLock } from "./lock";
import { memTypeForgetServer } from "./mem-type";
import { ioreqPagesHide, ioreqPagesRelease, ioreqPagesShow } from "./pages";
import { IOREQ_MAX_VCPUS, IoreqServer, ioreqServerAlloc, ioreqServerFree, ioreqServerOf } from "./server";
import { Slot } from "./slot";

/** @returns the new id; -EINVAL, -ENOSPC (eight servers, or no event channel), -ENOMEM. */
export function ioreqServerCreate(d: Domain, caller: u32, bufHandling: u32): i32 {
  if (d.state != DOMAIN_ALIVE) return -EINVAL;
  domainPause(d);
  IoreqLock.acquire(d);
  const rc = create(d, caller, bufHandling);
  IoreqLock.release(d);
  domainUnpause(d);
  return rc;
}

function create(d: Domain, caller: u32, bufHandling: u32): i32 {
  let id: u32 = 0;
  while (id < <u32>MAX_NR_IOREQ_SERVERS && d.ioreqServer(id) != NO_SERVER) id++;
  if (id == <u32>MAX_NR_IOREQ_SERVERS) return -ENOSPC;
  const address = ioreqServerAlloc();
  if (address == NO_SERVER) return -ENOMEM;
  const s = IoreqServer.at(address);
  s.id = id;
  s.target = d.slot;
  s.emulator = caller;
  s.bufHandling = bufHandling;
  let rc = initRanges(s);
  if (rc == OK) rc = initPorts(s, d);
  if (rc != OK) {
    deinit(s, d);
    return rc;
  }
  d.setIoreqServer(id, address);
  return <i32>id;
}

function initRanges(s: IoreqServer): i32 {
  for (let type: u32 = IO_RANGE_PORT; type <= <u32>IO_RANGE_PCI; type++) {
    const head = Rangeset.create(MAX_NR_IO_RANGES);
    if (head == 0) return -ENOMEM;
    s.setRanges(type, head);
  }
  return OK;
}

function initPorts(s: IoreqServer, d: Domain): i32 {
  if (d.vcpuCount > IOREQ_MAX_VCPUS) return -E2BIG;
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const rc = ioreqServerAddVcpu(s, d, id);
    if (rc != OK) return rc;
  }
  return OK;
}

/** The channels of vCPU `id`: one for its slot, and with vCPU 0 the one of the buffered ring. */
function ioreqServerAddVcpu(s: IoreqServer, d: Domain, id: u32): i32 {
  const port = evtchnAllocXen(d, id, s.emulator);
  if (port < 0) return port;
  s.setPort(id, port);
  if (id == 0 && s.bufHandling != <u32>BUFIOREQ_OFF) {
    const buffered = evtchnAllocXen(d, 0, s.emulator);
    if (buffered < 0) return buffered;
    s.bufPort = buffered;
  }
  if (s.enabled != 0) writePort(s, id);
  return OK;
}

function writePort(s: IoreqServer, id: u32): void {
  if (s.syncMfn != 0) store<u32>(Slot.at(s, id), s.port(id), IOREQ_VP_EPORT);
}

/** A vCPU was added to the domain: every server gets a channel for it. @returns OK or the error of the event channels. */
export function ioreqVcpuAdded(d: Domain, id: u32): i32 {
  for (let i: u32 = 0; i < <u32>MAX_NR_IOREQ_SERVERS; i++) {
    const address = d.ioreqServer(i);
    if (address == NO_SERVER) continue;
    const rc = ioreqServerAddVcpu(IoreqServer.at(address), d, id);
    if (rc != OK) return rc;
  }
  return OK;
}

/** @returns OK; -ENOENT, -EPERM. */
export function ioreqServerSetState(d: Domain, id: u32, caller: u32, enabled: bool): i32 {
  IoreqLock.acquire(d);
  const found = ioreqServerOf(d, id, caller);
  if (found >= 0) {
    domainPause(d);
    if (enabled) enable(IoreqServer.at(found), d);
    else disable(IoreqServer.at(found), d);
    domainUnpause(d);
  }
  IoreqLock.release(d);
  return found < 0 ? found : OK;
}

function enable(s: IoreqServer, d: Domain): void {
  if (s.enabled != 0) return;
  ioreqPagesHide(s);
  s.enabled = 1;
  d.ioreqEnabled |= 1 << s.id;
  for (let id: u32 = 0; id < d.vcpuCount; id++) writePort(s, id);
}

function disable(s: IoreqServer, d: Domain): void {
  if (s.enabled == 0) return;
  ioreqPagesShow(s);
  s.enabled = 0;
  d.ioreqEnabled &= ~(1 << s.id);
}

/** @returns OK; -ENOENT, -EPERM. */
export function ioreqServerDestroy(d: Domain, id: u32, caller: u32): i32 {
  IoreqLock.acquire(d);
  const found = ioreqServerOf(d, id, caller);
  if (found >= 0) {
    const isPausing = !Mutation.is(MUTATION_DESTROY_UNPAUSED);
    if (isPausing) domainPause(d);
    destroy(IoreqServer.at(found), d);
    if (isPausing) domainUnpause(d);
  }
  IoreqLock.release(d);
  return found < 0 ? found : OK;
}

function destroy(s: IoreqServer, d: Domain): void {
  memTypeForgetServer(d, s);
  disable(s, d);
  d.setIoreqServer(s.id, NO_SERVER);
  deinit(s, d);
}

/**
 * A vCPU that waits for this server: on Xen 4.17 it waits for good, nobody wakes it (oracle finding N-5). With the knob it goes on as
 * if the device model had given the request up: reads yield all ones.
 */
function forget(v: Vcpu, bit: u32): void {
  if ((v.ioPending & bit) == 0) return;
  v.ioPending &= ~bit;
  if (v.ioPending != 0) return;
  if (Variant.is(KNOB_DESTROY_PENDING, DESTROY_PENDING_WAKE)) xenPortNotified(v); // and the request stays as it is
  if (Knobs.get(KNOB_DESTROY_PENDING) != <u32>AS_FIXED) return;
  if (v.ioBroadcast == 0 && IoKind.needsCompletion(v.ioKind)) v.ioData = 0xffff_ffff_ffff_ffff;
  if (!Mutation.is(MUTATION_DESTROY_DOES_NOT_WAKE)) xenPortNotified(v);
}

function deinit(s: IoreqServer, d: Domain): void {
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const port = s.port(id);
    if (port != 0) evtchnFree(d, port);
    forget(Vcpu.at(d.firstVcpu + id), 1 << s.id);
  }
  if (s.bufPort != 0) evtchnFree(d, s.bufPort);
  ioreqPagesRelease(s);
  for (let type: u32 = IO_RANGE_PORT; type <= <u32>IO_RANGE_PCI; type++) Rangeset.destroy(s.ranges(type));
  ioreqServerFree(s);
}

/** All servers of a dying domain, before its frames go. */
export function ioreqServersDestroyAll(d: Domain): void {
  for (let id: u32 = 0; id < <u32>MAX_NR_IOREQ_SERVERS; id++) {
    const address = d.ioreqServer(id);
    if (address != NO_SERVER) destroy(IoreqServer.at(address), d);
  }
}
