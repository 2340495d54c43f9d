/**
 * Frames of device memory that nobody may write, whoever they are mapped for (Xen's mmio_ro_ranges; spec 01 section 1.6, case a).
 * Writes of a guest to such a page are dropped (exits/on-ept-violation.ts).
 *
 * Here it is the page of the HPET, as in Xen when the firmware says that the timer has a page of its own: who may read the clock need
 * not be able to stop it.
 */
import { Machine } from "../../base/machine";
import { Frame } from "../../mem/frame-table";
import { RANGES_UNLIMITED, Rangeset } from "../iocap/rangeset";

const HPET_FRAME: u64 = 0xfed00;

/** None of 2^order frames is in a set. */
export const MMIO_RO_NONE: u32 = 0;
export const MMIO_RO_ALL: u32 = 1;
export const MMIO_RO_SOME: u32 = 2;

export class MmioRo {
  /** Once, when the machine is born. */
  static init(): void {
    const set = Rangeset.create(RANGES_UNLIMITED);
    Machine.get().mmioRoRanges = set;
    if (set != 0) Rangeset.add(set, HPET_FRAME, HPET_FRAME);
  }

  @inline static contains(mfn: u32): bool {
    return MmioRo.state(mfn, 0) == MMIO_RO_ALL;
  }

  /** Whether all, some or none of the frames from `mfn` on are read-only. RAM never is: one compare says so. */
  static state(mfn: u32, order: u32): u32 {
    const set = Machine.get().mmioRoRanges;
    const last = <u64>mfn + ((<u64>1) << order) - 1;
    if (set == 0 || (last <= 0xffff_ffff && Frame.isValid(<u32>last))) return MMIO_RO_NONE;
    if (!Rangeset.overlaps(set, mfn, last)) return MMIO_RO_NONE;
    return Rangeset.contains(set, mfn, last) ? MMIO_RO_ALL : MMIO_RO_SOME;
  }
}
