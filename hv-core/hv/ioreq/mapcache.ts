/**
 * A page went out of a guest's memory map: before a vCPU enters the guest again, device models drop their mappings of it
 * (broadcast.ts sends INVALIDATE and waits). Each vCPU has a flag of its own, set when the page is gone.
 */
import { INVALIDATE_DOMAIN_FLAG, KNOB_INVALIDATE } from "../../abi/knobs";
import { W_FLAG_BEFORE_REMOVAL } from "../../abi/windows";
import { Variant } from "../../base/variant";
import { ACCESS_WRITE, Window } from "../../base/window";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";

export class Mapcache {
  /** Variant C-9: there is one flag for the domain (that of its first vCPU). */
  @inline private static holder(v: Vcpu): Vcpu {
    return Variant.is(KNOB_INVALIDATE, INVALIDATE_DOMAIN_FLAG) ? Vcpu.at(v.domain.firstVcpu) : v;
  }

  @inline static isDue(v: Vcpu): bool {
    return Mapcache.holder(v).mapcacheInvalidate != 0;
  }

  static clear(v: Vcpu): void {
    Mapcache.holder(v).mapcacheInvalidate = 0;
  }

  /** The page is about to go. Before 588d961d15 the flag was set here, where somebody else could take it too early. */
  static pageGoes(d: Domain): void {
    if (!Variant.is(KNOB_INVALIDATE, INVALIDATE_DOMAIN_FLAG) || d.vcpuCount == 0) return;
    Vcpu.at(d.firstVcpu).mapcacheInvalidate = 1;
    Window.at(W_FLAG_BEFORE_REMOVAL, changetype<usize>(d), ACCESS_WRITE);
  }

  /** The page is gone. */
  static pageGone(d: Domain): void {
    if (Variant.is(KNOB_INVALIDATE, INVALIDATE_DOMAIN_FLAG)) return;
    for (let id: u32 = 0; id < d.vcpuCount; id++) Vcpu.at(d.firstVcpu + id).mapcacheInvalidate = 1;
  }
}
