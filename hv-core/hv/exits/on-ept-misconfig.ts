/**
 * EPT misconfiguration (exit 49, spec 02 section 2.4). Nothing in this hypervisor makes entries invalid on purpose, so one that
 * the processor found is an error of ours or of whoever wrote the table: the domain ends.
 */
import { CRASH_EPT_MISCONFIG } from "../../abi/crash";
import { domainCrash } from "../domain/shutdown";
import { Vcpu } from "../vcpu";
import { Verdict } from "../verdict";

export function onEptMisconfig(v: Vcpu): Verdict {
  domainCrash(v.domain, CRASH_EPT_MISCONFIG);
  return Verdict.Crash;
}
