/**
 * The other end of a request (spec 03 section 3.5, completion): before a vCPU enters the guest, answers that arrived are taken
 * out of their slots (RESP_READY -> NONE) and the instruction that waits for them goes on.
 *
 * Before: the device model answered and notified. After: emulate/emulate.ts or the guest.
 */

import { CTR_IOREQ_COMPLETED } from "../../abi/counters";
import { CRASH_IOREQ_STATE } from "../../abi/crash";
import {
  IOREQ_DATA,
  STATE_IOREQ_INPROCESS,
  STATE_IOREQ_NONE,
  STATE_IOREQ_READY,
  STATE_IOREQ_RESP_READY,
} from "../../abi/ioreq";
import { TRC_IOREQ_STATE } from "../../abi/trace-events";
import { Count } from "../../base/counters";
import { Trace } from "../../base/trace";
import { Domain, NO_SERVER } from "../domain";
import { domainCrash, vcpuEndShutdownDeferral } from "../domain/shutdown";
import { emulateResume } from "../emulate/emulate";
import { IoKind } from "../emulate/io-kind";
import { portResume } from "../emulate/port";
import { repResume } from "../emulate/rep";
import {
  IO_MMIO_COMPLETION,
  IO_NO_COMPLETION,
  IO_PIO_COMPLETION,
  IO_REP_COMPLETION,
  Vcpu,
  VPF_BLOCKED_IN_XEN,
} from "../vcpu";
import { ioreqSignalMapcache } from "./broadcast";
import { IoreqServer } from "./server";
import { Slot } from "./slot";

/** What reads yield when the device model died in between (also: no data taken). */
const ALL_ONES: u64 = 0xffff_ffff_ffff_ffff;

/** @returns true when the vCPU may enter the guest; false when it waits on, must be looked at again, or its domain crashed. */
export function ioreqComplete(v: Vcpu): bool {
  const d = v.domain;
  while (v.ioPending != 0) {
    if (!collect(v, d, ctz<u32>(v.ioPending))) return false;
  }
  if (v.ioState == <u32>STATE_IOREQ_READY) {
    const isWaitedFor = v.ioBroadcast == 0 && IoKind.needsCompletion(v.ioKind);
    v.ioState = isWaitedFor ? STATE_IOREQ_RESP_READY : STATE_IOREQ_NONE;
    v.ioBroadcast = 0;
    vcpuEndShutdownDeferral(v);
  }
  const completion = v.ioCompletion;
  v.ioCompletion = IO_NO_COMPLETION;
  let mayRun: bool = true;
  if (completion == IO_MMIO_COMPLETION) mayRun = emulateResume(v);
  else if (completion == IO_PIO_COMPLETION) portResume(v);
  else if (completion == IO_REP_COMPLETION) repResume(v);
  if (mayRun && v.mapcacheInvalidate != 0) {
    ioreqSignalMapcache(v);
    return v.ioPending == 0;
  }
  return mayRun;
}

/** Looks at the slot of server `id` once. True = nothing is pending there any more. */
function collect(v: Vcpu, d: Domain, id: u32): bool {
  const address = d.ioreqServer(id);
  if (address == NO_SERVER || IoreqServer.at(address).syncMfn == 0) {
    v.ioPending &= ~(1 << id);
    return true;
  }
  const slot = Slot.at(IoreqServer.at(address), v.id);
  const state = Slot.state(slot);
  let data = ALL_ONES;
  switch (state) {
    case STATE_IOREQ_NONE:
      break; // the device model gave the request up: reads yield all ones
    case STATE_IOREQ_READY:
    case STATE_IOREQ_INPROCESS:
      v.pauseFlags |= VPF_BLOCKED_IN_XEN;
      return false;
    case STATE_IOREQ_RESP_READY:
      data = load<u64>(slot, IOREQ_DATA);
      Slot.setState(slot, STATE_IOREQ_NONE);
      break;
    default:
      v.ioPending &= ~(1 << id);
      domainCrash(d, CRASH_IOREQ_STATE);
      return false;
  }
  v.ioPending &= ~(1 << id);
  if (v.ioBroadcast == 0 && IoKind.needsCompletion(v.ioKind)) v.ioData = data;
  Count.one(CTR_IOREQ_COMPLETED);
  Trace.event(
    TRC_IOREQ_STATE,
    v.slot,
    id | (STATE_IOREQ_NONE << 8) | (v.ioSentType << 16) | ((<u32>IoKind.isRead(v.ioKind)) << 24),
    v.ioSentAddr,
    data,
  );
  return true;
}
