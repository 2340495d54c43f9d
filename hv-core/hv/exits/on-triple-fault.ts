/** Triple fault (exit 2): the domain shuts down with the reason its builder chose (HVM_PARAM_TRIPLE_FAULT_REASON, reboot if none). */
import { CRASH_NONE, CRASH_TRIPLE_FAULT } from "../../abi/crash";
import { HVM_PARAM_TRIPLE_FAULT_REASON } from "../../abi/hypercalls";
import { domainShutdown } from "../domain/shutdown";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";

export function onTripleFault(v: Vcpu): Verdict {
  const d = v.domain;
  if (d.crashReason == <u32>CRASH_NONE) d.crashReason = CRASH_TRIPLE_FAULT;
  domainShutdown(d, <u32>d.param(HVM_PARAM_TRIPLE_FAULT_REASON) & 0xff);
  return Verdict.Crash;
}
