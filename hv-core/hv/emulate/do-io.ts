/**
 * One I/O access on behalf of a vCPU (spec 03 section 3.5, hvmemul_do_io): latch the request, then let an internal handler, a
 * device model or nobody answer it.
 *
 * Before: emulate/memory.ts or emulate/port.ts. After: ioreq/select.ts, ioreq/send.ts.
 * A request that a device model got comes here a second time when the answer is in: it must be the same request.
 */

import { CTR_IOREQ_INTERNAL, CTR_IOREQ_NULL } from "../../abi/counters";
import { CRASH_IO_MISMATCH } from "../../abi/crash";
import { IOREQ_TYPE_COPY, STATE_IOREQ_NONE, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../abi/ioreq";
import {
  BUFFERED_WRITES,
  KNOB_IOREQ_BUFFERED,
  KNOB_NO_SERVER,
  KNOB_SEND_LOCK,
  KNOB_SUSPENDED,
  KNOB_TYPE_SERVERS,
  KNOB_UNMAP_LOCK,
  NO_SERVER_NULL,
  SEND_LOCK_IOREQ,
  SUSPENDED_BY_DOMAIN,
  UNMAP_LOCK_EARLY_RELEASE,
} from "../../abi/knobs";
import { MUTATION_NO_SERVER_NO_LOOK } from "../../abi/mutations";
import { P2M_IOREQ_SERVER, P2M_RAM_LOGDIRTY, P2M_RAM_RW } from "../../abi/p2m-types";
import { TRC_IOREQ_INTERNAL, TRC_IOREQ_NULL } from "../../abi/trace-events";
import { W_SERVER_LOOKED_UP } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Mutation } from "../../base/mutation";
import { Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { frameWrite8 } from "../../mem/frame-access";
import { Frame } from "../../mem/frame-table";
import { Domain, NO_SERVER } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { isPortPassed, PORT_RETRY, passedPort } from "../iocap/ports";
import { ioreqSendBuffered } from "../ioreq/buffered";
import { IoreqLock } from "../ioreq/lock";
import { ioreqSelect, pciSnoopAddress } from "../ioreq/select";
import { ioreqSend } from "../ioreq/send";
import { IoreqServer } from "../ioreq/server";
import { TypeOwner } from "../ioreq/type-owner";
import { logDirtyMark } from "../logdirty/bitmap";
import { P2m } from "../p2m/p2m";
import { PmPorts } from "../time/pm-ports";
import { rtcAccess } from "../time/rtc";
import { Vcpu } from "../vcpu";
import { Internal } from "./internal";
import { IoKind } from "./io-kind";
import { IO_OKAY, IO_RETRY, IO_UNHANDLEABLE } from "./io-result";

const ALL_ONES: u64 = 0xffff_ffff_ffff_ffff;

/** Chips inside the hypervisor, by port: the clock and the power-management device of a HVM domain. */
class Chips {
  static access(v: Vcpu, port: u32, size: u32, isRead: bool, data: u64): bool {
    return rtcAccess(v, port, size, isRead, data) || PmPorts.access(v, port, size, isRead, data);
  }
}

/**
 * @param kind what sort of access (io-kind.ts).
 * @param addr guest-physical address or port of the first element; `count` elements of `size` bytes (1, 2, 4, 8).
 * @param data what is written, or the guest-physical address of a buffer when `kind` says so.
 * @param pageType p2m type of the page, for memory.
 * @returns IO_OKAY (data read is in v.ioData, the elements done in v.ioCount); IO_RETRY (the vCPU waits when v.ioPending != 0,
 * otherwise run the instruction again); IO_UNHANDLEABLE.
 */
export function ioDo(v: Vcpu, kind: u32, addr: u64, data: u64, count: u32, size: u32, pageType: u32): u32 {
  if (v.ioState != <u32>STATE_IOREQ_NONE) return reissued(v, kind, addr, data, count, size);
  if (size > 8 || popcnt<u32>(size) != 1) return IO_UNHANDLEABLE;
  v.ioKind = kind;
  v.ioAddr = addr;
  v.ioData = data;
  v.ioCount = count;
  v.ioSize = size;
  v.ioState = STATE_IOREQ_READY;
  v.ioSuspended = 0;
  if (IoKind.type(kind) == <u32>IOREQ_TYPE_COPY) {
    if (Internal.claimsMemory(v, addr)) return internal(v, true);
  } else {
    if (Internal.claimsPort(v, <u32>addr, size)) return internal(v, false);
    if (!IoKind.isPtr(kind) && Chips.access(v, <u32>addr, size, IoKind.isRead(kind), data)) {
      v.ioState = STATE_IOREQ_NONE;
      return IO_OKAY;
    }
    if (isPortPassed(v.domain, <u32>addr, size)) {
      v.ioState = STATE_IOREQ_NONE;
      const passed = passedPort(v, <u32>addr, size, IoKind.isRead(kind), data);
      return passed == PORT_RETRY ? IO_RETRY : IO_OKAY;
    }
    if (!IoKind.isRead(kind) && !IoKind.isPtr(kind)) pciSnoopAddress(v.domain, addr, size, data);
  }
  return outside(v, v.domain, pageType);
}

/** The answer of a device model is in: the access that waited for it is made again and must not have changed. */
function reissued(v: Vcpu, kind: u32, addr: u64, data: u64, count: u32, size: u32): u32 {
  if (v.ioState != <u32>STATE_IOREQ_RESP_READY) return IO_UNHANDLEABLE;
  v.ioState = STATE_IOREQ_NONE;
  const isSame = kind == v.ioKind && addr == v.ioAddr && size == v.ioSize && v.ioCount <= count;
  if (!isSame || (IoKind.isPtr(kind) && data != v.ioData)) {
    domainCrash(v.domain, CRASH_IO_MISMATCH);
    return IO_UNHANDLEABLE;
  }
  return IoKind.isPtr(kind) ? IO_UNHANDLEABLE : IO_OKAY;
}

function internal(v: Vcpu, isMemory: bool): u32 {
  const isRead = IoKind.isRead(v.ioKind);
  if (isMemory) v.ioData = Internal.memory(v, v.ioAddr, v.ioSize, isRead, v.ioData);
  else v.ioData = Internal.port(v, <u32>v.ioAddr, v.ioSize, isRead, <u32>v.ioData);
  v.ioState = STATE_IOREQ_NONE;
  Count.one(CTR_IOREQ_INTERNAL);
  Trace.event(TRC_IOREQ_INTERNAL, v.slot, traceWord(v), v.ioAddr, v.ioData);
  return IO_OKAY;
}

/** A device model, or nobody: then reads are all ones and writes vanish. */
function outside(v: Vcpu, d: Domain, pageType: u32): u32 {
  let server: u32;
  // Variant: the lock is gone, so the type is looked up once more.
  if (Variant.is(KNOB_UNMAP_LOCK, UNMAP_LOCK_EARLY_RELEASE) && pageType == <u32>P2M_IOREQ_SERVER)
    pageType = P2m.lookup(d, v.ioAddr >> 12, 0);
  if (pageType == <u32>P2M_IOREQ_SERVER) {
    const isLocked = Variant.is(KNOB_SEND_LOCK, SEND_LOCK_IOREQ);
    if (isLocked) IoreqLock.acquire(d);
    const owner = TypeOwner.of(d);
    server = typeServer(v, d, owner);
    if (isLocked) IoreqLock.release(d);
    if (server == NO_SERVER) {
      const result = withoutServer(v, owner);
      if (result != IO_UNHANDLEABLE) return result;
    }
  } else {
    server = ioreqSelect(v, d);
  }
  Window.at(W_SERVER_LOOKED_UP, changetype<usize>(d), ACCESS_READ);
  if (server == NO_SERVER) {
    v.ioState = STATE_IOREQ_NONE;
    Count.one(CTR_IOREQ_NULL);
    Trace.event(TRC_IOREQ_NULL, v.slot, traceWord(v), v.ioAddr, v.ioData);
    if (IoKind.isRead(v.ioKind)) {
      if (IoKind.isPtr(v.ioKind)) fillBuffer(v);
      else v.ioData = ALL_ONES;
    }
    return IO_OKAY;
  }
  if (isBuffered(v, IoreqServer.at(server))) {
    v.ioState = STATE_IOREQ_NONE;
    return IO_OKAY;
  }
  const result = ioreqSend(v, d, IoreqServer.at(server));
  if (result != IO_RETRY || isNotSent(v, d)) {
    v.ioState = STATE_IOREQ_NONE;
    return result;
  }
  return IoKind.needsCompletion(v.ioKind) ? IO_RETRY : IO_OKAY;
}

/**
 * Design alternative (knob ioreq.buffered): a plain write goes into the server's ring, as Xen sent the writes to VGA memory. The device model does
 * what is in the ring before it answers a request, so the order stays. What does not fit waits like any other.
 */
function isBuffered(v: Vcpu, s: IoreqServer): bool {
  if (Knobs.get(KNOB_IOREQ_BUFFERED) != <u32>BUFFERED_WRITES || IoKind.isRead(v.ioKind)) return false;
  if (v.ioSentType != IoKind.type(v.ioKind)) return false;
  return ioreqSendBuffered(v, s, v.ioKind, v.ioAddr, v.ioData, v.ioSize, v.ioCount) == <u32>IO_OKAY;
}

/** Variant C-7: the caller asks the domain, although the request may be on its way since before the shutdown began. */
function isNotSent(v: Vcpu, d: Domain): bool {
  return Variant.is(KNOB_SUSPENDED, SUSPENDED_BY_DOMAIN) ? d.isShuttingDown != 0 : v.ioSuspended != 0;
}

/** After IO_RETRY: whether a device model has the request. Otherwise the instruction is to be run again. */
export function ioIsWaiting(v: Vcpu): bool {
  return v.ioPending != 0 && !(Variant.is(KNOB_SUSPENDED, SUSPENDED_BY_DOMAIN) && v.ioState == <u32>STATE_IOREQ_NONE);
}

/** Nobody answers for a read whose data go to RAM: all ones go there. A page that is watched or not there keeps what it has (N-4). */
function fillBuffer(v: Vcpu): void {
  const d = v.domain;
  const bytes = v.ioCount * v.ioSize;
  const first = IoKind.isDown(v.ioKind) ? v.ioData - <u64>(bytes - v.ioSize) : v.ioData;
  for (let i: u32 = 0; i < bytes; i++) {
    const gpa = first + <u64>i;
    const type = P2m.lookup(d, gpa >> 12, 0);
    const isWritable = type == <u32>P2M_RAM_RW || type == <u32>P2M_RAM_LOGDIRTY;
    if (!isWritable || !Frame.isValid(d.lookupMfn)) continue;
    frameWrite8(d.lookupMfn, <u32>gpa & 0xfff, 0xff);
    logDirtyMark(d, gpa >> 12);
  }
}

/** Who answers for a page of type ioreq_server. */
function typeServer(v: Vcpu, d: Domain, owner: u64): u32 {
  const server = TypeOwner.server(owner);
  // The read half of a read-modify-write that nobody wants but that is not served from RAM (knob rmw.readFromRam=off).
  const isStray = IoKind.isRead(v.ioKind) && !TypeOwner.wantsReads(owner) && server != NO_SERVER;
  if (isStray || Knobs.get(KNOB_TYPE_SERVERS) != 0) {
    const claimed = ioreqSelect(v, d);
    if (isStray || (claimed != NO_SERVER && IoreqServer.at(claimed).typeFlags != 0)) return claimed;
  }
  v.ioSentType = IOREQ_TYPE_COPY;
  v.ioSentAddr = v.ioAddr;
  return server;
}

/**
 * The type has lost its server, and the page is not RAM again yet (spec 03 section 3.7, designs A and E; D is in emulate/memory.ts).
 * @returns IO_UNHANDLEABLE when nobody is to answer.
 */
function withoutServer(v: Vcpu, owner: u64): u32 {
  if (Mutation.is(MUTATION_NO_SERVER_NO_LOOK)) return IO_UNHANDLEABLE;
  if (Knobs.get(KNOB_NO_SERVER) == <u32>NO_SERVER_NULL || TypeOwner.server(owner) != NO_SERVER) return IO_UNHANDLEABLE;
  v.ioState = STATE_IOREQ_NONE;
  return IO_RETRY;
}

function traceWord(v: Vcpu): u32 {
  return IoKind.type(v.ioKind) | ((<u32>IoKind.isRead(v.ioKind)) << 8) | (v.ioSize << 16);
}
