/**
 * How often each I/O frame is mapped, and by whom: one interface over the four ways of keeping it (knob iomem.account). Knows nothing of page
 * tables. Next: account/tracker.ts decides who may map.
 */
import { EOVERFLOW, OK } from "../../../abi/errno";
import {
  ACCOUNT_HEADERS,
  ACCOUNT_RADIX,
  ACCOUNT_RANGES,
  ACCOUNT_SLAB,
  IO_RACE_LOST_COUNT,
  KNOB_IO_ACCOUNT,
  KNOB_IO_RACE,
} from "../../../abi/knobs";
import { IO_STATE_BASE } from "../../../abi/layout";
import { W_IO_COUNT_READ } from "../../../abi/windows";
import { Knobs } from "../../../base/machine";
import { Variant } from "../../../base/variant";
import { ACCESS_WRITE, Window } from "../../../base/window";
import { IoState } from "../io-state";
import { HeaderCounts } from "./counts-headers";
import { RadixCounts } from "./counts-radix";
import { RangeCounts } from "./counts-ranges";
import { SlabCounts } from "./counts-slab";
import { IoRecord, MAX_IO_COUNT } from "./record";

export class Counts {
  /** Record of a frame (record.ts), 0 = not mapped. */
  static get(mfn: u64): u32 {
    switch (Knobs.get(KNOB_IO_ACCOUNT)) {
      case ACCOUNT_HEADERS:
        return HeaderCounts.get(mfn);
      case ACCOUNT_SLAB:
        return SlabCounts.get(mfn);
      case ACCOUNT_RADIX:
        return RadixCounts.get(mfn);
      case ACCOUNT_RANGES:
        return RangeCounts.get(mfn);
      default:
        return 0;
    }
  }

  private static set(mfn: u64, record: u32): i32 {
    switch (Knobs.get(KNOB_IO_ACCOUNT)) {
      case ACCOUNT_HEADERS:
        return HeaderCounts.set(mfn, record);
      case ACCOUNT_SLAB:
        return SlabCounts.set(mfn, record);
      default:
        return RadixCounts.set(mfn, record);
    }
  }

  /**
   * One mapping more of each frame of first..last, which nobody but `holder` maps.
   * @returns OK; -ENOMEM or -EOVERFLOW (65,535 mappings of one frame): nothing has changed then.
   */
  static add(first: u64, last: u64, holder: u32): i32 {
    if (Knobs.get(KNOB_IO_ACCOUNT) == <u32>ACCOUNT_RANGES) return RangeCounts.change(first, last, holder, 1);
    let mfn = first;
    while (true) {
      const rc = Counts.raise(mfn, holder);
      if (rc != OK) {
        if (mfn != first) Counts.drop(first, mfn - 1, holder);
        return rc;
      }
      if (mfn == last) return OK;
      mfn++;
    }
  }

  private static raise(mfn: u64, holder: u32): i32 {
    const count = IoRecord.count(Counts.get(mfn));
    if (count >= MAX_IO_COUNT) return -EOVERFLOW;
    const rc = Counts.set(mfn, IoRecord.of(holder, count + 1));
    if (rc != OK) return rc;
    const io = IoState.get();
    io.countTotal++;
    if (count == 0) io.countedFrames++;
    return OK;
  }

  /**
   * One mapping fewer. Ranges may need memory to be taken apart: a count that cannot be lowered then stays, and the frames stay closed to
   * others until it can.
   */
  static drop(first: u64, last: u64, holder: u32): void {
    if (Knobs.get(KNOB_IO_ACCOUNT) == <u32>ACCOUNT_RANGES) {
      RangeCounts.change(first, last, holder, -1);
      return;
    }
    const io = IoState.get();
    for (let mfn = first; mfn <= last; mfn++) {
      const record = Counts.get(mfn);
      // Variant: the lock is not held, and somebody may map the frame between the two.
      if (Variant.is(KNOB_IO_RACE, IO_RACE_LOST_COUNT)) Window.at(W_IO_COUNT_READ, IO_STATE_BASE, ACCESS_WRITE);
      const count = IoRecord.count(record);
      if (count == 0) continue;
      Counts.set(mfn, IoRecord.of(holder, count - 1));
      io.countTotal--;
      if (count == 1) io.countedFrames--;
    }
  }

  /** Some frame of first..last that `holder` maps, or (isOther) that anybody else maps, as number + 1; 0 = none. */
  static search(first: u64, last: u64, holder: u32, isOther: bool): u64 {
    switch (Knobs.get(KNOB_IO_ACCOUNT)) {
      case ACCOUNT_HEADERS:
        return HeaderCounts.search(first, last, holder, isOther);
      case ACCOUNT_SLAB:
        return SlabCounts.search(first, last, holder, isOther);
      case ACCOUNT_RADIX:
        return RadixCounts.search(first, last, holder, isOther);
      case ACCOUNT_RANGES:
        return RangeCounts.search(first, last, holder, isOther);
      default:
        return 0;
    }
  }

  /** Bytes of machine memory that the counts take now. */
  static bytes(): u32 {
    switch (Knobs.get(KNOB_IO_ACCOUNT)) {
      case ACCOUNT_HEADERS:
        return HeaderCounts.bytes();
      case ACCOUNT_SLAB:
        return SlabCounts.bytes();
      case ACCOUNT_RADIX:
        return RadixCounts.bytes();
      case ACCOUNT_RANGES:
        return RangeCounts.bytes();
      default:
        return 0;
    }
  }
}
