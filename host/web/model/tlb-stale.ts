/** Why a cached translation is not what the tables say now. Pure: the worker reads both, this compares. */

export interface Cached {
  readonly mfn: number;
  /** "rwx" as the TLB lets the supervisor. */
  readonly supervisor: string;
  readonly isBus: boolean;
}

/** What a walk would find now; undefined: no translation. */
export interface Walked {
  readonly mfn: number;
  /** "rwx" of the EPT leaf. */
  readonly rights: string;
}

export type Staleness =
  | { readonly kind: "fresh" }
  | { readonly kind: "unmapped" }
  | { readonly kind: "frame"; readonly mfn: number }
  | { readonly kind: "rights"; readonly rights: string };

/** A TLB may know less than the tables allow (it asks again), never more. Frames of the bus are refused in the TLB and always asked for. */
export function judgeEntry(cached: Cached, walked: Walked | undefined): Staleness {
  if (cached.isBus) return { kind: "fresh" };
  if (!walked) return { kind: "unmapped" };
  if (walked.mfn !== cached.mfn) return { kind: "frame", mfn: walked.mfn };
  const isMore = [...cached.supervisor].some((right, i) => right !== "-" && walked.rights[i] === "-");
  return isMore ? { kind: "rights", rights: walked.rights } : { kind: "fresh" };
}
