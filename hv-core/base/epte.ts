/** EPT entries as values: 64-bit masks derived from the bit numbers in abi/ept.ts, and readers. */
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
} from "../abi/ept";

export const EPTE_R: u64 = 1 << EPTE_R_BIT;
export const EPTE_W: u64 = 1 << EPTE_W_BIT;
export const EPTE_X: u64 = 1 << EPTE_X_BIT;
export const EPTE_RWX: u64 = 7;
export const EPTE_LEAF: u64 = 1 << EPTE_LEAF_BIT;
export const EPTE_A: u64 = 1 << EPTE_A_BIT;
export const EPTE_D: u64 = 1 << EPTE_D_BIT;
export const EPTE_IPAT: u64 = 1 << EPTE_IPAT_BIT;
export const EPTE_RECALC: u64 = 1 << EPTE_RECALC_BIT;
export const EPTE_EMT_MASK: u64 = 7 << EPTE_EMT_SHIFT;
export const EPTE_SVE: u64 = (<u64>1) << EPTE_SVE_BIT;
export const EPTE_TYPE_MASK: u64 = (<u64>63) << EPTE_TYPE_SHIFT;
export const EPTE_MFN_MASK: u64 = 0x000f_ffff_ffff_f000;

export class Epte {
  @inline static isPresent(e: u64): bool {
    return (e & EPTE_RWX) != 0;
  }

  @inline static mfn(e: u64): u32 {
    return <u32>((e & EPTE_MFN_MASK) >> EPTE_MFN_SHIFT);
  }

  @inline static emt(e: u64): u32 {
    return <u32>(e >> EPTE_EMT_SHIFT) & 7;
  }

  @inline static type(e: u64): u32 {
    return <u32>(e >> EPTE_TYPE_SHIFT) & 63;
  }

  @inline static access(e: u64): u32 {
    return <u32>(e >> EPTE_ACCESS_SHIFT) & 15;
  }

  @inline static isLeafBit(e: u64): bool {
    return (e & EPTE_LEAF) != 0;
  }

  @inline static isInvalidated(e: u64): bool {
    return Epte.emt(e) == <u32>EMT_INVALID;
  }
}
