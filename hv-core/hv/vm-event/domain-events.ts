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
  // monitored.ts. Bit n = control register n of requests (CR0, CR3, CR4, XCR0).
  crEnabled: u32;
  crSync: u32;
  crOnChange: u32;
  /** Frame of the list of MSRs, 0 = none, and how many are on it. */
  msrFrame: u32;
  msrCount: u32;
  /** Bits whose change is not reported. */
  crMask0: u64;
  private _crMask1: u64;
  private _crMask2: u64;
  private _crMask3: u64;

  @inline crMask(index: u32): u64 {
    return load<u64>(changetype<usize>(this) + offsetof<DomainEvents>("crMask0") + ((<usize>index) << 3));
  }

  @inline setCrMask(index: u32, mask: u64): void {
    store<u64>(changetype<usize>(this) + offsetof<DomainEvents>("crMask0") + ((<usize>index) << 3), mask);
  }

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
