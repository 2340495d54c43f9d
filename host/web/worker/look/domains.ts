/** All domains, the frames that several of them show, and who owns which I/O. */
import { visitPages } from "../../../lib/dedup/pages.ts";
import { liveDomains, sharedPagesOf, shutdownCode } from "../../../lib/domains.ts";
import { DOM0 } from "../../../lib/ids.ts";
import { vcpuSlots } from "../../../lib/inspect.ts";
import { type OwnershipRow, ownershipMap } from "../../../lib/iocap/ownership.ts";
import type { Session } from "../session.ts";

export interface DomainLook {
  readonly domid: number;
  readonly vcpus: number;
  /** Pages that its p2m shows. */
  readonly pages: number;
  readonly shared: number;
  readonly state: "runs" | "has ended";
}

/** A machine frame that more than one gfn shows: shared, or mapped from another domain. */
export interface SharedFrame {
  readonly mfn: number;
  readonly places: readonly { readonly domid: number; readonly gfn: number }[];
}

export interface DomainsLook {
  readonly domains: readonly DomainLook[];
  readonly frames: readonly SharedFrame[];
  /** How many frames there are; `frames` has the first of them. */
  readonly frameCount: number;
  readonly ownership: readonly OwnershipRow[];
}

const MOST_FRAMES = 256;

export function readDomains({ machine }: Session): DomainsLook {
  const { core } = machine;
  const ids = [DOM0, ...liveDomains(core)];
  const first = new Map<number, number>();
  const places = new Map<number, { domid: number; gfn: number }[]>();
  const domains = ids.map((domid): DomainLook => {
    let pages = 0;
    visitPages(core, domid, (gfn, mfn) => {
      pages++;
      const place = domid * 2 ** 40 + gfn;
      const before = first.get(mfn);
      if (before === undefined) first.set(mfn, place);
      else {
        const list = places.get(mfn) ?? [{ domid: Math.floor(before / 2 ** 40), gfn: before % 2 ** 40 }];
        list.push({ domid, gfn });
        places.set(mfn, list);
      }
    });
    const state = shutdownCode(core, domid) === undefined ? "runs" : "has ended";
    return { domid, vcpus: vcpuSlots(core, domid).length, pages, shared: sharedPagesOf(core, domid), state };
  });
  const frames = [...places].map(([mfn, list]) => ({ mfn, places: list })).sort((a, b) => a.mfn - b.mfn);
  const ownership = ownershipMap(core, (machine.knobs["iomem.account"] ?? 0) !== 0);
  return { domains, frames: frames.slice(0, MOST_FRAMES), frameCount: frames.length, ownership };
}
