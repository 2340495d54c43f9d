/**
 * dom0's kernel turns paging on: what MOV to CR3 and CR0 would do on the processor that the host plays. From then on the pointers of
 * dom0's hypercalls are linear addresses and go through its page tables (hv/hypercall/guest-copy.ts), as those of a real dom0 do.
 * For the modelled dom0 process of spec 07 section 7.5; in the race build only.
 */
import { CR0_PE, CR0_WP } from "../abi/regs";
import { Domain } from "../hv/domain";
import { Vcpu } from "../hv/vcpu";
import { CR0_PG, Mode } from "../hw/mode";

/** @param directory guest-physical address of a page directory of 32-bit paging. Writes of the supervisor obey it as well (CR0.WP). */
export function dom0LoadPageTable(directory: u32): void {
  const c = Vcpu.at(Domain.at(0).firstVcpu).cpu;
  c.cr3 = directory;
  c.cr0 = c.cr0 | CR0_PE | CR0_WP | CR0_PG;
  Mode.update(c);
}
