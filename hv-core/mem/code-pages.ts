/**
 * Which frames hold decoded code, and dropping it when they are written (self-modifying code). Derived memory.
 *
 * CODE_HEADS holds, for each frame, the address of its CodePage, or 0. A CodePage lists the decoded extents on the frame and has a
 * bitmap of 64-byte granules, so that data and code may share a page without decoding the code again at every store.
 * Stores by a guest come here from hw/access.ts (the TLB entry of such a page has its SMC bit set); stores by anyone else from
 * mem/frame-access.ts. Everything lives in one arena, which is only ever cleared as a whole.
 */
import { CTR_CODE_INVALIDATIONS } from "../abi/counters";
import { CODE_ARENA_BASE, CODE_ARENA_SIZE, CODE_HASH_BASE, CODE_HASH_SLOTS, CODE_HEADS_BASE } from "../abi/layout";
import { Count } from "../base/counters";
import { Machine } from "../base/machine";
import { Block } from "./block";

/** Arena bytes that one CodePages.add may need. */
export const ROOM_FOR_ADD: u32 = 32;

/** First bytes of the arena: allocation mark, the decoder's workspace (hw/decode.ts) and the scratch block (hw/code-cache.ts). */
export const DECODER_BASE: usize = CODE_ARENA_BASE + 0x100;
export const SCRATCH_BLOCK: u32 = CODE_ARENA_BASE + 0x1000;
const ARENA_START: u32 = CODE_ARENA_BASE + 0x4000;
const ARENA_END: u32 = CODE_ARENA_BASE + CODE_ARENA_SIZE;

@unmanaged
class CodePage {
  /** Bit n: some decoded instruction has a byte in [64n, 64n + 64). */
  granules: u64;
  /** First extent, 0 = none. */
  extents: u32;
  private _pad: u32;
}

/** The bytes [start, end) of the page belong to `block`. */
@unmanaged
class Extent {
  block: u32;
  next: u32;
  start: u32;
  end: u32;
}

export class CodeArena {
  /** First free byte. */
  @inline static mark(): u32 {
    const mark = load<u32>(CODE_ARENA_BASE);
    return mark == 0 ? ARENA_START : mark;
  }

  /** Free bytes. */
  @inline static room(): u32 {
    return ARENA_END - CodeArena.mark();
  }

  /** Everything below `end` (a multiple of 16) is in use. */
  @inline static trim(end: u32): void {
    store<u32>(CODE_ARENA_BASE, end);
  }

  /** `bytes` (a multiple of 16) that the caller has made sure there is room for. */
  static allocate(bytes: u32): u32 {
    const mark = CodeArena.mark();
    CodeArena.trim(mark + bytes);
    return mark;
  }

  /** Forgets all decoded code. No block may be running. */
  static reset(): void {
    memory.fill(CODE_HEADS_BASE, 0, (<usize>Machine.get().frameCount) << 2);
    memory.fill(CODE_HASH_BASE, 0, CODE_HASH_SLOTS << 2);
    store<u32>(CODE_ARENA_BASE, ARENA_START);
    Block.at(SCRATCH_BLOCK).records = 0;
  }
}

export class CodePages {
  @inline private static page(mfn: u32): CodePage {
    return changetype<CodePage>(<usize>load<u32>(CODE_HEADS_BASE + ((<usize>mfn) << 2)));
  }

  /** Whether code has been decoded from the frame (stores to it must then be announced). */
  @inline static has(mfn: u32): bool {
    return load<u32>(CODE_HEADS_BASE + ((<usize>mfn) << 2)) != 0;
  }

  /**
   * Notes that bytes [start, end) of the frame were decoded into `block`. The caller has made sure of the room.
   * @returns true when this is the first code on the frame: cached translations of it must now refuse fast stores.
   */
  static add(mfn: u32, block: u32, start: u32, end: u32): bool {
    let isFirst = false;
    if (!CodePages.has(mfn)) {
      const address = CodeArena.allocate(16);
      const fresh = changetype<CodePage>(<usize>address);
      fresh.granules = 0;
      fresh.extents = 0;
      store<u32>(CODE_HEADS_BASE + ((<usize>mfn) << 2), address);
      isFirst = true;
    }
    const page = CodePages.page(mfn);
    const address = CodeArena.allocate(16);
    const extent = changetype<Extent>(<usize>address);
    extent.block = block;
    extent.start = start;
    extent.end = end;
    extent.next = page.extents;
    page.extents = address;
    page.granules |= CodePages.granulesOf(start, end);
    return isFirst;
  }

  /** To be called when [offset, offset + size) of the frame is written, before or after; stays inside the page. */
  static written(mfn: u32, offset: u32, size: u32): void {
    if (!CodePages.has(mfn)) return;
    const page = CodePages.page(mfn);
    const end = offset + size;
    if ((page.granules & CodePages.granulesOf(offset, end)) == 0) return;
    Count.one(CTR_CODE_INVALIDATIONS);
    let granules: u64 = 0;
    let kept: u32 = 0;
    let at = page.extents;
    let dropped = false;
    while (at != 0) {
      const extent = changetype<Extent>(<usize>at);
      const next = extent.next;
      if (extent.start < end && offset < extent.end) {
        Block.drop(extent.block);
        dropped = true;
      } else {
        granules |= CodePages.granulesOf(extent.start, extent.end);
        extent.next = kept;
        kept = at;
      }
      at = next;
    }
    page.extents = kept;
    page.granules = granules;
    if (kept == 0) store<u32>(CODE_HEADS_BASE + ((<usize>mfn) << 2), 0);
    if (dropped) Block.drop(SCRATCH_BLOCK);
  }

  /** Drops all code decoded from the frame: it was written by someone who does not know where, or changes hands. */
  static invalidate(mfn: u32): void {
    CodePages.written(mfn, 0, 4096);
  }

  /** Granule bits of the bytes [start, end), end > start. */
  private static granulesOf(start: u32, end: u32): u64 {
    const first = start >> 6;
    const last = (end - 1) >> 6;
    const upTo: u64 = last == 63 ? 0xffff_ffff_ffff_ffff : ((<u64>1) << (last + 1)) - 1;
    return upTo & ~(((<u64>1) << first) - 1);
  }
}
