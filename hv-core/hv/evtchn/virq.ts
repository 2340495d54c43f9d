/** VIRQs: events the hypervisor raises itself. Some belong to a vCPU (timer), some to the machine and go to dom0. */
import { NR_VIRQS, VIRQ_CONSOLE, VIRQ_DOM_EXC } from "../../abi/hypercalls";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { evtchnSetPending } from "./pending";

/** CONSOLE 2, DOM_EXC 3, TBUF 4, DEBUGGER 6, CON_RING 8, PCPU_STATE 9, MEM_EVENT 10, ENOMEM 12. */
const GLOBAL_VIRQS: u32 =
  (1 << VIRQ_CONSOLE) | (1 << VIRQ_DOM_EXC) | (1 << 4) | (1 << 6) | (1 << 8) | (1 << 9) | (1 << 10) | (1 << 12);

export function isGlobalVirq(virq: u32): bool {
  return virq < <u32>NR_VIRQS && ((GLOBAL_VIRQS >> virq) & 1) != 0;
}

/** To the port this vCPU bound, if it did. */
export function sendVirq(v: Vcpu, virq: u32): void {
  const port = v.virqPort(virq);
  if (port != 0) evtchnSetPending(v.domain, v, port);
}

/** To dom0, whose vCPU 0 holds the bindings of the global ones. */
export function sendGlobalVirq(virq: u32): void {
  const dom0 = Domain.at(0);
  if (dom0.state == DOMAIN_ALIVE && dom0.vcpuCount != 0) sendVirq(Vcpu.at(dom0.firstVcpu), virq);
}
