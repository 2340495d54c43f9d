/** VIRQs: events the hypervisor raises itself. Some belong to a vCPU (timer), some to the machine and go to dom0. */
import { NR_VIRQS, VIRQ_CONSOLE, VIRQ_DOM_EXC } from "../../abi/hypercalls";
import { MACHINE_BASE } from "../../abi/layout";
import { DOMAIN_ALIVE, Domain } from "../domain";
import { Vcpu } from "../vcpu";
import { evtchnSetPending } from "./pending";

/** CONSOLE 2, DOM_EXC 3, TBUF 4, DEBUGGER 6, CON_RING 8, PCPU_STATE 9, MEM_EVENT 10, ENOMEM 12. */
const GLOBAL_VIRQS: u32 =
  (1 << VIRQ_CONSOLE) | (1 << VIRQ_DOM_EXC) | (1 << 4) | (1 << 6) | (1 << 8) | (1 << 9) | (1 << 10) | (1 << 12);

/** VIRQs of the architecture, 16 to 23: all global. */
const FIRST_ARCH_VIRQ: u32 = 16;
/** In the machine header, after the knobs. */
const HANDLERS_OFFSET: usize = 0x1800;

export function isGlobalVirq(virq: u32): bool {
  if (virq >= <u32>NR_VIRQS) return false;
  return virq >= FIRST_ARCH_VIRQ || ((GLOBAL_VIRQS >> virq) & 1) != 0;
}

/** To the port this vCPU bound, if it did. */
export function sendVirq(v: Vcpu, virq: u32): void {
  const port = v.virqPort(virq);
  if (port != 0) evtchnSetPending(v.domain, v, port);
}

/** Slot + 1 of the domain that each global VIRQ goes to (DOMCTL_set_virq_handler), 0 = dom0: 24 words in the machine header. */
class Handlers {
  @inline static at(virq: u32): usize {
    return MACHINE_BASE + HANDLERS_OFFSET + ((<usize>virq) << 2);
  }
}

/** The domain that hears this global VIRQ. */
export function virqHandler(virq: u32): Domain {
  const handler = load<u32>(Handlers.at(virq));
  return Domain.at(handler == 0 ? 0 : handler - 1);
}

export function setVirqHandler(virq: u32, d: Domain): void {
  store<u32>(Handlers.at(virq), d.slot + 1);
}

/** Whether some global VIRQ goes to the domain. */
export function isVirqHandler(d: Domain): bool {
  for (let virq: u32 = 0; virq < <u32>NR_VIRQS; virq++) {
    if (load<u32>(Handlers.at(virq)) == d.slot + 1) return true;
  }
  return false;
}

/** The domain dies: what it heard goes to dom0 again. */
export function virqHandlersForget(d: Domain): void {
  for (let virq: u32 = 0; virq < <u32>NR_VIRQS; virq++) {
    if (load<u32>(Handlers.at(virq)) == d.slot + 1) store<u32>(Handlers.at(virq), 0);
  }
}

/** To the domain that handles it, whose vCPU 0 holds the bindings of the global ones. */
export function sendGlobalVirq(virq: u32): void {
  const d = virqHandler(virq);
  if (d.state == DOMAIN_ALIVE && d.vcpuCount != 0) sendVirq(Vcpu.at(d.firstVcpu), virq);
}
