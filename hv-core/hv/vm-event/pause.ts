/**
 * Pausing a vCPU for an event (spec 04 section 4.6). The count is raised before the request can be seen, so an answer cannot come for a
 * vCPU that is not paused; but the vCPU may still be in the hypervisor when it comes.
 */
import { KNOB_EVENT_RESPONSE, RESPONSE_UNCHECKED } from "../../abi/knobs";
import { Hv } from "../../base/assert";
import { Variant } from "../../base/variant";
import { Vcpu, VPF_VM_EVENT } from "../vcpu";
import { VcpuEvents } from "./vcpu-events";

const SITE_PAUSE_UNDERFLOW: u32 = 40;

export function vmEventPause(v: Vcpu): void {
  VcpuEvents.of(v).pauseCount++;
  v.pauseFlags |= VPF_VM_EVENT;
}

/** One answer undoes one pause; more of them change nothing. */
export function vmEventUnpause(v: Vcpu): void {
  const events = VcpuEvents.of(v);
  if (Variant.is(KNOB_EVENT_RESPONSE, RESPONSE_UNCHECKED)) Hv.assert(events.pauseCount != 0, SITE_PAUSE_UNDERFLOW);
  if (events.pauseCount == 0) return;
  events.pauseCount--;
  if (events.pauseCount == 0) v.pauseFlags &= ~VPF_VM_EVENT;
}
