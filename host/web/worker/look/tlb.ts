/** TLBs of all vCPUs, each entry compared with what the guest's page tables and the p2m say now. */
import { translateGpa, translateGva, vcpuNamer, walk } from "../../../lib/inspect.ts";
import type { TlbEntryView } from "../../../lib/tlb-view.ts";
import { judgeEntry, type Staleness } from "../../model/tlb-stale.ts";
import type { Session } from "../session.ts";

export interface TlbRow extends TlbEntryView {
  readonly staleness: Staleness;
}

export interface TlbLook {
  readonly slot: number;
  readonly name: string;
  /** Places for entries (knob tlb.entries). */
  readonly size: number;
  readonly entries: readonly TlbRow[];
}

export function readTlbs({ machine, domid }: Session): TlbLook[] {
  const { core } = machine;
  const name = vcpuNamer(core);
  const walked = (slot: number, page: bigint) => {
    const gpa = translateGva(core, slot, page);
    if (gpa === undefined) return undefined;
    const mfn = translateGpa(core, domid, gpa);
    return mfn < 0 ? undefined : { mfn, rights: walk(core, domid, gpa).at(-1)!.decoded.rights };
  };
  return machine.vcpus(domid).map((slot) => ({
    slot,
    name: name(slot),
    size: machine.knobs["tlb.entries"] ?? 0,
    entries: machine.tlb(slot).map((entry) => ({
      ...entry,
      staleness: judgeEntry(entry, walked(slot, entry.page)),
    })),
  }));
}
