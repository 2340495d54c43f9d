/** What vm_event keeps about a domain, behind its three rings (ring.ts). */
import { DOMAIN_EVENTS_OFFSET, DOMAIN_SIZE } from "../../abi/layout";
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
    return changetype<DomainEvents>(changetype<usize>(d) + DOMAIN_EVENTS_OFFSET + RINGS);
  }

  @inline static reports(d: Domain, event: u32): bool {
    return ((DomainEvents.of(d).monitorEvents >> event) & 1) != 0;
  }
}

if (RINGS + offsetof<DomainEvents>() > <usize>(DOMAIN_SIZE - DOMAIN_EVENTS_OFFSET))
  ERROR("DomainEvents outgrew its place");
if (offsetof<Domain>() > <usize>DOMAIN_EVENTS_OFFSET) ERROR("Domain runs into its rings");
