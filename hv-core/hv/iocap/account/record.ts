/**
 * The record of one mapped I/O frame: who maps it, and how often. A frame has one holder, because ownership is exclusive.
 *
 *   31..16 holder (domain slot + 1, HOLDER_XEN)   15..0 count
 */
/** The hypervisor itself. */
export const HOLDER_XEN: u32 = 0xffff;
/** Mappings of one frame that can be counted. */
export const MAX_IO_COUNT: u32 = 0xffff;

export class IoRecord {
  @inline static of(holder: u32, count: u32): u32 {
    return count == 0 ? 0 : (holder << 16) | count;
  }

  @inline static holder(record: u32): u32 {
    return record >> 16;
  }

  @inline static count(record: u32): u32 {
    return record & 0xffff;
  }

  /** Whether a search for mappings by `holder`, or by anybody else, is after this record. */
  @inline static matches(record: u32, holder: u32, isOther: bool): bool {
    return record != 0 && (IoRecord.holder(record) == holder) != isOther;
  }
}
