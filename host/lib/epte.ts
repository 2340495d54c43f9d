/** EPT entries for people: 64-bit masks derived from the bit numbers in abi/ept.ts, p2m type and access names. */
import {
  EMT_INVALID,
  EPTE_A_BIT,
  EPTE_ACCESS_SHIFT,
  EPTE_D_BIT,
  EPTE_EMT_SHIFT,
  EPTE_IPAT_BIT,
  EPTE_LEAF_BIT,
  EPTE_MFN_SHIFT,
  EPTE_R_BIT,
  EPTE_RECALC_BIT,
  EPTE_SVE_BIT,
  EPTE_TYPE_SHIFT,
  EPTE_W_BIT,
  EPTE_X_BIT,
} from "../../hv-core/abi/ept.ts";
import * as p2m from "../../hv-core/abi/p2m-types.ts";

const bit = (n: number): bigint => 1n << BigInt(n);
export const EPTE_R = bit(EPTE_R_BIT);
export const EPTE_W = bit(EPTE_W_BIT);
export const EPTE_X = bit(EPTE_X_BIT);
export const EPTE_LEAF = bit(EPTE_LEAF_BIT);
export const EPTE_IPAT = bit(EPTE_IPAT_BIT);
export const EPTE_RECALC = bit(EPTE_RECALC_BIT);
export const EPTE_MFN_MASK = 0x000f_ffff_ffff_f000n;

const TYPES = new Map<number, string>();
const ACCESSES = new Map<number, string>();
for (const [name, value] of Object.entries(p2m)) {
  if (name.startsWith("P2M_ACCESS_")) ACCESSES.set(value, name.slice("P2M_ACCESS_".length).toLowerCase());
  else if (name.startsWith("P2M_") && name !== "P2M_ALLOC" && name !== "P2M_UNSHARE")
    TYPES.set(value, name.slice(4).toLowerCase());
}
const EMTS: readonly string[] = ["UC", "WC", "2?", "3?", "WT", "WP", "WB", "invalid"];

export const p2mTypeName = (type: number): string => TYPES.get(type) ?? `type${type}`;
export const p2mAccessName = (access: number): string => ACCESSES.get(access) ?? `access${access}`;

export interface Epte {
  readonly isPresent: boolean;
  readonly mfn: number;
  /** "rwx", with "-" for a missing right. */
  readonly rights: string;
  /** The leaf bit (a 1G or 2M page); level 1 entries are leaves without it. */
  readonly leaf: boolean;
  readonly type: string;
  readonly access: string;
  readonly emt: string;
  /** Made invalid on purpose: its type is recalculated at the next misconfiguration exit. */
  readonly isInvalidated: boolean;
  readonly recalc: boolean;
  /** The guest's PAT has no say. */
  readonly ipat: boolean;
  readonly accessed: boolean;
  readonly dirty: boolean;
  readonly suppressVe: boolean;
}

export function decodeEpte(e: bigint): Epte {
  const field = (shift: number, mask: bigint): number => Number((e >> BigInt(shift)) & mask);
  const emt = field(EPTE_EMT_SHIFT, 7n);
  return {
    isPresent: (e & (EPTE_R | EPTE_W | EPTE_X)) !== 0n,
    mfn: Number((e & EPTE_MFN_MASK) >> BigInt(EPTE_MFN_SHIFT)),
    rights: `${e & EPTE_R ? "r" : "-"}${e & EPTE_W ? "w" : "-"}${e & EPTE_X ? "x" : "-"}`,
    leaf: (e & EPTE_LEAF) !== 0n,
    type: p2mTypeName(field(EPTE_TYPE_SHIFT, 63n)),
    access: p2mAccessName(field(EPTE_ACCESS_SHIFT, 15n)),
    emt: EMTS[emt] ?? "?",
    isInvalidated: emt === EMT_INVALID,
    recalc: (e & EPTE_RECALC) !== 0n,
    ipat: (e & EPTE_IPAT) !== 0n,
    accessed: (e & bit(EPTE_A_BIT)) !== 0n,
    dirty: (e & bit(EPTE_D_BIT)) !== 0n,
    suppressVe: (e & bit(EPTE_SVE_BIT)) !== 0n,
  };
}
