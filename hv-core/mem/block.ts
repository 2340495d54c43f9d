/**
 * Header of a decoded block, as far as both the executor (hw/exec.ts) and those who invalidate code (mem/code-pages.ts) must know
 * it. The records follow at once: RECORD_SIZE bytes each, whose first half-word is the operation (hw/record.ts). Derived memory.
 */
export const BLOCK_HEADER_SIZE: u32 = 32;
export const RECORD_SIZE: u32 = 32;

/** Operation 0: the record's instruction is no longer known; leave the block here and decode afresh. */
export const OP_STALE: i32 = 0;

/** `lin` of a block that has been dropped: no lookup finds it. */
export const STALE_LIN: u64 = 0xffff_ffff_ffff_ffff;

@unmanaged
export class Block {
  /** Linear address of the first byte. */
  lin: u64;
  /** Host address of the first byte. */
  host: u32;
  /** Cpu.mode at decoding time. */
  mode: u32;
  /** Next block of the same hash slot, 0 = none. */
  next: u32;
  /** Host address of the second page when the only instruction runs over the end of the first, else 0. */
  second: u32;
  /** Instructions; a record more or less does not count. */
  insns: u16;
  records: u16;
  /** Length in bytes of the code. */
  bytes: u16;
  private _pad: u16;

  @inline static at(address: u32): Block {
    return changetype<Block>(<usize>address);
  }

  @inline static firstRecord(address: u32): usize {
    return <usize>address + BLOCK_HEADER_SIZE;
  }

  /** Makes every way into and through the block end at its next record. */
  static drop(address: u32): void {
    const b = Block.at(address);
    b.lin = STALE_LIN;
    let r = Block.firstRecord(address);
    for (let i: u32 = 0; i < <u32>b.records; i++) {
      store<u16>(r, <u16>OP_STALE);
      r += RECORD_SIZE;
    }
  }
}

if (offsetof<Block>() != BLOCK_HEADER_SIZE) ERROR("Block header is 32 bytes");
