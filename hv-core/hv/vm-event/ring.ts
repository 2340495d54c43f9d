/**
 * A vm_event ring: one for each mode and domain, at DOMAIN_EVENTS_OFFSET in the domain (spec 04 section 4.6). The hypervisor makes requests, the listener
 * answers in place. Indexes that count are kept here, where nobody else can write; of the shared page only the response index is
 * believed, and only as far as requests can explain it.
 *
 * Next: slots.ts (how a request gets there), response.ts (how an answer comes back), enable.ts.
 */
import { KNOB_EVENT_SLOTS } from "../../abi/knobs";
import { DOMAIN_EVENTS_OFFSET } from "../../abi/layout";
import {
  RING_ENTRIES,
  RING_RSP_PROD,
  RING_SLOTS,
  VM_EVENT_MODE_MONITOR,
  VM_EVENT_MODE_PAGING,
  VM_EVENT_MODE_SHARING,
  VM_EVENT_SIZE,
} from "../../abi/vm-event";
import { Lock } from "../../base/lock";
import { Knobs } from "../../base/machine";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { VPF_MEM_ACCESS, VPF_MEM_PAGING, VPF_MEM_SHARING } from "../vcpu";

@unmanaged
export class VmEventRing {
  // Written by: enable and disable, with the domain paused.
  lock: u32;
  /** Frame of the ring page, 0 = not enabled. */
  mfn: u32;
  /** The domain's port; the listener's domain is at its other end. */
  port: u32;
  /** How often the ring was enabled: tells the ring of now from one that is gone. */
  generation: u32;

  // Written under `lock`.
  /** Requests made, and responses taken, since it was enabled. */
  reqProd: u32;
  rspCons: u32;
  /** Slots that a vCPU of the domain, or of another one, has claimed and not filled. */
  targetProducers: u32;
  foreignProducers: u32;
  /** vCPUs that wait for a slot (the wait queue), and vCPUs stopped before the ring is full. */
  queued: u32;
  blocked: u32;
  /** vcpu_id that was let go last: the next one has its turn first. */
  lastWoken: u32;
  private _pad0: u32;
  private _pad1: u64;
  private _pad2: u64;

  /** Ring of a mode (VM_EVENT_MODE_*). */
  @inline static of(d: Domain, mode: u32): VmEventRing {
    return changetype<VmEventRing>(changetype<usize>(d) + DOMAIN_EVENTS_OFFSET + ((<usize>mode - 1) << 6));
  }

  @inline get isEnabled(): bool {
    return this.mfn != 0;
  }

  @inline acquire(): void {
    Lock.acquire(changetype<usize>(this));
  }

  @inline release(): void {
    Lock.release(changetype<usize>(this));
  }

  /** Host address of the shared page. */
  @inline get page(): usize {
    return Frame.host(this.mfn);
  }

  /** Host address of the entry that index `index` falls on. */
  @inline entry(index: u32): usize {
    return this.page + RING_ENTRIES + <usize>(index % RING_SLOTS) * VM_EVENT_SIZE;
  }

  /** Slots in use: all, or fewer in a small race. */
  @inline static get slots(): u32 {
    const few = Knobs.get(KNOB_EVENT_SLOTS);
    return few == 0 ? RING_SLOTS : few;
  }

  /** Requests that are on the ring or being worked on: never more than RING_SLOTS. */
  @inline get outstanding(): u32 {
    return this.reqProd - this.rspCons;
  }

  /** Slots that nobody has and nobody claimed. */
  @inline get available(): u32 {
    return VmEventRing.slots - this.outstanding - this.targetProducers - this.foreignProducers;
  }

  /** Responses that wait, as the listener says. Not to be believed beyond `outstanding`. */
  @inline get responses(): u32 {
    return load<u32>(this.page, RING_RSP_PROD) - this.rspCons;
  }

  /** VPF_* bit of vCPUs that are stopped because this mode's ring is nearly full. */
  static pauseFlag(mode: u32): u32 {
    switch (mode) {
      case VM_EVENT_MODE_PAGING:
        return VPF_MEM_PAGING;
      case VM_EVENT_MODE_MONITOR:
        return VPF_MEM_ACCESS;
      case VM_EVENT_MODE_SHARING:
        return VPF_MEM_SHARING;
      default:
        return 0;
    }
  }
}

if (offsetof<VmEventRing>() != 64) ERROR("a ring is 64 bytes");
if (offsetof<VmEventRing>("lock") != 0) ERROR("the lock is the ring's address");

/** Whether a helper listens on this mode's ring of `d`. */
export function vmEventHasRing(d: Domain, mode: u32): bool {
  return VmEventRing.of(d, mode).isEnabled;
}
