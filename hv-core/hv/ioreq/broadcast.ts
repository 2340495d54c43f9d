/**
 * Requests that go to every enabled server of the domain instead of one (spec 03 section 3.5, broadcast).
 * INVALIDATE tells device models to drop their mappings of guest memory; the vCPU waits for all of them.
 */
import { IOREQ_TYPE_INVALIDATE, IOREQ_WRITE, STATE_IOREQ_NONE, STATE_IOREQ_READY } from "../../abi/ioreq";
import { Domain } from "../domain";
import { IO_OKAY, IO_UNHANDLEABLE } from "../emulate/io-result";
import { Vcpu } from "../vcpu";
import { ioreqSendBuffered } from "./buffered";
import { Mapcache } from "./mapcache";
import { ioreqSend } from "./send";
import { IoreqServer } from "./server";

const INVALIDATE_SIZE: u32 = 4;

/** Sends the request latched in `v` to every enabled server. @returns how many refused it. */
export function ioreqBroadcast(v: Vcpu, d: Domain): u32 {
  let failed: u32 = 0;
  for (let left = d.ioreqEnabled; left != 0; left &= left - 1) {
    const s = IoreqServer.at(d.ioreqServer(ctz<u32>(left)));
    if (ioreqSend(v, d, s) == IO_UNHANDLEABLE) failed++;
  }
  return failed;
}

/** The same through the buffered rings; servers without one are passed over. */
export function ioreqBroadcastBuffered(v: Vcpu, d: Domain, kind: u32, addr: u64, data: u64, size: u32): u32 {
  let failed: u32 = 0;
  for (let left = d.ioreqEnabled; left != 0; left &= left - 1) {
    const s = IoreqServer.at(d.ioreqServer(ctz<u32>(left)));
    if (s.bufMfn != 0 && ioreqSendBuffered(v, s, kind, addr, data, size, 1) != IO_OKAY) failed++;
  }
  return failed;
}

/** Tells every device model to forget what it has mapped of the domain's memory. The vCPU then waits for their answers. */
export function ioreqSignalMapcache(v: Vcpu): void {
  const d = v.domain;
  Mapcache.clear(v);
  if (v.ioState != <u32>STATE_IOREQ_NONE || d.ioreqEnabled == 0) return;
  v.ioKind = IOREQ_TYPE_INVALIDATE | (IOREQ_WRITE << 8);
  v.ioAddr = 0;
  v.ioData = 0xffff_ffff_ffff_ffff;
  v.ioCount = 0;
  v.ioSize = INVALIDATE_SIZE;
  v.ioSentType = IOREQ_TYPE_INVALIDATE;
  v.ioSentAddr = 0;
  v.ioState = STATE_IOREQ_READY;
  v.ioBroadcast = 1;
  ioreqBroadcast(v, d);
  if (v.ioPending == 0) {
    v.ioState = STATE_IOREQ_NONE;
    v.ioBroadcast = 0;
  }
}
