/**
 * The EPT walk: guest-physical address -> machine frame, in four real levels of real entries (SDM 3C, 28.3).
 *
 * Before: hw/guest-walk.ts or, with paging off, hw/translate.ts. After: the TLB, or an EPT violation or misconfiguration.
 * The common path, four levels of readable and writable pages, is unrolled by hand; everything else takes the general walk, which
 * also says what is wrong.
 */
import { CTR_EPT_WALK_STEPS, CTR_EPT_WALKS } from "../abi/counters";
import { FRAMES_BASE } from "../abi/layout";
import { Count } from "../base/counters";
import { EPTE_EMT_MASK, EPTE_LEAF, EPTE_MFN_MASK, EPTE_RWX } from "../base/epte";
import { Machine } from "../base/machine";

// The result of a walk:
//   63         51..12          11            9..8                2..0
//   misconfig  machine frame   large leaf    entries read - 1    X W R allowed by every level, 000 = not present
export const EPT_MISCONFIG: u64 = (<u64>1) << 63;
export const EPT_LARGE: u64 = 0x800;
export const EPT_STEPS_SHIFT: u64 = 8;

/** What no pointer to a table may have: memory type, iPAT and leaf bit. */
const TABLE_RESERVED: u64 = 0xf8;
const READ_WRITE: u64 = 3;

/** Bit `emt << 3 | xwr` is set when such a leaf is legal and present: EMT 0 1 4 5 6; rights R, RW, X, RX, RWX. */
const LEAF_LEGAL: u64 = 0x00ba_baba_0000_baba;

const OFFSET_1G: u64 = 0x3fff_f000;
const OFFSET_2M: u64 = 0x001f_f000;

export class Ept {
  /**
   * Walks the tables under the frame `root`. `gpa` has at most 48 bits. Without side effects, counters included.
   *
   * On the way down each entry is only kept from leading out of the machine; whether all of them were pointers with R and W is
   * decided once, at the end. If one was not, what was read below it means nothing, and the general walk starts again. The bits
   * that software keeps in an entry (type, access, suppressed #VE) mean nothing here.
   */
  @inline static walk(root: u32, gpa: u64): u64 {
    const limit = (<u64>Machine.get().frameCount) << 12;
    const e4 = load<u64>(((<usize>root) << 12) + <usize>((gpa >> 36) & 0xff8), FRAMES_BASE);
    const t3 = e4 & EPTE_MFN_MASK;
    if (t3 >= limit) return Ept.walkAny(root, gpa);
    const e3 = load<u64>(<usize>t3 + <usize>((gpa >> 27) & 0xff8), FRAMES_BASE);
    const t2 = e3 & EPTE_MFN_MASK;
    if (t2 >= limit) return Ept.walkAny(root, gpa);
    const e2 = load<u64>(<usize>t2 + <usize>((gpa >> 18) & 0xff8), FRAMES_BASE);
    const t1 = e2 & EPTE_MFN_MASK;
    if (t1 >= limit) return Ept.walkAny(root, gpa);
    const e1 = load<u64>(<usize>t1 + <usize>((gpa >> 9) & 0xff8), FRAMES_BASE);
    const rights = e4 & e3 & e2;
    const wrong = ((e4 | e3 | e2) & TABLE_RESERVED) | (~rights & READ_WRITE) | (~(LEAF_LEGAL >> (e1 & 63)) & 1);
    if (wrong != 0) return Ept.walkAny(root, gpa);
    return (e1 & EPTE_MFN_MASK) | (3 << EPT_STEPS_SHIFT) | (rights & e1 & EPTE_RWX);
  }

  /** The same walk, counted: for everything that the guest does. */
  @inline static counted(root: u32, gpa: u64): u64 {
    const result = Ept.walk(root, gpa);
    Count.one(CTR_EPT_WALKS);
    Count.add(CTR_EPT_WALK_STEPS, 1 + ((result >> EPT_STEPS_SHIFT) & 3));
    return result;
  }

  /** The same walk with every rule spelled out: large leaves, missing rights, entries that are not present or not legal. */
  @inline static walkAny(root: u32, gpa: u64): u64 {
    return Ept.walkMasked(root, gpa, 0xffff_ffff_ffff_ffff);
  }

  /**
   * As software sees it, which has no use for memory types: an entry whose type is invalid, because it waits for a
   * recalculation, leads on all the same.
   */
  @inline static peek(root: u32, gpa: u64): u64 {
    return Ept.walkMasked(root, gpa, ~EPTE_EMT_MASK);
  }

  /** @param keep bits of each entry that count. */
  private static walkMasked(root: u32, gpa: u64, keep: u64): u64 {
    if (gpa >> 48) return 0; // beyond what four levels reach: like an entry that is not present
    const frameCount = <u64>Machine.get().frameCount;
    let rights: u64 = EPTE_RWX;
    let table: usize = (<usize>root) << 12;
    let shift: u64 = 39;
    let steps: u64 = 0;
    while (true) {
      const e = load<u64>(table + <usize>((gpa >> (shift - 3)) & 0xff8), FRAMES_BASE) & keep;
      const so = steps << EPT_STEPS_SHIFT;
      rights &= e;
      if ((e & EPTE_RWX) == 0) return so;
      if ((e & 3) == 2) return so | EPT_MISCONFIG; // writable but not readable
      const isLarge = shift != 12 && (e & EPTE_LEAF) != 0;
      if (shift == 12 || isLarge) {
        if (shift == 39) return so | EPT_MISCONFIG;
        if (((LEAF_LEGAL >> (e & 63)) & 1) == 0) return so | EPT_MISCONFIG;
        const result = (e & EPTE_MFN_MASK) | so | rights;
        if (!isLarge) return result;
        const offset = shift == 30 ? OFFSET_1G : OFFSET_2M;
        if (e & offset) return so | EPT_MISCONFIG;
        return result | EPT_LARGE | (gpa & offset);
      }
      if ((e & 0x78) != 0 || (e & EPTE_MFN_MASK) >> 12 >= frameCount) return so | EPT_MISCONFIG;
      table = <usize>(<u32>e & 0xffff_f000);
      shift -= 9;
      steps++;
    }
  }
}
