/**
 * The balance of shared frames at the end of a race: a frame that belongs to dom_cow has a type reference for each entry of type
 * ram_shared that names it, in whatever domain, and a general reference for each of these beside the first one (hv/sharing/page-state.ts).
 */
import type { Core } from "../core.ts";
import { liveDomains } from "../domains.ts";
import { DOM0 } from "../ids.ts";
import { readP2m } from "../p2m-map.ts";

/** Entries of type ram_shared that name a frame, over all living domains. */
export function sharedEntries(core: Core): ReadonlyMap<number, number> {
  const entries = new Map<number, number>();
  for (const domid of [DOM0, ...liveDomains(core)])
    for (const range of readP2m(core, domid)?.ranges ?? [])
      if (range.type === "ram_shared")
        for (let i = 0; i < range.pages; i++) entries.set(range.mfn + i, (entries.get(range.mfn + i) ?? 0) + 1);
  return entries;
}

export interface FrameCounts {
  readonly refs: number;
  readonly types: number;
  /** The reference that stands for being allocated exists. */
  readonly isAllocated: boolean;
  /** References by others that can be named, mappings by another domain for instance. */
  readonly held: number;
}

/** @returns what is wrong with the counts of a frame of dom_cow, as a sentence. */
export function checkSharedFrame(
  mfn: number,
  counts: FrameCounts,
  entries: ReadonlyMap<number, number>,
): string | undefined {
  const sharers = entries.get(mfn) ?? 0;
  if (sharers === 0) return `frame ${mfn} is shared, and no domain has it`;
  if (counts.types !== sharers)
    return `frame ${mfn} is shared by ${sharers} page(s), and has ${counts.types} type reference(s)`;
  const expected = sharers + (counts.isAllocated ? 1 : 0) + counts.held;
  return counts.refs === expected
    ? undefined
    : `shared frame ${mfn} has ${counts.refs} reference(s), and ${expected} can be accounted for`;
}

/** An entry of type ram_shared may name only a frame of dom_cow. @param isCow whether a frame is one. */
export function checkEntries(
  entries: ReadonlyMap<number, number>,
  isCow: (mfn: number) => boolean,
): string | undefined {
  for (const mfn of entries.keys())
    if (!isCow(mfn)) return `a page of type ram_shared names frame ${mfn}, which is not shared`;
  return undefined;
}
