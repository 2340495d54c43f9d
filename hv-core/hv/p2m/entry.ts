/**
 * Makes and stores EPT entries: leaf, table and empty (spec 01 section 1.3). Bit layout: abi/ept.ts; readers: base/epte.ts.
 * Next: p2m/set.ts, p2m/resolve.ts.
 */
import { CTR_P2M_SETS } from "../../abi/counters";
import { EMT_INVALID, EPTE_ACCESS_SHIFT, EPTE_EMT_SHIFT, EPTE_MFN_SHIFT, EPTE_TYPE_SHIFT } from "../../abi/ept";
import { KNOB_EPT_NX_SUPERPAGES } from "../../abi/knobs";
import { P2M_ACCESS_RWX, P2M_INVALID, P2M_MMIO_DIRECT, P2M_RAM_LOGDIRTY } from "../../abi/p2m-types";
import { TRC_P2M_SET } from "../../abi/trace-events";
import { Count } from "../../base/counters";
import {
  EPTE_A,
  EPTE_D,
  EPTE_EMT_MASK,
  EPTE_IPAT,
  EPTE_LEAF,
  EPTE_MFN_MASK,
  EPTE_RWX,
  EPTE_SVE,
  EPTE_TYPE_MASK,
  EPTE_W,
  EPTE_X,
  Epte,
} from "../../base/epte";
import { Knobs } from "../../base/machine";
import { TRACE_NO_VCPU, Trace } from "../../base/trace";
import { Watch } from "../../base/watch";
import { Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { EMT_IGNORES_PAT, EMT_MIXED, MemoryType } from "./memory-type";
import { MmioRo } from "./mmio-ro";
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

  /** What the hardware may do with a page of this type and access, at this level (1.1, 1.2). */
  static rights(d: Domain, level: u32, type: u32, access: u32, mfn: u32): u64 {
    let rights = P2mType.permissions(type, d.p2mIoreqFlags) & P2mType.accessMask(access);
    if (type == <u32>P2M_MMIO_DIRECT && MmioRo.contains(mfn)) rights &= ~EPTE_W;
    return level > 1 && Knobs.get(KNOB_EPT_NX_SUPERPAGES) != 0 ? rights & ~EPTE_X : rights;
  }

  /** R, W, X, and the accessed and dirty bits that go with them: set in advance, but not where dirtiness is tracked. */
  private static flags(d: Domain, level: u32, type: u32, access: u32, mfn: u32): u64 {
    const rights = P2mEntry.rights(d, level, type, access, mfn);
    if (rights == 0) return 0;
    return (rights & EPTE_W) != 0 && type != <u32>P2M_RAM_LOGDIRTY ? rights | EPTE_A | EPTE_D : rights | EPTE_A;
  }

  /**
   * A leaf at `level` (1 = 4 KiB, 2 = 2 MiB, 3 = 1 GiB). Without a frame, and a type that needs one, the slot becomes empty.
   * A memory type that is not the same for the whole superpage is stored as invalid: the first touch splits it.
   */
  static leaf(d: Domain, gfn: u64, mfn: u32, level: u32, type: u32, access: u32, suppressVe: u64): u64 {
    if (mfn == INVALID_MFN && !P2mType.allowsInvalidMfn(type)) return suppressVe;
    const entry: u64 =
      suppressVe |
      ((<u64>type) << EPTE_TYPE_SHIFT) |
      ((<u64>access) << EPTE_ACCESS_SHIFT) |
      (level > 1 ? EPTE_LEAF : 0) |
      ((mfn == INVALID_MFN ? EPTE_MFN_MASK : (<u64>mfn) << EPTE_MFN_SHIFT) & EPTE_MFN_MASK);
    const flags = P2mEntry.flags(d, level, type, access, mfn);
    if (flags == 0) return entry;
    return P2mEntry.withMemoryType(entry | flags, MemoryType.of(d, gfn, mfn, 9 * (level - 1), type));
  }

  /** The entry with another memory type (p2m/memory-type.ts). */
  static withMemoryType(entry: u64, type: u32): u64 {
    const clean = entry & ~(EPTE_EMT_MASK | EPTE_IPAT);
    if (type == EMT_MIXED) return clean | ((<u64>EMT_INVALID) << EPTE_EMT_SHIFT);
    return clean | ((<u64>(type & 7)) << EPTE_EMT_SHIFT) | ((type & EMT_IGNORES_PAT) != 0 ? EPTE_IPAT : 0);
  }

  /** The entry with another p2m type, and the rights that go with it. */
  static withType(d: Domain, entry: u64, level: u32, type: u32): u64 {
    const clean = entry & ~(EPTE_TYPE_MASK | EPTE_RWX | EPTE_A | EPTE_D);
    return (
      clean | ((<u64>type) << EPTE_TYPE_SHIFT) | P2mEntry.flags(d, level, type, Epte.access(entry), Epte.mfn(entry))
    );
  }

  @inline static read(table: u32, index: u32): u64 {
    return load<u64>(Frame.host(table) + ((<usize>index) << 3));
  }

  /** One 64-bit store: this is the moment the hardware sees the change. */
  static write(d: Domain, table: u32, index: u32, entry: u64, gfn: u64, order: u32): void {
    store<u64>(Frame.host(table) + ((<usize>index) << 3), entry);
    Count.one(CTR_P2M_SETS);
    Watch.p2m(d.domid, gfn, order);
    Trace.event(TRC_P2M_SET, TRACE_NO_VCPU, d.domid, gfn | ((<u64>order) << 48), entry);
  }

  /** Index in the table of `level` (4 = PML4) for a gfn. */
  @inline static index(gfn: u64, level: u32): u32 {
    return <u32>(gfn >> (9 * (level - 1))) & 511;
  }
}
