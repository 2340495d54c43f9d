/** What vm_event keeps about a domain, behind its three rings (ring.ts). */
import { VM_EVENTS_BASE, VM_EVENTS_SIZE } from "../../abi/layout";
import { Domain } from "../domain";

/** The rings come first. */
const RINGS: usize = 3 * 64;

@unmanaged
export class DomainEvents {
  /** gfns without a frame because they are paged out: types ram_paged, and ram_paging_in without a frame. Written under p2mLock. */
  pagedPages: u32;
  /** DOMCTL_monitor_op: bit n = event n (MONITOR_*) is reported; whether the vCPU of a guest request or CPUID waits for the answer. */
  monitorEvents: u32;
  guestRequestSync: u32;
  private _pad: u32;

  @inline static of(d: Domain): DomainEvents {
    return changetype<DomainEvents>(VM_EVENTS_BASE + <usize>d.slot * VM_EVENTS_SIZE + RINGS);
  }

  @inline static reports(d: Domain, event: u32): bool {
    return ((DomainEvents.of(d).monitorEvents >> event) & 1) != 0;
  }

  /** A domain is born in this slot. */
  static clear(slot: u32): void {
    memory.fill(VM_EVENTS_BASE + <usize>slot * VM_EVENTS_SIZE, 0, VM_EVENTS_SIZE);
  }
}

if (RINGS + offsetof<DomainEvents>() > <usize>VM_EVENTS_SIZE) ERROR("DomainEvents outgrew its place");
