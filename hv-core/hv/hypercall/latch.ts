/**
 * The word size of shared_info follows the mode the guest is in when it sets up its hypercall page or its callback
 * (spec 08 section 8.1). Only the wall clock is written again; pending events of the other layout are the guest's business.
 */
import { Mode } from "../../hw/mode";
import { wallClockUpdate } from "../time/pvclock";
import { Vcpu } from "../vcpu";

export function latchLayout(v: Vcpu): void {
  const d = v.domain;
  if (d.isPrivileged == 0) d.is64 = Mode.is64(v.cpu) ? 1 : 0;
  wallClockUpdate(d);
}
