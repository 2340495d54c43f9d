/**
 * The other end of a request (spec 03 section 3.5, completion): before a vCPU enters the guest, answers that arrived are taken
 * out of their slots (RESP_READY -> NONE) and the instruction that waits for them goes on.
 *
 * Before: the device model answered and notified. After: emulate/emulate.ts or the guest.
 */

import { CTR_IOREQ_COMPLETED } from "../../abi/counters";
import { IOREQ_DATA, STATE_IOREQ_NONE, STATE_IOREQ_READY, STATE_IOREQ_RESP_READY } from "../../abi/ioreq";
import {
  DESTROY_PENDING_WAKE,
  INVALIDATE_FIRST,
  KNOB_DESTROY_PENDING,
  KNOB_INVALIDATE,
  KNOB_SUSPENDED,
  SUSPENDED_BY_DOMAIN,
} from "../../abi/knobs";
import { TRC_IOREQ_STATE } from "../../abi/trace-events";
import { Count } from "../../base/counters";
import { Trace } from "../../base/trace";
import { Variant } from "../../base/variant";
import { Domain, NO_SERVER } from "../domain";
import { vcpuEndShutdownDeferral } from "../domain/shutdown";
import { emulateResume } from "../emulate/emulate";
import { IoKind } from "../emulate/io-kind";
import { portResume } from "../emulate/port";
import { repResume } from "../emulate/rep";
import { IO_MMIO_COMPLETION, IO_NO_COMPLETION, IO_PIO_COMPLETION, IO_REP_COMPLETION, Vcpu } from "../vcpu";
import { ioreqSignalMapcache } from "./broadcast";
import { Mapcache } from "./mapcache";
import { IoreqServer } from "./server";
import { Slot } from "./slot";
import { WAIT_ANSWERED, WAIT_CRASHED, WAIT_SLEEPS, waitForAnswer } from "./wait";

/** What reads yield when the device model died in between (also: no data taken). */
const ALL_ONES: u64 = 0xffff_ffff_ffff_ffff;

/** @returns true when the vCPU may enter the guest; false when it waits on, must be looked at again, or its domain crashed. */
export function ioreqComplete(v: Vcpu): bool {
  const d = v.domain;
  // Variant C-4: the request was ended only where an answer was collected.
  const isOrphan = v.ioPending == 0 && Variant.is(KNOB_DESTROY_PENDING, DESTROY_PENDING_WAKE);
  const hadPending = v.ioPending != 0;
  while (v.ioPending != 0) {
    if (!collect(v, d, ctz<u32>(v.ioPending))) return false;
    if (v.ioBroadcast != 0 && Variant.is(KNOB_INVALIDATE, INVALIDATE_FIRST)) break; // C-8: the others may take their time
  }
  if (v.ioState == <u32>STATE_IOREQ_READY && !isOrphan) {
    const isWaitedFor = v.ioBroadcast == 0 && IoKind.needsCompletion(v.ioKind);
    v.ioState = isWaitedFor ? STATE_IOREQ_RESP_READY : STATE_IOREQ_NONE;
    v.ioBroadcast = 0;
    vcpuEndShutdownDeferral(v);
  } else if (hadPending && Variant.is(KNOB_SUSPENDED, SUSPENDED_BY_DOMAIN)) {
    vcpuEndShutdownDeferral(v); // C-7: answered, and nobody waits for it
  }
  const completion = v.ioCompletion;
  v.ioCompletion = IO_NO_COMPLETION;
  let mayRun: bool = true;
  if (completion == IO_MMIO_COMPLETION) mayRun = emulateResume(v);
  else if (completion == IO_PIO_COMPLETION) portResume(v);
  else if (completion == IO_REP_COMPLETION) repResume(v);
  if (mayRun && Mapcache.isDue(v)) {
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
  const result = waitForAnswer(v, slot);
  if (result == WAIT_SLEEPS) return false;
  let data = ALL_ONES;
  if (result == WAIT_ANSWERED) {
    data = load<u64>(slot, IOREQ_DATA);
    Slot.setState(slot, STATE_IOREQ_NONE);
  } else if (result == WAIT_CRASHED) {
    v.ioPending &= ~(1 << id);
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
