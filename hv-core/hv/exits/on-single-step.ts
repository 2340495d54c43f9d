/** Monitor trap (exit 37): one instruction has run because a listener asked for single steps (EVF_TOGGLE_SINGLESTEP). It is told, if it listens for that. */
import { SEG_CS } from "../../abi/cpu";
import { MONITOR_SINGLESTEP, REASON_SINGLESTEP } from "../../abi/vm-event";
import { GuestWalk } from "../../hw/guest-walk";
import { CR0_PG, Mode } from "../../hw/mode";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";
import { DomainEvents } from "../vm-event/domain-events";
import { vmEventMonitor } from "../vm-event/request";

const NO_GFN: u64 = 0xffff_ffff_ffff_ffff;

/** Page of the next instruction. */
export function gfnOfRip(v: Vcpu): u64 {
  const c = v.cpu;
  const lin = Mode.is64(c) ? c.rip : (c.rip + c.seg(SEG_CS).base) & 0xffff_ffff;
  if ((c.cr0 & CR0_PG) == 0) return lin >> 12;
  const gpa = GuestWalk.translate(c, lin, false, c.cpl == 3);
  return gpa == NO_GFN ? NO_GFN : gpa >> 12;
}

export function onSingleStep(v: Vcpu): Verdict {
  if (!DomainEvents.reports(v.domain, MONITOR_SINGLESTEP)) return Verdict.Done;
  vmEventMonitor(v, REASON_SINGLESTEP, true, gfnOfRip(v), 0, 0, 0);
  return v.pauseFlags != 0 ? Verdict.Block : Verdict.Done;
}
