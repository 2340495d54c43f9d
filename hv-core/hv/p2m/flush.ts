/**
 * A changed EPT entry must leave every TLB that may hold it: one message to each of the domain's processors and one
 * acknowledgement from each (counted; in a machine where they take turns both happen here).
 */
import { CTR_P2M_FLUSHES, CTR_SHOOTDOWNS_ACKED, CTR_SHOOTDOWNS_SENT } from "../../abi/counters";
import { IO_RACE_NO_IOTLB, KNOB_IO_IOMMU, KNOB_IO_RACE } from "../../abi/knobs";
import { Count } from "../../base/counters";
import { Knobs } from "../../base/machine";
import { Variant } from "../../base/variant";
import { Dma } from "../../hw/dma";
import { Tlb } from "../../hw/tlb";
import { Domain } from "../domain";
import { Vcpu } from "../vcpu";

export function p2mFlush(d: Domain): void {
  Count.one(CTR_P2M_FLUSHES);
  for (let id: u32 = 0; id < d.vcpuCount; id++) {
    const v = Vcpu.at(d.firstVcpu + id);
    if (v.initialised == 0) continue; // it never ran, so it has nothing cached
    Count.one(CTR_SHOOTDOWNS_SENT);
    Tlb.flushAll(v.cpu);
    Count.one(CTR_SHOOTDOWNS_ACKED);
  }
  // Devices of the domain translate with the same tables, and cache what they found.
  if (Knobs.get(KNOB_IO_IOMMU) != 0 && !Variant.is(KNOB_IO_RACE, IO_RACE_NO_IOTLB)) Dma.flush(d.domid);
}

/** The flush that was put off until the p2m lock is let go happens now: something is about to go back that TLBs still know. */
export function p2mFlushNow(d: Domain): void {
  if (d.p2mNeedFlush == 0) return;
  d.p2mNeedFlush = 0;
  p2mFlush(d);
}
