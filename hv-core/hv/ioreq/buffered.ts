/**
 * The buffered ring of a server (spec 03 section 3.3): requests nobody waits for. 511 slots of 8 bytes behind two free-running
 * pointers. read_pointer belongs to the device model and is never trusted: only the difference of the pointers is used.
 *
 *   first dword of a slot:  31..12 address  11..10 log2 size  9 dir  8 pad  7..0 type      second dword: data
 *
 * 511 does not divide 2^32, so pointers that wrap would lose their slots; a server that asked for atomic handling gets both
 * canonicalised (the same multiple of 511 taken off) after each request, with a compare-and-swap of both: the device model moves its
 * own at any time. Legacy ones run into the wrap.
 */
import { CTR_IOREQ_BUFFERED } from "../../abi/counters";
import {
  BUFIOREQ_ATOMIC,
  BUFIOREQ_READ_POINTER,
  BUFIOREQ_SLOT_COUNT,
  BUFIOREQ_SLOTS,
  BUFIOREQ_WRITE_POINTER,
} from "../../abi/ioreq";
import { CANONICALISE_STORE, KNOB_CANONICALISE } from "../../abi/knobs";
import { TRC_IOREQ_BUFFERED } from "../../abi/trace-events";
import { W_POINTERS_READ } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Lock } from "../../base/lock";
import { Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Frame } from "../../mem/frame-table";
import { IoKind } from "../emulate/io-kind";
import { IO_OKAY, IO_UNHANDLEABLE } from "../emulate/io-result";
import { evtchnNotifyXenPort } from "../evtchn/xen-port";
import { Vcpu } from "../vcpu";
import { IoreqServer } from "./server";

const MAX_ADDR: u64 = 0xfffff;

/**
 * Puts one request into the ring. `vcpu` is the slot of the vCPU on whose behalf, for the trace.
 *
 * @returns IO_OKAY; IO_UNHANDLEABLE when it does not fit the format (address above 1 MiB, pointer, count, size), the server has
 * no ring, or the ring is full: the caller may then send it synchronously.
 */
export function ioreqSendBuffered(
  v: Vcpu,
  s: IoreqServer,
  kind: u32,
  addr: u64,
  data: u64,
  size: u32,
  count: u32,
): u32 {
  if (s.bufMfn == 0 || addr > MAX_ADDR || IoKind.isPtr(kind) || count != 1) return IO_UNHANDLEABLE;
  if (size != 1 && size != 2 && size != 4 && size != 8) return IO_UNHANDLEABLE;
  /** Slots beyond the first. */
  const extra: u32 = size == 8 ? 1 : 0;
  const header = IoKind.type(kind) | ((<u32>IoKind.isRead(kind)) << 9) | (ctz<u32>(size) << 10) | ((<u32>addr) << 12);
  const page = Frame.host(s.bufMfn);
  const lock = changetype<usize>(s) + offsetof<IoreqServer>("bufLock");

  Lock.acquire(lock);
  const write = load<u32>(page, BUFIOREQ_WRITE_POINTER);
  const read = load<u32>(page, BUFIOREQ_READ_POINTER);
  if (write - read >= <u32>BUFIOREQ_SLOT_COUNT - extra) {
    Lock.release(lock);
    return IO_UNHANDLEABLE;
  }
  putSlot(page, write, header, <u32>data);
  if (extra != 0) putSlot(page, write + 1, header, <u32>(data >> 32));
  store<u32>(page, write + 1 + extra, BUFIOREQ_WRITE_POINTER);
  if (s.bufHandling == <u32>BUFIOREQ_ATOMIC) canonicalise(page);
  evtchnNotifyXenPort(s.domain, s.bufPort);
  Lock.release(lock);

  Count.one(CTR_IOREQ_BUFFERED);
  Trace.event(TRC_IOREQ_BUFFERED, v.slot, s.id | (IoKind.type(kind) << 16), addr, data);
  return IO_OKAY;
}

function putSlot(page: usize, pointer: u32, header: u32, data: u32): void {
  const at = page + BUFIOREQ_SLOTS + <usize>(pointer % BUFIOREQ_SLOT_COUNT) * 8;
  store<u32>(at, header);
  store<u32>(at, data, 4);
}

/**
 * Both pointers are one 64-bit word, so the device model sees either the old pair or the new one. Window: it takes a request and moves
 * its pointer after the pair was read here; the compare then fails, and the pair is read again.
 */
function canonicalise(page: usize): void {
  while (true) {
    const pair = load<u64>(page, BUFIOREQ_READ_POINTER);
    const read = <u32>pair;
    if (read < <u32>BUFIOREQ_SLOT_COUNT) return;
    const rounds = (read / BUFIOREQ_SLOT_COUNT) * BUFIOREQ_SLOT_COUNT;
    const write = <u32>(pair >> 32) - rounds;
    Window.at(W_POINTERS_READ, page, ACCESS_WRITE);
    const isChanged = load<u64>(page, BUFIOREQ_READ_POINTER) != pair;
    if (isChanged && !Variant.is(KNOB_CANONICALISE, CANONICALISE_STORE)) continue;
    store<u64>(page, <u64>(read - rounds) | ((<u64>write) << 32), BUFIOREQ_READ_POINTER);
    return;
  }
}
