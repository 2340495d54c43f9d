/**
 * Counts in headers: a word for every frame of the I/O window, as the frame table has one for every frame of RAM. One access finds a record;
 * the whole array is paid for with the first mapping, and a frame outside the window cannot be counted.
 */
import { CTR_IO_COUNT_STEPS } from "../../../abi/counters";
import { ENOMEM, OK } from "../../../abi/errno";
import { Count } from "../../../base/counters";
import { allocExtent } from "../../../mem/allocator";
import { FRAME_XEN_HEAP, Frame, OWNER_XEN } from "../../../mem/frame-table";
import { IoState } from "../io-state";
import { IoRecord } from "./record";

/** The window: from below the devices under 4 GiB on, 2^20 frames. */
const FIRST: u64 = 0xe_0000;
const FRAMES: u64 = 0x10_0000;
/** 4 bytes each: 2^10 frames of memory. */
const ORDER: u32 = 10;

export class HeaderCounts {
  @inline private static at(mfn: u64): usize {
    return Frame.host(IoState.get().countRoot) + <usize>((mfn - FIRST) << 2);
  }

  @inline private static isInside(mfn: u64): bool {
    return IoState.get().countRoot != 0 && mfn - FIRST < FRAMES;
  }

  static get(mfn: u64): u32 {
    Count.one(CTR_IO_COUNT_STEPS);
    return HeaderCounts.isInside(mfn) ? load<u32>(HeaderCounts.at(mfn)) : 0;
  }

  static set(mfn: u64, record: u32): i32 {
    const io = IoState.get();
    if (mfn - FIRST >= FRAMES) return -ENOMEM;
    if (io.countRoot == 0) io.countRoot = allocExtent(OWNER_XEN, FRAME_XEN_HEAP, ORDER);
    if (io.countRoot == 0) return -ENOMEM;
    Count.one(CTR_IO_COUNT_STEPS);
    store<u32>(HeaderCounts.at(mfn), record);
    return OK;
  }

  /** Some frame of first..last that matches (record.ts), as number + 1; 0 = none. */
  static search(first: u64, last: u64, holder: u32, isOther: bool): u64 {
    if (IoState.get().countRoot == 0 || last < FIRST || first >= FIRST + FRAMES) return 0;
    const end = min<u64>(last, FIRST + FRAMES - 1);
    for (let mfn = max<u64>(first, FIRST); mfn <= end; mfn++) {
      Count.one(CTR_IO_COUNT_STEPS);
      if (IoRecord.matches(load<u32>(HeaderCounts.at(mfn)), holder, isOther)) return mfn + 1;
    }
    return 0;
  }

  /** Bytes of machine memory that the counts take. */
  static bytes(): u32 {
    return IoState.get().countRoot == 0 ? 0 : (<u32>FRAMES) << 2;
  }
}
