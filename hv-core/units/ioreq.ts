/** Unit-test build: ioreq servers, dm_op, one request at a time, without a guest that runs (test/ioreq/*.test.ts). */
import "../base/abort";
import { Knobs } from "../base/machine";
import { ioDo } from "../hv/emulate/do-io";
import { evtchnBindInterdomain } from "../hv/evtchn/bind";
import { evtchnSend } from "../hv/evtchn/send";
import { ioreqSignalMapcache } from "../hv/ioreq/broadcast";
import { ioreqSendBuffered } from "../hv/ioreq/buffered";
import { ioreqCheck } from "../hv/ioreq/check";
import { ioreqComplete } from "../hv/ioreq/complete";
import { dmOp } from "../hv/ioreq/dm-op";
import { IoreqLock } from "../hv/ioreq/lock";
import { ioreqResourceMfn } from "../hv/ioreq/resource";
import { IoreqServer } from "../hv/ioreq/server";
import { P2m } from "../hv/p2m/p2m";
import { Vcpu } from "../hv/vcpu";
import { vmEventMonitor } from "../hv/vm-event/request";
import { freeFrame } from "../mem/allocator";
import { Frame } from "../mem/frame-table";
import { World, worldCreate } from "./world";

export function setup(vcpus: u32, deviceAt: u32): void {
  worldCreate(1024, vcpus, 300, deviceAt);
}

/** Linear address of byte `gpa` of dom0's RAM. */
export function dom0Address(gpa: u32): u32 {
  P2m.lookup(World.dom0, <u64>(gpa >> 12), 0);
  return <u32>Frame.host(World.dom0.lookupMfn) + (gpa & 4095);
}

/** dm_op by dom0. */
export function dm(domid: u32, nrBufs: u32, bufs: u32): i32 {
  return <i32>dmOp(Vcpu.at(World.dom0.firstVcpu), domid, nrBufs, bufs);
}

/** dm_op by the guest itself, with its own memory. */
export function dmByGuest(domid: u32, nrBufs: u32, bufs: u32): i32 {
  return <i32>dmOp(World.vcpu(0), domid, nrBufs, bufs);
}

/** Machine frame of a server's page, or -errno. */
export function resource(caller: u32, id: u32, frame: u64): i32 {
  return <i32>ioreqResourceMfn(World.guest, caller, id, frame);
}

export function frameHost(mfn: u32): u32 {
  return <u32>Frame.host(mfn);
}

export function frameRefs(mfn: u32): u32 {
  return Frame.at(mfn).refs;
}

export function setGuestParam(index: u32, value: u64): void {
  World.guest.setParam(index, value);
}

export function memType(gfn: u64): u32 {
  return P2m.lookup(World.guest, gfn, 0);
}

/** The guest gives a page back (decrease_reservation). */
export function giveBack(gfn: u64): void {
  P2m.lookup(World.guest, gfn, 0);
  const mfn = World.guest.lookupMfn;
  P2m.clear(World.guest, gfn, 0);
  freeFrame(mfn);
}

export function typedPages(): u32 {
  return <u32>World.guest.p2mIoreqEntries;
}

export function request(vcpu: u32, kind: u32, addr: u64, data: u64, count: u32, size: u32, type: u32): u32 {
  return ioDo(World.vcpu(vcpu), kind, addr, data, count, size, type);
}

export function complete(vcpu: u32): bool {
  return ioreqComplete(World.vcpu(vcpu));
}

export function invalidate(vcpu: u32): void {
  ioreqSignalMapcache(World.vcpu(vcpu));
}

export function ioData(vcpu: u32): u64 {
  return World.vcpu(vcpu).ioData;
}

export function ioState(vcpu: u32): u32 {
  return World.vcpu(vcpu).ioState;
}

export function ioPending(vcpu: u32): u32 {
  return World.vcpu(vcpu).ioPending;
}

export function pauseFlags(vcpu: u32): u32 {
  return World.vcpu(vcpu).pauseFlags;
}

export function clearPauseFlags(vcpu: u32): void {
  World.vcpu(vcpu).pauseFlags = 0;
}

export function crashReason(): u32 {
  return World.guest.crashReason;
}

export function isShuttingDown(): u32 {
  return World.guest.isShuttingDown;
}

export function setShuttingDown(): void {
  World.guest.isShuttingDown = 1;
}

/** The shutdown is complete: no vCPU puts it off any more. */
export function isShutDown(): u32 {
  return World.guest.isShutDown;
}

/** Machine frame behind a gfn of the guest, and the gfn that it is known under. */
export function frameOf(gfn: u64): u32 {
  P2m.lookup(World.guest, gfn, 0);
  return World.guest.lookupMfn;
}

export function frameGfn(mfn: u32): u64 {
  return Frame.at(mfn).m2p;
}

export function setDying(): void {
  World.guest.state = 2;
}

export function cf8(): u32 {
  return World.guest.pciCf8;
}

export function injectEvent(vcpu: u32): u32 {
  return World.vcpu(vcpu).injectEvent;
}

/** dom0 connects to a port of the guest; its own port, or -errno. */
export function bind(remotePort: u32): i32 {
  return evtchnBindInterdomain(World.dom0, World.guest, remotePort);
}

export function send(port: u32): i32 {
  return evtchnSend(World.dom0, port);
}

export function buffered(id: u32, kind: u32, addr: u64, data: u64, size: u32, count: u32): u32 {
  const s = IoreqServer.at(World.guest.ioreqServer(id));
  return ioreqSendBuffered(World.vcpu(0), s, kind, addr, data, size, count);
}

/** Broken invariants (hv/ioreq/check.ts). */
export function invariants(): u32 {
  return ioreqCheck(World.guest);
}

// What follows spoils something, so that the check is known to see it.
export function setIoState(vcpu: u32, state: u32): void {
  World.vcpu(vcpu).ioState = state;
}

export function setIoPending(vcpu: u32, servers: u32): void {
  World.vcpu(vcpu).ioPending = servers;
}

export function setTypedPages(count: u64): void {
  World.guest.p2mIoreqEntries = count;
}

export function addReference(mfn: u32): void {
  Frame.at(mfn).refs++;
}

/** A lock that somebody forgot: 0 = the ioreq servers', 1 = the p2m's. */
export function leaveLocked(which: u32): void {
  if (which == 0) IoreqLock.acquire(World.guest);
  else P2m.lock(World.guest);
}

/** An event that may have to wait, with or without the p2m lock. @returns errno. */
export function sendEvent(isLocked: u32): i32 {
  if (isLocked != 0) P2m.lock(World.guest);
  return vmEventMonitor(World.vcpu(0), 1, true, 0, 0, 0, 0);
}

export function setKnob(index: u32, value: u32): void {
  Knobs.set(<i32>index, value);
}
