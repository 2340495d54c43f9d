/**
 * The memory type that an EPT entry gets (spec 01 section 1.6, "EMT computation"): what the guest's MTRRs say counts only for a
 * domain that may reach real I/O; all others get write-back memory whatever they ask for.
 *
 * Before: p2m/entry.ts, p2m/resolve.ts. The machine's own MTRRs call everything write-back, so case (g) comes out as the guest's type.
 */
import { EMT_UC, EMT_WB, EMT_WT } from "../../abi/ept";
import { P2M_GRANT_MAP_RO, P2M_GRANT_MAP_RW, P2M_MAP_FOREIGN, P2M_MMIO_DIRECT } from "../../abi/p2m-types";
import { FRAME_EXTRA, FRAME_XEN_HEAP, Frame } from "../../mem/frame-table";
import { Domain } from "../domain";
import { storedMsr } from "../exits/stored-msrs";
import { Rangeset } from "../iocap/rangeset";
import { Vcpu } from "../vcpu";
import { MMIO_RO_ALL, MMIO_RO_NONE, MmioRo } from "./mmio-ro";
import { PINNED_MIXED, PINNED_NONE, pinnedType } from "./pinned";

/** Added to the type: the guest's PAT has no say. */
export const EMT_IGNORES_PAT: u32 = 8;
/** Not the same for all pages of the range: store an invalid type, split later. */
export const EMT_MIXED: u32 = 16;

const WRITE_BACK: u32 = EMT_WB | EMT_IGNORES_PAT;

const MTRR_ENABLED: u64 = 0x800;
const MTRR_FIXED_ENABLED: u64 = 0x400;
const MTRR_VALID: u64 = 0x800;
const MTRR_ADDRESS: u64 = 0x000f_ffff_ffff_f000;
const VARIABLE_MTRRS: u32 = 8;
const FIXED_END: u64 = 0x10_0000;

function isEmpty(head: u32): bool {
  return head == 0 || Rangeset.count(head) == 0;
}

export class MemoryType {
  /** The domain may reach some real MMIO or port: only then do memory types matter. */
  @inline static matters(d: Domain): bool {
    return !isEmpty(d.iomemCaps) || !isEmpty(d.ioportCaps);
  }

  /** EMT_* of 2^order pages, with EMT_IGNORES_PAT; or EMT_MIXED. */
  @inline static of(d: Domain, gfn: u64, mfn: u32, order: u32, type: u32): u32 {
    const readOnly = MmioRo.state(mfn, order);
    if (readOnly != MMIO_RO_NONE) return readOnly == MMIO_RO_ALL ? EMT_UC | EMT_IGNORES_PAT : EMT_MIXED;
    if (type != <u32>P2M_MMIO_DIRECT && !MemoryType.matters(d)) return WRITE_BACK;
    return general(d, gfn, mfn, order, type);
  }
}

function general(d: Domain, gfn: u64, mfn: u32, order: u32, type: u32): u32 {
  const special = specialFrames(mfn, order);
  if (special == (<u32>1) << order) return WRITE_BACK;
  if (special != 0) return EMT_MIXED;
  const pinned = type == <u32>P2M_MMIO_DIRECT ? PINNED_NONE : pinnedType(d, gfn, order);
  if (pinned == PINNED_MIXED) return EMT_MIXED;
  if (pinned != PINNED_NONE) return <u32>pinned | EMT_IGNORES_PAT;
  switch (type) {
    case P2M_MMIO_DIRECT:
      return EMT_UC;
    case P2M_GRANT_MAP_RW:
    case P2M_GRANT_MAP_RO:
    case P2M_MAP_FOREIGN:
      return WRITE_BACK;
    default:
      return d.vcpuCount == 0 ? EMT_WB : guestType(Vcpu.at(d.firstVcpu), gfn << 12, order);
  }
}

/** How many of 2^order frames are the hypervisor's own. */
function specialFrames(mfn: u32, order: u32): u32 {
  let count: u32 = 0;
  const size: u32 = 1 << order;
  for (let i: u32 = 0; i < size; i++) {
    if (!Frame.isValid(<u64>mfn + i)) break;
    if ((Frame.at(mfn + i).flags & (FRAME_XEN_HEAP | FRAME_EXTRA)) != 0) count++;
  }
  return count;
}

function variable(v: Vcpu, index: u32): u64 {
  return load<u64>(storedMsr(v, 0x200 + index));
}

/** The guest may store anything in an MTRR: what is no type counts as uncached. */
function legal(type: u32): u32 {
  type &= 7;
  return type == 2 || type == 3 || type == 7 ? EMT_UC : type;
}

/** What the guest's MTRRs say about 2^order pages (SDM 3A, 11.11). */
function guestType(v: Vcpu, gpa: u64, order: u32): u32 {
  const def = v.msrMtrrDefType;
  if ((def & MTRR_ENABLED) == 0) return EMT_UC;
  if (gpa < FIXED_END && (def & MTRR_FIXED_ENABLED) != 0) return order == 0 ? fixedType(v, <u32>gpa) : EMT_MIXED;
  const offsets = ((<u64>4096) << order) - 1;
  let seen: u32 = 0; // bit n = type n applies
  for (let i: u32 = 0; i < VARIABLE_MTRRS; i++) {
    const base = variable(v, 2 * i);
    const maskMsr = variable(v, 2 * i + 1);
    if ((maskMsr & MTRR_VALID) == 0) continue;
    const mask = maskMsr & MTRR_ADDRESS;
    if (((gpa ^ base) & mask & ~offsets) != 0) continue;
    if ((mask & offsets & MTRR_ADDRESS) != 0) return EMT_MIXED; // only part of the range
    seen |= (<u32>1) << (<u32>base & 7);
  }
  if (seen == 0) return legal(<u32>def);
  if (popcnt<u32>(seen) == 1) return legal(ctz<u32>(seen));
  return seen == (((<u32>1) << EMT_WB) | ((<u32>1) << EMT_WT)) ? EMT_WT : EMT_UC;
}

/** The first MiB: 8 ranges of 64 KiB, 16 of 16 KiB, 64 of 4 KiB, a byte each. */
function fixedType(v: Vcpu, gpa: u32): u32 {
  let msr: u32 = 0x250;
  let byte = gpa >> 16;
  if (gpa >= 0xc_0000) {
    msr = 0x268 + ((gpa - 0xc_0000) >> 15);
    byte = (gpa >> 12) & 7;
  } else if (gpa >= 0x8_0000) {
    msr = 0x258 + ((gpa - 0x8_0000) >> 17);
    byte = (gpa >> 14) & 7;
  }
  return legal(<u32>(load<u64>(storedMsr(v, msr)) >> (byte << 3)));
}
