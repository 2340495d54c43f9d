/**
 * Hands the latched request of a vCPU to a server through its slot (spec 03 section 3.5, send): NONE -> READY, the vCPU blocks.
 *
 * Before: select.ts. After: a device model outside, then complete.ts.
 */
import { CTR_IOREQ_SENT } from "../../abi/counters";
import {
  IOREQ_ADDR,
  IOREQ_BITS,
  IOREQ_COUNT,
  IOREQ_DATA,
  IOREQ_REQ_SIZE,
  IOREQ_TYPE,
  IOREQ_VP_EPORT,
  STATE_IOREQ_NONE,
  STATE_IOREQ_READY,
} from "../../abi/ioreq";
import { AS_FIXED, KNOB_SEND_DEFERRAL, KNOB_SEND_PENDING } from "../../abi/knobs";
import { TRC_IOREQ_STATE } from "../../abi/trace-events";
import { W_REQUEST_READY } from "../../abi/windows";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Trace } from "../../base/trace";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { vcpuEndShutdownDeferral, vcpuStartShutdownDeferral } from "../domain/shutdown";
import { IoKind } from "../emulate/io-kind";
import { IO_RETRY, IO_UNHANDLEABLE } from "../emulate/io-result";
import { evtchnNotifyXenPort } from "../evtchn/xen-port";
import { Vcpu, VPF_BLOCKED_IN_XEN } from "../vcpu";
import { IOREQ_MAX_VCPUS, IoreqServer } from "./server";
import { Slot } from "./slot";

/**
 * @returns IO_RETRY: sent, the vCPU is blocked (or the domain shuts down and v.ioSuspended is set: not sent);
 * IO_UNHANDLEABLE: the slot is not in a state that allows a request. As in Xen the shutdown deferral then stays (S-6).
 */
export function ioreqSend(v: Vcpu, d: Domain, s: IoreqServer): u32 {
  if (!vcpuStartShutdownDeferral(v)) {
    v.ioSuspended = 1;
    return IO_RETRY;
  }
  const port = s.port(v.id);
  if (s.syncMfn == 0 || v.id >= IOREQ_MAX_VCPUS) return refused(v);
  const slot = Slot.at(s, v.id);
  if (!Slot.isFree(slot) || load<u32>(slot, IOREQ_VP_EPORT) != port) return refused(v);

  store<u64>(slot, v.ioSentAddr, IOREQ_ADDR);
  store<u64>(slot, v.ioData, IOREQ_DATA);
  store<u32>(slot, v.ioCount, IOREQ_COUNT);
  store<u32>(slot, v.ioSize, IOREQ_REQ_SIZE);
  store<u8>(slot, <u8>v.ioSentType, IOREQ_TYPE);
  store<u8>(slot, <u8>(STATE_IOREQ_NONE | IoKind.slotBits(v.ioKind)), IOREQ_BITS);
  v.pauseFlags |= VPF_BLOCKED_IN_XEN;
  Slot.setState(slot, STATE_IOREQ_READY);
  const isLate = Knobs.get(KNOB_SEND_PENDING) != <u32>AS_FIXED;
  if (!isLate) v.ioPending |= 1 << s.id;
  Window.at(W_REQUEST_READY, slot, ACCESS_WRITE); // the device model may answer before it is told
  evtchnNotifyXenPort(d, port);
  if (isLate) v.ioPending |= 1 << s.id; // after the device model was told: S-5
  Count.one(CTR_IOREQ_SENT);
  Trace.event(
    TRC_IOREQ_STATE,
    v.slot,
    s.id | (STATE_IOREQ_READY << 8) | (v.ioSentType << 16) | ((<u32>IoKind.isRead(v.ioKind)) << 24),
    v.ioSentAddr,
    v.ioData,
  );
  return IO_RETRY;
}

/** The request does not go out. As in Xen the shutdown deferral stays until the next completion (S-6), unless the knob is fixed. */
function refused(v: Vcpu): u32 {
  if (Knobs.get(KNOB_SEND_DEFERRAL) == <u32>AS_FIXED && v.ioPending == 0) vcpuEndShutdownDeferral(v);
  return IO_UNHANDLEABLE;
}
