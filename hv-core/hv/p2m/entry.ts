/**
 * Makes EPT entries: leaf, table and empty (spec 01 section 1.3). Bit layout: abi/ept.ts; readers: base/epte.ts.
 * Next: p2m/set.ts stores them.
 */
import { EMT_UC, EMT_WB, EPTE_ACCESS_SHIFT, EPTE_EMT_SHIFT, EPTE_MFN_SHIFT, EPTE_TYPE_SHIFT } from "../../abi/ept";
import { P2M_ACCESS_RWX, P2M_INVALID, P2M_MMIO_DIRECT, P2M_RAM_LOGDIRTY } from "../../abi/p2m-types";
import { EPTE_A, EPTE_D, EPTE_IPAT, EPTE_LEAF, EPTE_MFN_MASK, EPTE_RWX, EPTE_SVE, EPTE_W } from "../../base/epte";
import { Frame } from "../../mem/frame-table";
import { P2mType } from "./types";

export const INVALID_MFN: u32 = 0xffff_ffff;

/** What every slot of a new table holds: nothing, with #VE suppressed. */
export const EMPTY_ENTRY: u64 = EPTE_SVE;

export class P2mEntry {
  /** A table slot is in use: something was stored there, also when no right is given. */
  @inline static isValid(entry: u64): bool {
    return (entry & ~EPTE_SVE) != 0 && (<u32>(entry >> EPTE_TYPE_SHIFT) & 63) != <u32>P2M_INVALID;
  }

  /** An upper-level entry that points at a table. */
  static table(mfn: u32): u64 {
    return EPTE_RWX | EPTE_A | ((<u64>mfn) << EPTE_MFN_SHIFT) | ((<u64>P2M_ACCESS_RWX) << EPTE_ACCESS_SHIFT) | EPTE_SVE;
  }

  /**
   * A leaf at `level` (1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB). Without a frame, and a type that needs one, the slot becomes empty.
   * Memory type: direct MMIO uncached, everything else write-back with the guest's PAT ignored (1.6, case b).
   */
  static leaf(mfn: u32, level: u32, type: u32, access: u32, ioreqFlags: u32, suppressVe: u64): u64 {
    if (mfn == INVALID_MFN && !P2mType.allowsInvalidMfn(type)) return suppressVe;
    let entry: u64 =
      suppressVe |
      ((<u64>type) << EPTE_TYPE_SHIFT) |
      ((<u64>access) << EPTE_ACCESS_SHIFT) |
      (level > 1 ? EPTE_LEAF : 0);
    entry |= ((<u64>mfn) << EPTE_MFN_SHIFT) & EPTE_MFN_MASK;
    const rights = P2mType.permissions(type, ioreqFlags) & P2mType.accessMask(access);
    if (rights == 0) return entry;
    entry |= rights | EPTE_A;
    if ((rights & EPTE_W) != 0 && type != <u32>P2M_RAM_LOGDIRTY) entry |= EPTE_D;
    entry |=
      type == <u32>P2M_MMIO_DIRECT ? (<u64>EMT_UC) << EPTE_EMT_SHIFT : ((<u64>EMT_WB) << EPTE_EMT_SHIFT) | EPTE_IPAT;
    return entry;
  }

  @inline static read(table: u32, index: u32): u64 {
    return load<u64>(Frame.host(table) + ((<usize>index) << 3));
  }

  /** Index in the table of `level` (4 = PML4) for a gfn. */
  @inline static index(gfn: u64, level: u32): u32 {
    return <u32>(gfn >> (9 * (level - 1))) & 511;
  }
}
