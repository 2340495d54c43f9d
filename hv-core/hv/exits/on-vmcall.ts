/** VMCALL and VMMCALL (exit 18): a hypercall. rip stays on the instruction while the call is continued. */
import { Run } from "../../hw/run";
import { hypercallFromGuest } from "../hypercall/dispatch";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";

export function onVmcall(v: Vcpu): Verdict {
  if (!hypercallFromGuest(v)) return Verdict.Retry;
  Run.skip(v.cpu);
  return v.pauseFlags != 0 ? Verdict.Block : Verdict.Done;
}
