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
  KNOB_SEND_LOCK,
  KNOB_UNMAP_LOCK,
  KNOB_UNMAP_NO_SERVER,
  SEND_LOCK_IOREQ,
  UNMAP_LOCK_EARLY_RELEASE,
  UNMAP_NO_SERVER_NULL,
} from "../../abi/knobs";
import { P2M_IOREQ_SERVER } from "../../abi/p2m-types";
import { TRC_IOREQ_INTERNAL, TRC_IOREQ_NULL } from "../../abi/trace-events";
import { W_SERVER_LOOKED_UP } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Lock } from "../../base/lock";
import { Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_READ, Window } from "../../base/window";
import { Domain, NO_SERVER } from "../domain";
import { domainCrash } from "../domain/shutdown";
import { ioreqLockOf } from "../ioreq/life-cycle";
import { ioreqSelect, pciSnoopAddress } from "../ioreq/select";
import { ioreqSend } from "../ioreq/send";
import { IoreqServer } from "../ioreq/server";
import { P2m } from "../p2m/p2m";
import { Vcpu } from "../vcpu";
import { Internal } from "./internal";
import { IoKind } from "./io-kind";
import { IO_OKAY, IO_RETRY, IO_UNHANDLEABLE } from "./io-result";

const ALL_ONES: u64 = 0xffff_ffff_ffff_ffff;

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
    if (Internal.claimsPort(<u32>addr, size)) return internal(v, false);
    if (!IoKind.isRead(kind)) pciSnoopAddress(v.domain, addr, size, data);
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
    if (isLocked) Lock.acquire(ioreqLockOf(d));
    server = d.p2mIoreqServer;
    if (isLocked) Lock.release(ioreqLockOf(d));
    v.ioSentType = IOREQ_TYPE_COPY;
    v.ioSentAddr = v.ioAddr;
    if (server == NO_SERVER && !Variant.is(KNOB_UNMAP_NO_SERVER, UNMAP_NO_SERVER_NULL)) {
      // The type has just lost its server; the page becomes RAM again soon (spec 03 section 3.7, E).
      v.ioState = STATE_IOREQ_NONE;
      return IO_RETRY;
    }
  } else {
    server = ioreqSelect(v, d);
  }
  Window.at(W_SERVER_LOOKED_UP, changetype<usize>(d), ACCESS_READ);
  if (server == NO_SERVER) {
    v.ioState = STATE_IOREQ_NONE;
    Count.one(CTR_IOREQ_NULL);
    Trace.event(TRC_IOREQ_NULL, v.slot, traceWord(v), v.ioAddr, v.ioData);
    if (IoKind.isRead(v.ioKind)) v.ioData = ALL_ONES;
    return IO_OKAY;
  }
  const result = ioreqSend(v, d, IoreqServer.at(server));
  if (result != IO_RETRY || v.ioSuspended != 0) {
    v.ioState = STATE_IOREQ_NONE;
    return result;
  }
  return IoKind.needsCompletion(v.ioKind) ? IO_RETRY : IO_OKAY;
}

function traceWord(v: Vcpu): u32 {
  return IoKind.type(v.ioKind) | ((<u32>IoKind.isRead(v.ioKind)) << 8) | (v.ioSize << 16);
}
